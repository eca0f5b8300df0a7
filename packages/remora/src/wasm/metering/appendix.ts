/**
 * What is appended to a module, and the indices it gets. Everything goes behind what is there, so no original
 * index changes (metering specification 4.2) and bodies can be copied.
 */

import { ByteWriter } from "../byte-writer.ts";
import type { IndexSpaces } from "../index-spaces.ts";
import type { Export, Global, Import, RecGroup } from "../module.ts";
import type { FuncType, ValueType } from "../sections/value-types.ts";
import { writeValueType } from "../sections/value-types.ts";
import { Assembler, type Helper, helperBody, helperType, memoryGrow, tableGrow, takesBytes } from "./bulk.ts";
import { type CounterName, reservedPrefix } from "./contract.ts";
import type { Appended } from "./emit.ts";
import { type GlobalMove, importOfCounter } from "./shared-counters.ts";

export const names = {
  swapFuel: `${reservedPrefix}swap-fuel`,
  refill: `${reservedPrefix}refill`,
  stack: `${reservedPrefix}stack`,
  start: `${reservedPrefix}start`,
  pages: `${reservedPrefix}pages`,
  elements: `${reservedPrefix}elements`,
} as const;

/** Collects the helpers that the analyser asks for, each once. */
export class Helpers {
  readonly list: Helper[] = [];
  private readonly ids = new Map<number, number>();

  id(operator: number, first: number, second: number): number {
    const key = (operator * firstMax + first) * secondMax + second;
    const known = this.ids.get(key);
    if (known !== undefined) return known;
    this.ids.set(key, this.list.length);
    return this.list.push({ operator, first, second }) - 1;
  }
}

/** More than V8 takes: 10,000,000 segments or tables as the first index, 100,000 tables as the second. Three numbers in one. */
const firstMax = 2 ** 24;
const secondMax = 2 ** 18;

export interface Appendix {
  readonly appended: Appended;
  /** Behind those of the module: the counters, where they are shared. */
  readonly imports: readonly Import[];
  readonly move: GlobalMove;
  readonly types: readonly RecGroup[];
  /** Type index and body of each function. */
  readonly functions: readonly { readonly type: number; readonly body: Uint8Array }[];
  readonly globals: readonly Global[];
  readonly exports: readonly Export[];
  /** Index of the refill table, which is the last. */
  readonly refillTable: number;
}

export interface AppendixInput {
  readonly spaces: IndexSpaces;
  readonly dataSizes: readonly number[];
  readonly elementCounts: readonly number[];
  readonly helpers: readonly Helper[];
  readonly hasStack: boolean;
  readonly sharesCounters: boolean;
  readonly start: number | undefined;
  /** What may be added to memories and tables at the start. */
  readonly pages: number;
  readonly elements: number;
}

export function makeAppendix(input: AppendixInput): Appendix {
  const { spaces, helpers } = input;
  const types = new TypeAppender(spaces.types.length);
  const globals: Global[] = [];
  const imports: Import[] = [];
  const exports: Export[] = [];
  const hidden = (value: number) => {
    globals.push({ type: { value: "i32", isMutable: true }, init: constantExpr(value) });
    return spaces.globals.length + globals.length - 1;
  };
  const own = (name: CounterName, value: number) => {
    const index = hidden(value);
    if (name !== "fuel") exports.push({ name: names[name], kind: "global", index });
    return index;
  };
  const shared = (name: CounterName) => spaces.imported.globals + imports.push(importOfCounter(name)) - 1;
  const counter = input.sharesCounters ? shared : own;
  const fuel = counter("fuel", 0);
  const stack = input.hasStack ? counter("stack", 0) : -1;
  const grows = (operator: number) => helpers.some((helper) => helper.operator === operator);
  const pages = grows(memoryGrow) ? counter("pages", input.pages) : -1;
  const elements = grows(tableGrow) ? counter("elements", input.elements) : -1;
  const aside = !input.sharesCounters && helpers.some(takesBytes) ? hidden(0) : -1;
  const move = { first: spaces.imported.globals, by: imports.length };
  const refillTable = spaces.tables.length;
  exports.push({ name: names.refill, kind: "table", index: refillTable });

  const hostType = types.add({ kind: "func", parameters: [], results: ["i32"] });
  const plainType = types.add({ kind: "func", parameters: [], results: [] });
  const i32Type = types.add({ kind: "func", parameters: ["i32"], results: ["i32"] });
  const first = spaces.functions.length;
  const refillLocal = first;
  const refillGlobal = first + 1;
  const swapFuel = first + 2;
  const chargeLength = first + 3;
  const firstHelper = first + 4;
  if (input.start !== undefined) exports.push({ name: names.start, kind: "func", index: input.start });
  exports.push({ name: names.swapFuel, kind: "func", index: swapFuel });
  const stub = { fuel, stack, refillTable, hostType };
  const { dataSizes, elementCounts } = input;
  const context = { spaces, fuel, aside, refill: refillGlobal, pages, elements, dataSizes, elementCounts };
  const functions = [
    { type: i32Type, body: localStub(stub) },
    { type: plainType, body: callHost(new Assembler(0), stub).finish() },
    aside < 0
      ? { type: i32Type, body: new Assembler(1).globalGet(fuel).get(0).globalSet(fuel).finish() }
      : { type: types.add(twoForOne), body: swapBoth(fuel, aside) },
    { type: i32Type, body: lengthStub(fuel, refillGlobal) },
    ...helpers.map((helper) => ({
      type: types.add(helperType(helper, spaces)),
      body: helperBody(helper, context),
    })),
  ];
  const blocks = new Map<number, Uint8Array>();
  const appended: Appended = {
    fuel,
    stack,
    globalsMovedBy: move.by,
    refillLocal,
    refillGlobal,
    chargeLength,
    helper: (id) => firstHelper + id,
    resultBlock(type) {
      const known = blocks.get(type);
      if (known !== undefined) return known;
      const composite = spaces.types[type]?.composite;
      const block = blockType(composite?.kind === "func" ? composite.results : [], types);
      blocks.set(type, block);
      return block;
    },
  };
  return { appended, imports, move, types: types.groups, functions, globals, exports, refillTable };
}

