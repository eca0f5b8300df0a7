/**
 * The functions that stand in for operators whose cost depends on a length: they charge it, and do long work in
 * chunks with a look at the clock between. Metering specification 4.9. All lengths are unsigned and come from the
 * guest.
 */

import { ByteWriter } from "../byte-writer.ts";
import type { IndexSpaces } from "../index-spaces.ts";
import type { FuncType, ValueType } from "../sections/value-types.ts";
import { operatorNamed } from "./operator-kinds.ts";

export interface Helper {
  readonly operator: number;
  readonly first: number;
  readonly second: number;
}

/** Indices that the helpers need. */
export interface HelperContext {
  readonly spaces: IndexSpaces;
  readonly fuel: number;
  /** Global of the units set aside for bytes; -1 where there is none. See `InjectedExports.swapFuel`. */
  readonly aside: number;
  /** Function () -> () that refills the counter, or looks at the clock when it is not negative. */
  readonly refill: number;
  /** Globals of what may still be added. */
  readonly pages: number;
  readonly elements: number;
  /** Bytes of each data segment, and entries of each element segment. */
  readonly dataSizes: readonly number[];
  readonly elementCounts: readonly number[];
}

/** Up to this many bytes at once: 64 KiB take some microseconds, cold pages included. */
const chunkBytes = 65_536;
/** A table element takes some 12 ns. */
const chunkElements = 4_096;

type IndexType = "i32" | "i64";

export function helperType(helper: Helper, spaces: IndexSpaces): FuncType {
  const { first, second } = helper;
  const memory = (index: number): IndexType => (spaces.memories[index]?.is64 ? "i64" : "i32");
  const table = (index: number): IndexType => (spaces.tables[index]?.limits.is64 ? "i64" : "i32");
  const element = (index: number): ValueType =>
    spaces.tables[index]?.element ?? { isNullable: true, heap: "func" };
  // The length of a copy has the smaller of both index types.
  const smaller = (a: IndexType, b: IndexType): IndexType => (a === "i64" && b === "i64" ? "i64" : "i32");
  const func = (parameters: ValueType[], results: ValueType[] = []): FuncType => ({
    kind: "func",
    parameters,
    results,
  });
  switch (helper.operator) {
    case memoryFill:
      return func([memory(first), "i32", memory(first)]);
    case memoryCopy:
      return func([memory(first), memory(second), smaller(memory(first), memory(second))]);
    case tableFill:
      return func([table(first), element(first), table(first)]);
    case tableCopy:
      return func([table(first), table(second), smaller(table(first), table(second))]);
    case memoryInit:
      return func([memory(second), "i32", "i32"]);
    case tableInit:
      return func([table(second), "i32", "i32"]);
    case memoryGrow:
      return func([memory(first)], [memory(first)]);
    default:
      return func([element(first), table(first)], [table(first)]);
  }
}

const memoryFill = operatorNamed("memory.fill");
const memoryCopy = operatorNamed("memory.copy");
const memoryInit = operatorNamed("memory.init");
const tableInit = operatorNamed("table.init");
const tableFill = operatorNamed("table.fill");
const tableCopy = operatorNamed("table.copy");
export const memoryGrow = operatorNamed("memory.grow");
export const tableGrow = operatorNamed("table.grow");

/** Whether it takes bytes, of which units may be set aside: entries of tables take longer. */
export function takesBytes({ operator }: Helper): boolean {
  return operator === memoryFill || operator === memoryCopy || operator === memoryInit;
}

/** The body, from its locals to its end. */
export function helperBody(helper: Helper, context: HelperContext): Uint8Array {
  const type = helperType(helper, context.spaces);
  const code = new Assembler(type.parameters.length);
  if (takesBytes(helper) && context.aside >= 0) fromAside(code, helper, type, context);
  if (helper.operator === memoryGrow || helper.operator === tableGrow) grow(code, helper, type, context);
  else if (helper.operator === memoryInit || helper.operator === tableInit) init(code, helper, type, context);
  else if (helper.operator === memoryFill || helper.operator === tableFill) fill(code, helper, type, context);
  else copy(code, helper, type, context);
  return code.finish();
}

