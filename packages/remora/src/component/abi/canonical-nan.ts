/**
 * CanonicalABI.md, "Loading" and "Storing": a NaN that crosses the boundary has the canonical bits. In JavaScript the
 * bits of one that was computed depend on the machine, while those of the constant are the canonical ones.
 */

export function canonicalNan(value: number): number {
  return Number.isNaN(value) ? Number.NaN : value;
}

/** The NaNs among `count` floats in little-endian memory. */
export function canonicalizeAll(view: DataView, at: number, count: number, size: 4 | 8): void {
  const end = at + count * size;
  for (let pointer = at; pointer < end; pointer += size) {
    if (size === 8 && Number.isNaN(view.getFloat64(pointer, true)))
      view.setFloat64(pointer, Number.NaN, true);
    if (size === 4 && Number.isNaN(view.getFloat32(pointer, true)))
      view.setFloat32(pointer, Number.NaN, true);
  }
}
