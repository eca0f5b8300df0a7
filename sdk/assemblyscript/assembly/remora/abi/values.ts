// Values between linear memory, as the canonical ABI lays them out, and AssemblyScript's own. Strings are UTF-16 on
// both sides, so a string of ours is passed where it lies; a string of the host is copied out of the arena.

/** A string that the host wrote: its address and its length in code units. */
export function liftString(at: usize, length: usize): string {
  return String.UTF16.decodeUnsafe(at, length << 1);
}

/** An `option<string>`. */
export function liftOptionString(tag: u8, at: usize, length: usize): string | null {
  return tag ? liftString(at, length) : null;
}

/** A `list<u8>`. */
export function liftBytes(at: usize, length: usize): Uint8Array {
  const bytes = new Uint8Array(<i32>length);
  memory.copy(bytes.dataStart, at, length);
  return bytes;
}

/** Writes a string's address and length. It must live until the host has read it, which is before any other call. */
export function lowerString(value: string, at: usize): void {
  store<usize>(at, changetype<usize>(value));
  store<usize>(at, <usize>value.length, sizeof<usize>());
}

/** The same for a `list<u8>`. */
export function lowerBytes(value: Uint8Array, at: usize): void {
  store<usize>(at, value.dataStart);
  store<usize>(at, <usize>value.length, sizeof<usize>());
}