/** When enough is set aside: takes it from there, does it, returns. The clock and the pool of fuel need no look then. */
function fromAside(
  code: Assembler,
  { operator, first, second }: Helper,
  type: FuncType,
  context: HelperContext,
): void {
  const { fuel, aside } = context;
  const [to, from, length] = [0, 1, 2] as const;
  const index = indexTypeAt(type, length);
  // A guest that has overdrawn its counter is stopped here, if it has to be, whatever is set aside.
  code.globalGet(fuel).constant("i32", 0).op("i32.ge_s");
  code.get(length).globalGet(aside);
  if (index === "i64") code.op("i64.extend_i32_u");
  code.op(`${index}.le_u`).op("i32.and").if();
  code.globalGet(aside).get(length);
  if (index === "i64") code.op("i32.wrap_i64");
  code.op("i32.sub").globalSet(aside);
  code.get(to).get(from).get(length);
  if (operator === memoryFill) code.op("memory.fill", first);
  else code.op(operator === memoryCopy ? "memory.copy" : "memory.init", first, second);
  code.op("return").end();
}

/** Ticks, grows when the allowance permits, charges what was added. */
function grow(code: Assembler, helper: Helper, type: FuncType, context: HelperContext): void {
  const isMemory = helper.operator === memoryGrow;
  const delta = isMemory ? 0 : 1;
  const index = indexTypeAt(type, delta);
  const left = isMemory ? context.pages : context.elements;
  const result = code.local(index);
  code.call(context.refill);
  // Unsigned, so that a "negative" growth is a huge one; the allowance is never negative.
  code.get(delta).globalGet(left);
  if (index === "i64") code.op("i64.extend_i32_u");
  code.op(`${index}.gt_u`).if();
  code.constant(index, -1).op("return").end();
  if (isMemory) code.get(delta).op("memory.grow", helper.first);
  else code.get(0).get(delta).op("table.grow", helper.first);
  code.tee(result).constant(index, -1).op(`${index}.ne`).if();
  for (const global of [left, context.fuel]) {
    code.globalGet(global).get(delta);
    if (index === "i64") code.op("i32.wrap_i64");
    code.op("i32.sub").globalSet(global);
  }
  code.end().get(result);
}

function fill(code: Assembler, helper: Helper, type: FuncType, context: HelperContext): void {
  const isMemory = helper.operator === memoryFill;
  const [at, value, length] = [0, 1, 2] as const;
  const index = indexTypeAt(type, length);
  const name = isMemory ? "memory.fill" : "table.fill";
  const whole = () => code.get(at).get(value).get(length).op(name, helper.first);
  short(code, index, chunkOf(isMemory), context, whole);
  // Out of bounds: the operator itself traps, before it writes anything.
  isOutside(code, { at, length, index, isMemory, target: helper.first, spaces: context.spaces });
  code.if();
  whole();
  code.op("return").end();
  const chunk = code.local(index);
  chunks(code, { index, length, chunk, size: chunkOf(isMemory), context }, () => {
    code.get(at).get(value).get(chunk).op(name, helper.first);
    advance(code, index, at, chunk, index);
  });
}

