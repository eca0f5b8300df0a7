/**
 * Which bytes may stand where in XML 1.0 (fifth edition, §2.2 and §2.3), for documents in UTF-8: a table for ASCII,
 * and functions that check a longer character and give back the offset behind it.
 */

export const NAME_START = 1;
export const NAME = 2;
export const SPACE = 4;
/** May stand in text as it is: not markup, not a control character, not the `]` of `]]>`, and ASCII. */
export const TEXT = 8;
/** May stand in an attribute's value and means itself, either quote excepted. */
export const VALUE = 16;

export const CLASS = classes();

function classes(): Uint8Array {
  const table = new Uint8Array(256);
  const add = (characters: string, bits: number) => {
    for (const character of characters) {
      const code = character.charCodeAt(0);
      table[code] = (table[code] ?? 0) | bits;
    }
  };
  add("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_:", NAME_START | NAME);
  add("0123456789-.", NAME);
  add(" \t\n\r", SPACE | TEXT);
  for (let code = 0x20; code < 0x7f; code++) {
    const character = String.fromCharCode(code);
    if (!"<&]".includes(character)) add(character, TEXT);
    if (!"<&\"'".includes(character)) add(character, VALUE);
  }
  add("\x7f", TEXT | VALUE);
  return table;
}

/** What the checks below give back instead of an offset. */
export const NOT_ALLOWED = -1;
/** The range ends inside the character. */
export const CUT = -2;

/**
 * Checks one character of two to four bytes: shortest form, no surrogate, not U+FFFE or U+FFFF.
 *
 * @returns The offset behind it, `NOT_ALLOWED` or `CUT`.
 */
export function passCharacter(bytes: Uint8Array, at: number, end: number): number {
  const code = decodeCharacter(bytes, at, end);
  if (code < 0) return code;
  return code < 0x800 ? at + 2 : code < 0x10000 ? at + 3 : at + 4;
}

/** The same for a character that a name may have behind its first. */
export function passNameCharacter(bytes: Uint8Array, at: number, end: number, isFirst: boolean): number {
  const code = decodeCharacter(bytes, at, end);
  if (code < 0) return code;
  if (!isNameCharacter(code, isFirst)) return NOT_ALLOWED;
  return code < 0x800 ? at + 2 : code < 0x10000 ? at + 3 : at + 4;
}

// XML 1.0 §2.3 [4] without ASCII: first and last of each range.
const NAME_START_RANGES = [
  [0xc0, 0xd6],
  [0xd8, 0xf6],
  [0xf8, 0x2ff],
  [0x370, 0x37d],
  [0x37f, 0x1fff],
  [0x200c, 0x200d],
  [0x2070, 0x218f],
  [0x2c00, 0x2fef],
  [0x3001, 0xd7ff],
  [0xf900, 0xfdcf],
  [0xfdf0, 0xfffd],
  [0x10000, 0xeffff],
] as const;

function isNameCharacter(code: number, isFirst: boolean): boolean {
  if (NAME_START_RANGES.some(([first, last]) => code >= first && code <= last)) return true;
  // §2.3 [4a].
  return (
    !isFirst && (code === 0xb7 || (code >= 0x300 && code <= 0x36f) || code === 0x203f || code === 0x2040)
  );
}

/** Unicode 3.9, table 3-7: the well-formed byte sequences. */
function decodeCharacter(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0xc2 || first > 0xf4) return NOT_ALLOWED;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  let code = first & (length === 2 ? 0x1f : length === 3 ? 0x0f : 0x07);
  for (let k = 1; k < length; k++) {
    if (at + k >= end) return CUT;
    const byte = bytes[at + k] ?? 0;
    if ((byte & 0xc0) !== 0x80) return NOT_ALLOWED;
    code = (code << 6) | (byte & 0x3f);
  }
  if (length === 3 && code < 0x800) return NOT_ALLOWED;
  if (length === 4 && (code < 0x10000 || code > 0x10ffff)) return NOT_ALLOWED;
  return isXmlCharacter(code) ? code : NOT_ALLOWED;
}

/** XML 1.0 §2.2 [2]. */
export function isXmlCharacter(code: number): boolean {
  if (code < 0x20) return code === 9 || code === 10 || code === 13;
  return code < 0xd800 || (code >= 0xe000 && code <= 0xfffd) || (code >= 0x10000 && code <= 0x10ffff);
}

/** The offset of the first byte that cannot stand in an XML document in UTF-8; `end` where all may. */
export function firstBadCharacter(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const byte = bytes[at] ?? 0;
    if (byte >= 0x20 && byte < 0x80) {
      at++;
    } else if (byte >= 0x80) {
      const next = passCharacter(bytes, at, end);
      if (next < 0) return at;
      at = next;
    } else if (byte === 9 || byte === 10 || byte === 13) {
      at++;
    } else {
      return at;
    }
  }
  return end;
}

/** Behind the name that begins here; `NOT_ALLOWED`, or `CUT` where the range ends inside a character. */
export function passName(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  let bit = NAME_START;
  for (;;) {
    while (at < end && ((CLASS[bytes[at] as number] as number) & bit) !== 0) {
      at++;
      bit = NAME;
    }
    if (at >= end) return at === start ? CUT : at;
    if ((bytes[at] as number) < 0x80) return at === start ? NOT_ALLOWED : at;
    const next = passNameCharacter(bytes, at, end, at === start);
    if (next < 0) return next;
    at = next;
    bit = NAME;
  }
}

export function passSpace(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && ((CLASS[bytes[at] as number] as number) & SPACE) !== 0) at++;
  return at;
}

/** Whether ASCII text stands in the bytes, and inside the range as a whole. */
export function startsWith(bytes: Uint8Array, at: number, end: number, text: string): boolean {
  if (end - at < text.length) return false;
  for (let k = 0; k < text.length; k++) if (bytes[at + k] !== text.charCodeAt(k)) return false;
  return true;
}

/** Whether ASCII text is all of the range. */
export function isName(bytes: Uint8Array, start: number, end: number, name: string): boolean {
  return end - start === name.length && startsWith(bytes, start, end, name);
}

/** Whether the range ends inside of the text, and agrees with it until there. */
export function isCutShort(bytes: Uint8Array, at: number, end: number, text: string): boolean {
  return end - at < text.length && startsWith(bytes, at, end, text.slice(0, end - at));
}

export function areSameBytes(bytes: Uint8Array, a: number, b: number, length: number): boolean {
  for (let k = 0; k < length; k++) if (bytes[a + k] !== bytes[b + k]) return false;
  return true;
}

/** A short range as text, each byte a character. */
export function asciiText(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at] as number);
  return text;
}

/** Whether what stands between `&` and `;` is one of the five names, or the number of an XML character. */
export function isReference(bytes: Uint8Array, start: number, end: number): boolean {
  return referenceValue(asciiText(bytes, start, end)) !== undefined;
}

const NAMED: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** The character that a reference stands for, `amp` and `#65` for instance; XML 1.0 §4.1 and §4.6. */
export function referenceValue(reference: string): string | undefined {
  if (Object.hasOwn(NAMED, reference)) return NAMED[reference];
  const match = /^#(?:x([0-9a-fA-F]{1,12})|([0-9]{1,12}))$/.exec(reference);
  if (match === null) return undefined;
  const code = match[1] === undefined ? Number.parseInt(match[2] ?? "", 10) : Number.parseInt(match[1], 16);
  return isXmlCharacter(code) ? String.fromCodePoint(code) : undefined;
}
