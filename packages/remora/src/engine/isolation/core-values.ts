/**
 * Values of core functions in messages: eight bytes each, whatever their type. What stands behind the values of a host
 * call and its answer are pieces of the guest's memory: their number, and for each its address, length and bytes.
 */

export type CoreValueKind = "i32" | "i64" | "f32" | "f64";

export interface CoreFunctionType {
  readonly parameters: readonly CoreValueKind[];
  readonly results: readonly CoreValueKind[];
}

export const coreValueBytes = 8;

/** @throws TypeError a number where a bigint belongs, or the other way, as V8 does it at a call. */
export function writeCoreValue(view: DataView, at: number, kind: CoreValueKind, value: unknown): void {
  switch (kind) {
    case "i64":
      view.setBigInt64(at, BigInt.asIntN(64, value as bigint), true); // Throws for anything else.
      return;
    case "i32":
      view.setFloat64(at, toNumber(value) | 0, true);
      return;
    case "f32":
      view.setFloat64(at, Math.fround(toNumber(value)), true);
      return;
    case "f64":
      view.setFloat64(at, toNumber(value), true);
  }
}

export function readCoreValue(view: DataView, at: number, kind: CoreValueKind): number | bigint {
  if (kind === "i64") return view.getBigInt64(at, true);
  const value = view.getFloat64(at, true);
  return kind === "i32" ? value | 0 : kind === "f32" ? Math.fround(value) : value;
}

/** Unary plus refuses a bigint, which `Number` would take. */
function toNumber(value: unknown): number {
  return +(value as number);
}

/** Arguments of `count` calls in a row. */
export function writeCoreRows(
  kinds: readonly CoreValueKind[],
  rows: readonly (readonly unknown[])[],
): Uint8Array {
  const bytes = new Uint8Array(rows.length * kinds.length * coreValueBytes);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const row of rows) {
    for (let index = 0; index < kinds.length; index++) {
      writeCoreValue(view, at, kinds[index] as CoreValueKind, row[index]); // In bounds.
      at += coreValueBytes;
    }
  }
  return bytes;
}

/** @throws RangeError the bytes are too few */
export function readCoreRows(
  kinds: readonly CoreValueKind[],
  bytes: Uint8Array,
  count: number,
): (number | bigint)[][] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const rows: (number | bigint)[][] = [];
  let at = 0;
  for (let row = 0; row < count; row++) {
    const values: (number | bigint)[] = [];
    for (const kind of kinds) {
      values.push(readCoreValue(view, at, kind));
      at += coreValueBytes;
    }
    rows.push(values);
  }
  return rows;
}

/** A result as JavaScript has it: nothing, a value, or an array of them. */
export function resultOf(values: readonly (number | bigint)[]): unknown {
  return values.length <= 1 ? values[0] : values;
}

/** The values of a result, the other way round. */
export function resultValues(kinds: readonly CoreValueKind[], result: unknown): readonly unknown[] {
  return kinds.length <= 1 ? [result].slice(0, kinds.length) : [...(result as Iterable<unknown>)]; // V8 takes any iterable.
}

/** A piece of memory. */
export interface Piece {
  readonly at: number;
  readonly bytes: Uint8Array;
}

const pieceHeadBytes = 8;

/** Values, and pieces of memory behind them. */
export function writeCoreCall(
  kinds: readonly CoreValueKind[],
  values: readonly unknown[],
  pieces: readonly Piece[],
): Uint8Array {
  const valuesBytes = kinds.length * coreValueBytes;
  const sizeBytes = pieces.reduce((sum, { bytes }) => sum + pieceHeadBytes + bytes.length, valuesBytes);
  const out = new Uint8Array(sizeBytes);
  const view = new DataView(out.buffer);
  for (let index = 0; index < kinds.length; index++) {
    writeCoreValue(view, index * coreValueBytes, kinds[index] as CoreValueKind, values[index]); // In bounds.
  }
  let at = valuesBytes;
  for (const { at: address, bytes } of pieces) {
    view.setUint32(at, address, true);
    view.setUint32(at + 4, bytes.length, true);
    out.set(bytes, at + pieceHeadBytes);
    at += pieceHeadBytes + bytes.length;
  }
  return out;
}

/** Puts the pieces behind the values where they belong. @throws RangeError one does not fit the memory or the bytes */
export function placePieces(bytes: Uint8Array, valueCount: number, memory: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = valueCount * coreValueBytes;
  while (at < bytes.length) {
    const address = view.getUint32(at, true);
    const end = at + pieceHeadBytes + view.getUint32(at + 4, true);
    if (end > bytes.length) throw new RangeError("A piece of memory is cut off");
    memory.set(bytes.subarray(at + pieceHeadBytes, end), address);
    at = end;
  }
}