/** From a segment: `first` is the segment and `second` the memory or table. */
function init(code: Assembler, helper: Helper, type: FuncType, context: HelperContext): void {
  const isMemory = helper.operator === memoryInit;
  const [to, from, length] = [0, 1, 2] as const;
  const { first, second } = helper;
  const name = isMemory ? "memory.init" : "table.init";
  const whole = () => code.get(to).get(from).get(length).op(name, first, second);
  short(code, "i32", chunkOf(isMemory), context, whole);
  isOutside(code, { at: to, length, index: "i32", isMemory, target: second, spaces: context.spaces });
  isOutsideOfSegment(code, from, length, (isMemory ? context.dataSizes : context.elementCounts)[first] ?? 0);
  code.op("i32.or").if();
  whole();
  code.op("return").end();
  const chunk = code.local("i32");
  // A segment that was dropped has nothing: the first chunk traps, and nothing is written.
  chunks(code, { index: "i32", length, chunk, size: chunkOf(isMemory), context }, () => {
    code.get(to).get(from).get(chunk).op(name, first, second);
    advance(code, indexTypeAt(type, to), to, chunk, "i32");
    advance(code, "i32", from, chunk, "i32");
  });
}

function copy(code: Assembler, helper: Helper, type: FuncType, context: HelperContext): void {
  const isMemory = helper.operator === memoryCopy;
  const [to, from, length] = [0, 1, 2] as const;
  const index = indexTypeAt(type, length);
  const toIndex = indexTypeAt(type, to);
  const fromIndex = indexTypeAt(type, from);
  const { first, second } = helper;
  const name = isMemory ? "memory.copy" : "table.copy";
  const whole = () => code.get(to).get(from).get(length).op(name, first, second);
  short(code, index, chunkOf(isMemory), context, whole);
  const { spaces } = context;
  isOutside(code, { at: to, length, index, isMemory, target: first, spaces });
  isOutside(code, { at: from, length, index, isMemory, target: second, spaces });
  code.op("i32.or").if();
  whole();
  code.op("return").end();
  const chunk = code.local(index);
  const size = chunkOf(isMemory);
  const forward = () =>
    chunks(code, { index, length, chunk, size, context }, () => {
      code.get(to).get(from).get(chunk).op(name, first, second);
      advance(code, toIndex, to, chunk, index);
      advance(code, fromIndex, from, chunk, index);
    });
  // Between two memories nothing overlaps, whatever their index types.
  if (first !== second) {
    forward();
    return;
  }
  code.get(to).get(from).op(`${toIndex}.le_u`).if();
  forward();
  code.op("return").end();
  // Overlapping upward: from the last chunk to the first; the length that is left says where.
  chunks(code, { index, length, chunk, size, context }, () => {
    code.get(to).get(length).get(chunk).op(`${index}.sub`).op(`${index}.add`);
    code.get(from).get(length).get(chunk).op(`${index}.sub`).op(`${index}.add`);
    code.get(chunk).op(name, first, second);
  });
}

function chunkOf(isMemory: boolean): number {
  return isMemory ? chunkBytes : chunkElements;
}

/** Up to a chunk: charge, check, do it, return. */
function short(
  code: Assembler,
  index: IndexType,
  size: number,
  context: HelperContext,
  whole: () => void,
): void {
  code.get(2).constant(index, size).op(`${index}.le_u`).if();
  chargeLocal(code, index, 2, context);
  whole();
  code.op("return").end();
}

function chargeLocal(code: Assembler, index: IndexType, amount: number, context: HelperContext): void {
  code.globalGet(context.fuel).get(amount);
  if (index === "i64") code.op("i32.wrap_i64");
  code.op("i32.sub").globalSet(context.fuel);
  code.globalGet(context.fuel).constant("i32", 0).op("i32.lt_s").if().call(context.refill).end();
}

interface Chunks {
  readonly index: IndexType;
  readonly length: number;
  readonly chunk: number;
  readonly size: number;
  readonly context: HelperContext;
}

/** Until nothing is left: look at the clock, take a chunk, charge it, do it. The guest's length bounds the turns. */
function chunks(code: Assembler, { index, length, chunk, size, context }: Chunks, work: () => void): void {
  code.loop();
  code.call(context.refill);
  code.get(length).constant(index, size);
  code.get(length).constant(index, size).op(`${index}.lt_u`).op("select").set(chunk);
  chargeLocal(code, index, chunk, context);
  work();
  code.get(length).get(chunk).op(`${index}.sub`).tee(length);
  code.constant(index, 0).op(`${index}.ne`).branchIf(0).end();
}

