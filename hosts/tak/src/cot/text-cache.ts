/**
 * Strings that come again and again: the types of a stream are a few dozen, its uids those of its entities. Finding
 * the one from last time costs a third of making it, and makes no garbage. Bounded in slots and in the length of what
 * is kept; whoever sends what collides makes us no slower than without.
 */

const SLOTS = 4096;
const LENGTH_MAX = 64;

const slots: (string | undefined)[] = Array.from({ length: SLOTS });

/** The bytes as text. They are known to be UTF-8. */
export function readText(bytes: Buffer, start: number, end: number): string {
  const length = end - start;
  if (length > LENGTH_MAX) return bytes.toString("utf8", start, end);
  let hash = length;
  for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + (bytes[at] as number)) | 0;
  const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
  const known = slots[slot];
  if (known !== undefined && isText(known, bytes, start, length)) return known;
  const text = bytes.toString("utf8", start, end);
  // What is not ASCII would never be found again, since it is compared byte by character.
  if (text.length === length) slots[slot] = text;
  return text;
}

function isText(text: string, bytes: Buffer, start: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let k = 0; k < length; k++) if (text.charCodeAt(k) !== bytes[start + k]) return false;
  return true;
}
