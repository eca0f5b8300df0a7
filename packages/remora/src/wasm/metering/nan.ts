/**
 * Where the bits of a NaN could differ from machine to machine and become visible. WebAssembly leaves sign and
 * payload of a NaN that arithmetic makes open; the profile `strict` makes them those of the canonical one.
 *
 * The result of an arithmetic operator is followed on the operand stack. Where only arithmetic, comparisons or
 * conversions to integers take it, its bits do not matter; where anything else takes it, it is made canonical at
 * the place where it was made. What is only moved (loads, stores, `neg`, `reinterpret`) keeps its bits.
 */

import type { IndexSpaces } from "../index-spaces.ts";
import { operators } from "../opcodes.ts";
import type { Bodies } from "./facts.ts";
import type { IntList } from "./int-list.ts";
import { Kind, kindOf } from "./operator-kinds.ts";
import { readIndex, readOperator, skipImmediates } from "./skip.ts";

/** Types that can have a NaN, as numbers in the list of places. */
export const Float = { f32: 1, f64: 2, f32x4: 3, f64x2: 4 } as const;

/** Two numbers a place: offset of the operator behind the one that makes the NaN, and its type. */
export const nanPlaceSize = 2;

const makers =
  /^(f32|f64|f32x4|f64x2)\.(add|sub|mul|div|sqrt|min|max|ceil|floor|trunc|nearest|demote_f64|promote_f32|demote_f64x2_zero|promote_low_f32x4)$/;
const comparisons = /^(f32|f64|f32x4|f64x2)\.(eq|ne|lt|gt|le|ge)$/;
const toIntegers = /^(i32|i64|i32x4)\.trunc_(sat_)?f/;

/** By operator: the type of the NaN that it makes, or 0. */
const madeBy = new Uint8Array(operators.length);
/** By operator: 1 when the bits of a NaN among its operands do not show. */
const ignoresBits = new Uint8Array(operators.length);

for (const [index, operator] of operators.entries()) {
  const name = operator?.name ?? "";
  const made = makers.exec(name)?.[1];
  if (made !== undefined) madeBy[index] = Float[made as keyof typeof Float]; // one of the four by the pattern
  if (made !== undefined || comparisons.test(name) || toIntegers.test(name) || name === "drop")
    ignoresBits[index] = 1;
}

/** Appends the places of the body with this index, in ascending order; returns how many there are. */
export function findNanPlaces(
  bytes: Uint8Array,
  bodies: Bodies,
  index: number,
  spaces: IndexSpaces,
  places: IntList,
): number {
  const finder = new Finder(spaces);
  let p = bodies.codeStart[index] as number;
  const end = bodies.end[index] as number;
  while (p < end) {
    const { op, next } = readOperator(bytes, p);
    p = skipImmediates(bytes, next, op);
    finder.operator(op, bytes, next, p);
  }
  finder.showAll();
  finder.list.sort((a, b) => a.offset - b.offset);
  for (const { offset, type } of finder.list) {
    places.push(offset);
    places.push(type);
  }
  return finder.list.length;
}

interface Place {
  readonly offset: number;
  readonly type: number;
  isShown: boolean;
}

class Finder {
  /** Those that show. */
  readonly list: Place[] = [];
  /** The operand stack as far as it is known; what is below is canonical, as is `undefined`. */
  private readonly stack: (Place | undefined)[] = [];
  private readonly spaces: IndexSpaces;

  constructor(spaces: IndexSpaces) {
    this.spaces = spaces;
  }

  operator(op: number, bytes: Uint8Array, immediates: number, next: number): void {
    const { pops, pushes } = operators[op] ?? {};
    if (pops !== undefined && pushes !== undefined && !isControl(op)) {
      this.take(pops, ignoresBits[op] === 1);
      const type = madeBy[op] as number; // as long as `operators`
      for (let index = 0; index < pushes; index++) {
        this.stack.push(type === 0 ? undefined : { offset: next, type, isShown: false });
      }
      return;
    }
    if (kindOf[op] === Kind.call) {
      const type = this.spaces.types[this.spaces.functions[readIndex(bytes, immediates)] ?? -1]?.composite;
      if (type?.kind !== "func") {
        this.showAll();
        return;
      }
      this.take(type.parameters.length, false);
      for (let index = 0; index < type.results.length; index++) this.stack.push(undefined);
      return;
    }
    this.showAll();
  }

  private take(count: number, ignored: boolean): void {
    for (let index = 0; index < count; index++) {
      const place = this.stack.pop();
      if (place !== undefined && !ignored) this.show(place);
    }
  }

  /** Control meets or parts here, or somebody takes an unknown number of operands: all of them may show. */
  showAll(): void {
    for (const place of this.stack) if (place !== undefined) this.show(place);
    this.stack.length = 0;
  }

  private show(place: Place): void {
    if (place.isShown) return;
    place.isShown = true;
    this.list.push(place);
  }
}

/** Has operands for a label, or changes what runs next. */
function isControl(op: number): boolean {
  const kind = kindOf[op] as number; // as long as `operators`
  return kind >= Kind.block && kind <= Kind.brTable;
}

/** Bytes that make the top of the stack canonical; `temporary` is a local of its type. */
export function canonicalize(type: number, temporary: number): number[] {
  const get = [0x20, ...unsigned(temporary)];
  const tee = [0x22, ...unsigned(temporary)];
  switch (type) {
    case Float.f32: // f32.eq, select
      return [...tee, 0x43, ...f32Nan, ...get, ...get, 0x5b, 0x1b];
    case Float.f64: // f64.eq, select
      return [...tee, 0x44, ...f64Nan, ...get, ...get, 0x61, 0x1b];
    case Float.f32x4: // v128.const, f32x4.eq, v128.bitselect
      return [...tee, 0xfd, 12, ...repeat(f32Nan, 4), ...get, ...get, 0xfd, 0x41, 0xfd, 0x52];
    default: // v128.const, f64x2.eq, v128.bitselect
      return [...tee, 0xfd, 12, ...repeat(f64Nan, 2), ...get, ...get, 0xfd, 0x47, 0xfd, 0x52];
  }
}

/** Core specification §4.3.3: sign 0, only the payload's highest bit set. */
const f32Nan = [0, 0, 0xc0, 0x7f];
const f64Nan = [0, 0, 0, 0, 0, 0, 0xf8, 0x7f];

function repeat(bytes: readonly number[], times: number): number[] {
  return Array.from({ length: times }, () => bytes).flat();
}

function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}