function advance(code: Assembler, index: IndexType, local: number, by: number, byIndex: IndexType): void {
  code.get(local).get(by);
  if (index === "i64" && byIndex === "i32") code.op("i64.extend_i32_u");
  code.op(`${index}.add`).set(local);
}

interface Bounds {
  readonly at: number;
  readonly length: number;
  readonly index: IndexType;
  readonly isMemory: boolean;
  readonly target: number;
  readonly spaces: IndexSpaces;
}

/**
 * Leaves 1 when `at + length` lies beyond the end, by 64-bit numbers: with size s, that is
 * length > s or at > s - length.
 */
function isOutside(code: Assembler, { at, length, index, isMemory, target, spaces }: Bounds): void {
  const is64 = isMemory ? spaces.memories[target]?.is64 : spaces.tables[target]?.limits.is64;
  const atIndex: IndexType = is64 ? "i64" : "i32";
  const wide = (local: number, type: IndexType) => {
    code.get(local);
    if (type === "i32") code.op("i64.extend_i32_u");
  };
  const size = () => {
    code.op(isMemory ? "memory.size" : "table.size", target);
    if (!is64) code.op("i64.extend_i32_u");
    if (isMemory) code.constant("i64", 16).op("i64.shl");
  };
  wide(length, index);
  size();
  code.op("i64.gt_u");
  wide(at, atIndex);
  size();
  wide(length, index);
  code.op("i64.sub").op("i64.gt_u").op("i32.or");
}

/** Leaves 1 when `from + length` lies beyond the segment's `size`: length > size or from > size - length. */
function isOutsideOfSegment(code: Assembler, from: number, length: number, size: number): void {
  code.get(length).constant("i32", size).op("i32.gt_u");
  code.get(from).constant("i32", size).get(length).op("i32.sub").op("i32.gt_u").op("i32.or");
}

function indexTypeAt(type: FuncType, parameter: number): IndexType {
  return type.parameters[parameter] === "i64" ? "i64" : "i32";
}

/** Writes operators by name; locals are declared as they are needed. */
export class Assembler {
  private readonly writer = new ByteWriter();
  private readonly locals: ValueType[] = [];
  private readonly parameters: number;

  constructor(parameters: number) {
    this.parameters = parameters;
  }

  local(type: IndexType): number {
    this.locals.push(type);
    return this.parameters + this.locals.length - 1;
  }

  op(name: string, ...immediates: number[]): this {
    const index = operatorNamed(name);
    if (index < 0x100) this.writer.byte(index);
    else this.writer.byte(0xfc).u32(index - 0x200);
    for (const immediate of immediates) this.writer.u32(immediate);
    return this;
  }

  constant(type: IndexType, value: number): this {
    this.writer.byte(type === "i32" ? 0x41 : 0x42).s32(value);
    return this;
  }

  get(local: number): this {
    return this.op("local.get", local);
  }

  set(local: number): this {
    return this.op("local.set", local);
  }

  tee(local: number): this {
    return this.op("local.tee", local);
  }

  globalGet(global: number): this {
    return this.op("global.get", global);
  }

  globalSet(global: number): this {
    return this.op("global.set", global);
  }

  call(func: number): this {
    return this.op("call", func);
  }

  if(): this {
    return this.op("if", 0x40);
  }

  loop(): this {
    return this.op("loop", 0x40);
  }

  branchIf(label: number): this {
    return this.op("br_if", label);
  }

  end(): this {
    return this.op("end");
  }

  finish(): Uint8Array {
    const body = new ByteWriter();
    body.vector(this.locals, (to, local) => to.u32(1).byte(local === "i64" ? 0x7e : 0x7f));
    return body.raw(this.writer.finish()).byte(0x0b).finish();
  }
}
