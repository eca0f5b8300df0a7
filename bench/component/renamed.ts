/** The same program under another digest: with a custom section at its end. */
export function renamed(component: Uint8Array, name: string): Uint8Array {
  // Below 128, so that each length is one byte.
  const label = new TextEncoder().encode(name);
  return Uint8Array.of(...component, 0, label.length + 1, label.length, ...label);
}
