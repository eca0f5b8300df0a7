/** How a file begins, which says what it is. */

/** Modules and components begin alike; then come two bytes of version and two of layer (component-model, Binary.md). */
const WASM = [0x00, 0x61, 0x73, 0x6d];

export function isWasm(bytes: Uint8Array): boolean {
  return WASM.every((byte, at) => bytes[at] === byte);
}

/** The first bytes, for people: as many as a bundle begins with, the last two of which are its version. */
export function beginning(bytes: Uint8Array): string {
  if (bytes.length === 0) return "nothing, for it is empty";
  const hex = Array.from(bytes.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return bytes[0] === 0x28 ? `${hex}, as the text format does` : hex;
}
