/** Steps over operators that the analyser has read before, so that nothing needs to be checked again. */

import { firstPrefix, lastPrefix, prefixPages } from "../opcodes.ts";
import { Kind, kindOf } from "./operator-kinds.ts";

/** Index of the operator at an offset, and the offset of its immediates. */
export function readOperator(bytes: Uint8Array, offset: number): { op: number; next: number } {
  const byte = bytes[offset] as number; // within a body
  if (byte < firstPrefix || byte > lastPrefix) return { op: byte, next: offset + 1 };
  const page = prefixPages[byte - firstPrefix] ?? 0;
  return { op: page + readIndex(bytes, offset + 1), next: skipNumber(bytes, offset + 1) };
}

export function readIndex(bytes: Uint8Array, offset: number): number {
  let result = 0;
  let at = offset;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = bytes[at++] as number; // within a body
    result |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return result >>> 0;
}

export function skipNumber(bytes: Uint8Array, offset: number): number {
  let at = offset;
  while ((bytes[at++] as number) >= 0x80); // within a body
  return at;
}

/** The offset behind the immediates of an operator. */
export function skipImmediates(bytes: Uint8Array, offset: number, op: number): number {
  switch (kindOf[op]) {
    case Kind.number:
    case Kind.global:
    case Kind.table:
    case Kind.typeIndex:
    case Kind.br:
    case Kind.branchOn:
    case Kind.call:
    case Kind.callRef:
    case Kind.returnCall:
    case Kind.returnCallRef:
    case Kind.throw:
    case Kind.rethrow:
    case Kind.catch:
    case Kind.delegate:
    case Kind.refFunc:
    case Kind.structNew:
    case Kind.grow:
      return skipNumber(bytes, offset);
    case Kind.twoIndices:
    case Kind.callIndirect:
    case Kind.returnCallIndirect:
    case Kind.arrayNewFixed:
      return skipNumber(bytes, skipNumber(bytes, offset));
    case Kind.bulk:
      return op === memoryCopy || op === tableCopy || op === memoryInit || op === tableInit
        ? skipNumber(bytes, skipNumber(bytes, offset))
        : skipNumber(bytes, offset);
    case Kind.length:
      return op === arrayNew || op === arrayNewDefault || op === arrayFill
        ? skipNumber(bytes, offset)
        : skipNumber(bytes, skipNumber(bytes, offset));
    case Kind.memarg:
      return skipMemArg(bytes, offset);
    case Kind.memargLane:
      return skipMemArg(bytes, offset) + 1;
    case Kind.bytes1:
      return offset + 1;
    case Kind.bytes4:
      return offset + 4;
    case Kind.bytes8:
      return offset + 8;
    case Kind.bytes16:
      return offset + 16;
    case Kind.select:
      return skipType(bytes, skipNumber(bytes, offset));
    case Kind.block:
    case Kind.loop:
    case Kind.if:
    case Kind.try:
      return skipType(bytes, offset);
    case Kind.tryTable:
      return skipCatches(bytes, skipType(bytes, offset));
    case Kind.castLabel:
      return skipNumber(bytes, skipNumber(bytes, skipNumber(bytes, offset + 1)));
    case Kind.brTable:
      return skipNumbers(bytes, skipNumber(bytes, offset), readIndex(bytes, offset) + 1);
    default:
      return offset;
  }
}

export const memoryInit = 0x208;
export const memoryCopy = 0x20a;
export const memoryFill = 0x20b;
export const tableInit = 0x20c;
export const tableCopy = 0x20e;
export const tableGrow = 0x20f;
export const tableFill = 0x211;
export const arrayNew = 0x106;
export const arrayNewDefault = 0x107;
export const arrayFill = 0x110;

export function skipMemArg(bytes: Uint8Array, offset: number): number {
  const flags = bytes[offset] as number; // within a body
  // Bit 6 of the alignment: a memory index follows.
  const indexed = (flags & 0x40) === 0 ? offset : skipNumber(bytes, offset);
  return skipNumber(bytes, skipNumber(bytes, indexed));
}

/** A value type, a block type or a type index. */
export function skipType(bytes: Uint8Array, offset: number): number {
  const code = bytes[offset] as number; // within a body
  return code === 0x63 || code === 0x64 ? skipNumber(bytes, offset + 1) : skipNumber(bytes, offset);
}

function skipNumbers(bytes: Uint8Array, offset: number, count: number): number {
  let at = offset;
  for (let index = 0; index < count; index++) at = skipNumber(bytes, at);
  return at;
}

function skipCatches(bytes: Uint8Array, offset: number): number {
  const count = readIndex(bytes, offset);
  let at = skipNumber(bytes, offset);
  for (let index = 0; index < count; index++) {
    const hasTag = (bytes[at++] as number) < 2; // within a body
    at = skipNumber(bytes, hasTag ? skipNumber(bytes, at) : at);
  }
  return at;
}
