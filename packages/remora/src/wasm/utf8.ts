/** UTF-8 without a platform: the names in a module are short, and this layer has no TextDecoder. */

// V8 makes an object of 32 bytes of each character that is added to a text, and of a name of 8,000 as many calls to put
// it together when it is first looked at: 40 MB of names took gigabytes and a quarter of a minute.
const units = new Uint16Array(1_024);

/** The text, or undefined when the bytes are not well-formed UTF-8 (Unicode 3.9, table 3-7). */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = "";
  let count = 0;
  let at = start;
  while (at < end) {
    if (count > units.length - 2) {
      text += textOf(count);
      count = 0;
    }
    const lead = bytes[at++] ?? 0;
    if (lead < 0x80) {
      units[count++] = lead;
      continue;
    }
    const more =
      lead >= 0xc2 && lead <= 0xdf
        ? 1
        : lead >= 0xe0 && lead <= 0xef
          ? 2
          : lead >= 0xf0 && lead <= 0xf4
            ? 3
            : 0;
    if (more === 0 || at + more > end) return undefined;
    let point = lead & (0x3f >> more);
    for (let index = 0; index < more; index++) {
      const next = bytes[at++] ?? 0;
      if ((next & 0xc0) !== 0x80) return undefined;
      point = (point << 6) | (next & 0x3f);
    }
    const isOverlong = point < (more === 1 ? 0x80 : more === 2 ? 0x800 : 0x10000);
    if (isOverlong || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return undefined;
    if (point < 0x10000) {
      units[count++] = point;
      continue;
    }
    // A pair of surrogates (Unicode 3.8, D75).
    units[count++] = 0xd7c0 + (point >> 10);
    units[count++] = 0xdc00 | (point & 0x3ff);
  }
  return text + textOf(count);
}

function textOf(count: number): string {
  // An array of numbers is all that it takes; the type asks for one that can be changed.
  return String.fromCharCode.apply(null, units.subarray(0, count) as unknown as number[]);
}

/** A lone surrogate becomes U+FFFD, as everywhere on the platform. */
export function encodeUtf8(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text.toWellFormed()) {
    const point = character.codePointAt(0) ?? 0;
    if (point < 0x80) bytes.push(point);
    else if (point < 0x800) bytes.push(0xc0 | (point >> 6), 0x80 | (point & 0x3f));
    else if (point < 0x10000)
      bytes.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f));
    else
      bytes.push(
        0xf0 | (point >> 18),
        0x80 | ((point >> 12) & 0x3f),
        0x80 | ((point >> 6) & 0x3f),
        0x80 | (point & 0x3f),
      );
  }
  return Uint8Array.from(bytes);
}