/** Function types behind those of the module; the same one only once. */
class TypeAppender {
  readonly groups: RecGroup[] = [];
  private readonly first: number;
  private readonly indexes = new Map<string, number>();

  constructor(first: number) {
    this.first = first;
  }

  add(composite: FuncType): number {
    const key = JSON.stringify(composite);
    const known = this.indexes.get(key);
    if (known !== undefined) return known;
    const index = this.first + this.groups.length;
    this.indexes.set(key, index);
    this.groups.push({ isExplicit: false, types: [{ isFinal: true, supertypes: [], composite }] });
    return index;
  }
}

function blockType(results: readonly ValueType[], types: TypeAppender): Uint8Array {
  const writer = new ByteWriter(16);
  const [only] = results;
  if (only === undefined) writer.byte(0x40);
  else if (results.length === 1) writeValueType(writer, only);
  else writer.s32(types.add({ kind: "func", parameters: [], results }));
  return writer.finish();
}

interface Stub {
  readonly fuel: number;
  /** -1 where nothing counts stack slots. */
  readonly stack: number;
  readonly refillTable: number;
  readonly hostType: number;
}

/** 4.8: the trap is raised here, in WebAssembly, since what the host throws a guest can catch. */
function callHost(code: Assembler, { stack, refillTable, hostType }: Stub): Assembler {
  if (stack >= 0) code.globalGet(stack).constant("i32", 0).op("i32.lt_s").if().op("unreachable").end();
  return code.constant("i32", 0).op("call_indirect", hostType, refillTable).if().op("unreachable").end();
}

function localStub(stub: Stub): Uint8Array {
  const code = new Assembler(1).get(0).globalSet(stub.fuel);
  return callHost(code, stub).globalGet(stub.fuel).finish();
}

const twoForOne: FuncType = { kind: "func", parameters: ["i32", "i32"], results: ["i32"] };

/** Neither is ever so large that the sum would not fit. */
function swapBoth(fuel: number, aside: number): Uint8Array {
  const code = new Assembler(2).globalGet(fuel).globalGet(aside).op("i32.add");
  return code.get(0).globalSet(fuel).get(1).globalSet(aside).finish();
}

/** 4.3: unsigned, and never more than 2^30 at once, so that the counter cannot wrap around. */
function lengthStub(fuel: number, refill: number): Uint8Array {
  const most = 2 ** 30;
  const code = new Assembler(1).globalGet(fuel);
  code.get(0).constant("i32", most).get(0).constant("i32", most).op("i32.lt_u").op("select");
  code.op("i32.sub").globalSet(fuel);
  code.globalGet(fuel).constant("i32", 0).op("i32.lt_s").if().call(refill).end();
  return code.get(0).finish();
}

function constantExpr(value: number) {
  const bytes = new ByteWriter(16).byte(0x41).s32(value).byte(0x0b).finish();
  return { bytes, functions: [], globals: [] };
}
