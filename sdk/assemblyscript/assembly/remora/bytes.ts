// Looking for text in bytes and putting some in, without making a string of all of them.

/** Where `text` stands last in `bytes`, or -1. `text` is ASCII. */
export function lastIndexOf(bytes: Uint8Array, text: string): i32 {
  for (let at = bytes.length - text.length; at >= 0; at--) {
    if (standsAt(bytes, text, at)) return at;
  }
  return -1;
}

/** True when `text`, which is ASCII, stands in `bytes` at `at`. */
export function standsAt(bytes: Uint8Array, text: string, at: i32): bool {
  if (at < 0 || at + text.length > bytes.length) return false;
  for (let i = 0; i < text.length; i++) {
    if (unchecked(bytes[at + i]) != text.charCodeAt(i)) return false;
  }
  return true;
}

/** New bytes, in which `text` stands at `at` instead of what was there up to `end`. */
export function replaceRange(bytes: Uint8Array, at: i32, end: i32, text: string): Uint8Array {
  const size = String.UTF8.byteLength(text);
  const result = new Uint8Array(bytes.length - (end - at) + size);
  memory.copy(result.dataStart, bytes.dataStart, at);
  String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, result.dataStart + at);
  memory.copy(result.dataStart + at + size, bytes.dataStart + end, bytes.length - end);
  return result;
}
