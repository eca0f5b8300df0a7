/**
 * Recognizes loops whose number of turns is known when they are entered: straight code, at its end a local that goes
 * up or down by a power of two and is compared with something that does not change. Such a loop can be paid for
 * by many turns at once, and then runs as it was (metering specification 4.6).
 */

import { Kind, kindOf, lastSimple } from "./operator-kinds.ts";
import { readIndex, readOperator, skipImmediates } from "./skip.ts";

export interface CountedLoop {
  /** The local that counts. */
  readonly counter: number;
  /** Its step is a power of two, up or down. */
  readonly shift: number;
  readonly isUp: boolean;
  /** What it is compared with: the value of a local, or a constant. */
  readonly bound: { readonly local: number } | { readonly constant: number };
  /** Where the bound stands. Nothing stands there when the counter is compared with zero by the branch alone. */
  readonly boundAt: { readonly start: number; readonly end: number };
  /** Offset behind the `end` of the loop. */
  readonly end: number;
}

const op = {
  end: 0x0b,
  brIf: 0x0d,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  i32Const: 0x41,
  i32Ne: 0x47,
  i32Add: 0x6a,
  i32Sub: 0x6b,
} as const;

/** In longer bodies counting each turn costs little. */
const bodyBytesMax = 256;
const operatorsMax = 128;

/** The loop whose first operator is at `start`; undefined when its number of turns is not evident. */
export function countedLoop(bytes: Uint8Array, start: number): CountedLoop | undefined {
  const offsets: number[] = [];
  let p = start;
  for (;;) {
    if (p - start > bodyBytesMax || offsets.length > operatorsMax) return undefined;
    const { op: opcode, next } = readOperator(bytes, p);
    offsets.push(p);
    p = skipImmediates(bytes, next, opcode);
    if (opcode === op.brIf) break;
    const kind = kindOf[opcode] as number; // as long as the table of operators
    if (kind > lastSimple && kind !== Kind.table) return undefined;
  }
  if (readIndex(bytes, (offsets.at(-1) ?? 0) + 1) !== 0 || bytes[p] !== op.end) return undefined;
  const counted = matchEnd(bytes, offsets);
  if (counted === undefined || !isOnlyWrite(bytes, offsets, counted)) return undefined;
  return { ...counted.loop, end: p + 1 };
}

interface Match {
  readonly loop: Omit<CountedLoop, "end">;
  /** Offset of the `local.tee` that writes the counter. */
  readonly write: number;
}

/**
 * `local.get i, i32.const step, i32.add, local.tee i`, alone or compared by `i32.ne` with `local.get n | i32.const n`,
 * which stands before or behind.
 */
function matchEnd(bytes: Uint8Array, offsets: readonly number[]): Match | undefined {
  const at = (fromEnd: number) => offsets.at(-1 - fromEnd) ?? 0;
  const opcode = (fromEnd: number) => bytes[at(fromEnd)];
  const hasBound = opcode(1) === op.i32Ne;
  const isBoundFirst = hasBound && opcode(2) === op.localTee;
  const tee = !hasBound ? 1 : isBoundFirst ? 2 : 3;
  if (offsets.length < tee + 5 || opcode(tee) !== op.localTee) return undefined;
  const bound = hasBound ? readBound(bytes, at(isBoundFirst ? 6 : 2)) : { constant: 0 };
  if (bound === undefined) return undefined;
  const isAdd = opcode(tee + 1) === op.i32Add;
  if (!isAdd && opcode(tee + 1) !== op.i32Sub) return undefined;
  if (opcode(tee + 2) !== op.i32Const || opcode(tee + 3) !== op.localGet) return undefined;
  const counter = readIndex(bytes, at(tee) + 1);
  if (readIndex(bytes, at(tee + 3) + 1) !== counter) return undefined;
  const constant = readSigned(bytes, at(tee + 2) + 1);
  const step = isAdd ? constant : -constant;
  const shift = 31 - Math.clz32(Math.abs(step));
  if (step === 0 || Math.abs(step) !== 2 ** shift || shift > 16) return undefined;
  const boundAt = hasBound
    ? { start: at(isBoundFirst ? 6 : 2), end: at(isBoundFirst ? 5 : 1) }
    : { start: at(0), end: at(0) };
  return { loop: { counter, shift, isUp: step > 0, bound, boundAt }, write: at(tee) };
}

function readBound(bytes: Uint8Array, offset: number): CountedLoop["bound"] | undefined {
  if (bytes[offset] === op.localGet) return { local: readIndex(bytes, offset + 1) };
  return bytes[offset] === op.i32Const ? { constant: readSigned(bytes, offset + 1) } : undefined;
}

/** Nothing else writes the counter, and nothing at all the bound. */
function isOnlyWrite(bytes: Uint8Array, offsets: readonly number[], { loop, write }: Match): boolean {
  const bound = "local" in loop.bound ? loop.bound.local : -1;
  if (bound === loop.counter) return false;
  return offsets.every((offset) => {
    if (bytes[offset] !== op.localSet && bytes[offset] !== op.localTee) return true;
    const local = readIndex(bytes, offset + 1);
    return local !== bound && (local !== loop.counter || offset === write);
  });
}

function readSigned(bytes: Uint8Array, offset: number): number {
  let result = 0;
  let at = offset;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = bytes[at++] as number; // within a body
    result |= (byte & 0x7f) << shift;
    if (byte >= 0x80) continue;
    return shift < 25 && (byte & 0x40) !== 0 ? result | (-1 << (shift + 7)) : result;
  }
  return result;
}
