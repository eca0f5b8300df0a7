// Looking for text in bytes and putting some in, without making a string of all of them.

/** Where `text` stands last in `bytes`, or -1. `text` is ASCII. */
export function lastIndexOf(bytes: Uint8Array, text: string): i32 {
  const start = bytes.dataStart;
  const needle = changetype<usize>(text);
  const size = <usize>text.length;
  const length = <usize>bytes.length;
  if (size > length) return -1;
  for (let at = start + length - size; at >= start; at--) {
    if (isText(at, needle, size)) return <i32>(at - start);
  }
  return -1;
}

/** True when `text`, which is ASCII, stands in `bytes` at `at`. */
export function standsAt(bytes: Uint8Array, text: string, at: i32): bool {
  if (at < 0 || at + text.length > bytes.length) return false;
  return isText(bytes.dataStart + at, changetype<usize>(text), <usize>text.length);
}

/** Bytes against the code units of a string, by address: this is where searching spends its time. */
// @ts-ignore: decorator
@inline
function isText(at: usize, needle: usize, size: usize): bool {
  for (let i: usize = 0; i < size; i++) {
    if (<u16>load<u8>(at + i) != load<u16>(needle + (i << 1))) return false;
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
