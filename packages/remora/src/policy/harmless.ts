/**
 * Text that somebody untrusted chose, made fit for a terminal, a log line or a message: bounded, on one line, and
 * without what could move a cursor, change the colour or turn the reading direction.
 */

// Cc: C0, DEL and C1 controls. Cf: direction marks, overrides, zero-width characters, tags. Zl, Zp: line and
// paragraph separators. Cs: lone surrogates.
const harmful = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
const harmfulAll = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** The text with each harmful character written as `\u{1b}`, cut with "…" when it is longer than `lengthMax`. */
export function harmless(text: string, lengthMax = 200): string {
  // Cut before the replacement, which can make the text eight times longer.
  const cut = text.length > lengthMax ? `${text.slice(0, lengthMax)}…` : text;
  return harmful.test(cut) ? cut.replace(harmfulAll, escaped) : cut;
}

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
