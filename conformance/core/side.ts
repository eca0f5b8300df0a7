/**
 * The two ways to run a prepared script: on plain V8, and rewritten and metered. Each step gives an outcome as a
 * string, so that two runs are alike when their lists of strings are.
 *
 * Unlike `InstanceEngine`, the metered side goes on after a trap, as the scripts want: a trap poisons nothing here. All
 * modules of a script share one meter, or have one each when their counters are their own.
 */

import { isRemoraError } from "remora/base";
import { counterModule, type MeterOptions, reservedPrefix } from "remora/wasm";
import type { CoreExtern, CoreFunction, CoreImports } from "../../packages/remora/src/component/core.ts";
import { compileRewritten, rewriteChecked } from "../../packages/remora/src/engine/compile.ts";
import { Meter } from "../../packages/remora/src/engine/meter.ts";
import {
  type WasmGlobal,
  type WasmMemory,
  webAssembly,
} from "../../packages/remora/src/engine/webassembly.ts";
import { meterSteps } from "../../packages/remora/src/wasm/metering/meter-module.ts";
import type { NumberType, Prepared, Step } from "./prepare.ts";
import type { Action } from "./script.ts";

type Exports = Readonly<Record<string, CoreExtern>>;

export interface Side {
  /** Instantiates and runs the start function. What it throws becomes an outcome. */
  instantiate(bytes: Uint8Array, imports: CoreImports): Exports;
  /** Runs one action. */
  call<Result>(work: () => Result): Result;
  /** Whether the trap just thrown was this side's way to say that the stack is spent. */
  isStackSpent(): boolean;
  /** Fuel of the last call, where it is counted. */
  readonly fuelUsed: number | undefined;
  /** A call did not end within its fuel: nothing runs any more. */
  readonly isDead: boolean;
}

export interface Variant {
  readonly name: string;
  readonly options: MeterOptions;
  readonly sliceUnits?: number;
  /** The profile makes NaN canonical: the comparison has to as well. */
  readonly isCanonical: boolean;
  /** Fuel of each call; practically without end when absent. */
  readonly fuelMax?: number;
}

export function plainSide(): Side {
  return {
    instantiate: (bytes, imports) => new webAssembly.Instance(new webAssembly.Module(bytes), imports).exports,
    call: (work) => work(),
    isStackSpent: () => false,
    fuelUsed: undefined,
    isDead: false,
  };
}

export function meteredSide(variant: Variant): Side {
  const { options, sliceUnits } = variant;
  const stackSlotsMax = 30_000;
  const limits = {
    memoryPagesMax: options.memoryPagesMax,
    tableElementsMax: options.tableElementsMax,
    stackSlotsMax,
  };
  const sharesCounters = options.sharesCounters ?? false;
  const newMeter = () =>
    new Meter({ limits, sharesCounters, ...(sliceUnits !== undefined && { sliceUnits }) });
  const meters: Meter[] = sharesCounters ? [newMeter()] : [];
  const stacks: WasmGlobal[] = sharesCounters ? sharedStack(meters) : [];
  const budget = { fuelMax: variant.fuelMax ?? 1e12, deadlineMs: 600_000 };
  let depth = 0;
  const call = <Result>(work: () => Result): Result => {
    // A start function may be run inside an action, through an import.
    if (depth > 0) return work();
    for (const stack of stacks) stack.value = stackSlotsMax;
    for (const meter of meters) meter.begin(budget);
    depth++;
    try {
      return work();
    } finally {
      depth--;
      for (const meter of meters) meter.end();
    }
  };
  return {
    instantiate(bytes, imports) {
      const origin = { plugin: "suite", digest: "" };
      const { bytes: rewritten, ...facts } = rewriteChecked(bytes, origin, options, meterSteps);
      const meter = sharesCounters ? (meters[0] ?? newMeter()) : newMeter();
      const instance = new webAssembly.Instance(compileRewritten(rewritten, facts, origin).module, {
        ...imports,
        ...(meter.counters !== undefined && { [counterModule]: meter.counters }),
      });
      meter.attach(instance, facts.injected, facts.stackSlotsUncounted);
      if (!sharesCounters) {
        meters.push(meter);
        // An instance made inside of an action counts in it.
        if (depth > 0) meter.begin(budget);
      }
      const { stack, start } = facts.injected;
      // The rewriter promises these types.
      if (stack !== undefined) stacks.push(instance.exports[stack] as WasmGlobal);
      if (start !== undefined) call(instance.exports[start] as () => void);
      const own = Object.entries(instance.exports).filter(([name]) => !name.startsWith(reservedPrefix));
      return Object.fromEntries(own);
    },
    call,
    isStackSpent: () => meters.some((meter) => meter.stack.isSpent),
    get fuelUsed() {
      return meters.reduce((sum, meter) => sum + meter.fuelUsed, 0);
    },
    get isDead() {
      return meters.some((meter) => meter.dead !== undefined);
    },
  };
}

function sharedStack(meters: readonly Meter[]): WasmGlobal[] {
  return meters.flatMap(({ counters }) => counters?.stack ?? []);
}

export interface Run {
  readonly outcomes: readonly string[];
  /** Of each action that returned. */
  readonly fuel: readonly (number | undefined)[];
}

export function runScript(script: Prepared, side: Side, isCanonical: boolean): Run {
  const imports: CoreImports = { spectest: spectest() };
  const instances = new Map<number, Exports>();
  const callers = new Map<number, Exports>();
  const fuel: (number | undefined)[] = [];
  const outcomes = script.steps.map((step, index) => {
    try {
      return run(step, index);
    } catch (error) {
      return describeFailure(error, side);
    }
  });
  return { outcomes, fuel };

  function run(step: Step, index: number): string {
    switch (step.kind) {
      case "skip":
        return "skipped";
      case "instantiate":
        instances.set(index, side.instantiate(step.bytes, imports));
        return "instantiated";
      case "reject":
        side.instantiate(step.bytes, imports);
        return "accepted";
      case "register": {
        const exports = instances.get(step.instance);
        if (exports !== undefined) imports[step.as] = exports;
        return exports === undefined ? "no instance" : "registered";
      }
      case "action": {
        const exports = instances.get(step.instance);
        if (exports === undefined) return "no instance";
        const { way } = step;
        if (way.by === "javascript")
          return side.call(() => throughJavaScript(exports, way.action, way.field));
        const caller = callerFor(step.instance, exports);
        side.call(caller[way.name] as () => void);
        fuel[index] = side.fuelUsed;
        return `returned ${readResults(caller.out as WasmMemory, way.results, isCanonical)}`;
      }
    }
  }

  function callerFor(instance: number, exports: Exports): Exports {
    let caller = callers.get(instance);
    if (caller !== undefined) return caller;
    const step = script.steps[instance];
    const bytes = step?.kind === "instantiate" ? step.caller : undefined;
    if (bytes === undefined) throw new Error("No caller was prepared");
    caller = new webAssembly.Instance(new webAssembly.Module(bytes), { m: exports }).exports;
    callers.set(instance, caller);
    return caller;
  }
}

/**
 * Whether two outcomes are the same. The strict profile makes NaN canonical: of a vector nobody knows how its lanes
 * are meant, so that a lane which is NaN in both, read as f32 or as f64, is alike.
 */
export function areAlike(plain: string, metered: string, isCanonical: boolean): boolean {
  if (plain === metered) return true;
  if (!isCanonical || !plain.startsWith("returned ") || !metered.startsWith("returned ")) return false;
  const [a, b] = [plain.split(" "), metered.split(" ")];
  return a.length === b.length && a.every((value, index) => areAlikeVectors(value, b[index] ?? ""));
}

function areAlikeVectors(a: string, b: string): boolean {
  if (a === b) return true;
  if (a.length !== 32 || b.length !== 32) return false;
  const [x, y] = [a, b].map((hex) => new DataView(Uint8Array.from(Buffer.from(hex, "hex")).buffer));
  if (x === undefined || y === undefined) return false;
  const isSame32 = (at: number) =>
    x.getUint32(at, true) === y.getUint32(at, true) ||
    (Number.isNaN(x.getFloat32(at, true)) && Number.isNaN(y.getFloat32(at, true)));
  const isNan64 = (at: number) =>
    Number.isNaN(x.getFloat64(at, true)) && Number.isNaN(y.getFloat64(at, true));
  return [0, 8].every((at) => (isSame32(at) && isSame32(at + 4)) || isNan64(at));
}

function describeFailure(error: unknown, side: Side): string {
  if (isRemoraError(error))
    return error.code === "engine/invalid-module" ? "invalid" : `refused ${error.code}`;
  if (error instanceof webAssembly.CompileError) return "invalid";
  if (error instanceof webAssembly.LinkError) return "unlinkable";
  if (error instanceof webAssembly.RuntimeError) {
    return side.isStackSpent() ? "stack spent" : `trapped: ${error.message}`;
  }
  if (error instanceof webAssembly.Exception) return "threw";
  if (error instanceof RangeError && error.message.includes("call stack")) return "stack spent";
  if (error instanceof TypeError && error.message.includes("Import #")) return "unlinkable";
  return `failed: ${String(error).split("\n")[0]}`;
}

const bytesOfType: Record<NumberType, number> = { i32: 4, i64: 8, f32: 4, f64: 8, v128: 16 };

function readResults(memory: WasmMemory, results: readonly NumberType[], isCanonical: boolean): string {
  const view = new DataView(memory.buffer);
  return results
    .map((type, index) => {
      const at = 16 * index;
      // Both runs are made canonical alike; what the strict profile itself does to the bits is then invisible,
      // and that it does it is tested where it is built.
      if (isCanonical && type === "f32" && Number.isNaN(view.getFloat32(at, true))) return "nan";
      if (isCanonical && type === "f64" && Number.isNaN(view.getFloat64(at, true))) return "nan";
      return Buffer.from(memory.buffer, at, bytesOfType[type]).toString("hex");
    })
    .join(" ");
}

const hostReferences: object[] = [];

function hostReference(number: number): object {
  hostReferences[number] ??= Object.freeze({ number });
  return hostReferences[number] as object;
}

function throughJavaScript(exports: Exports, action: Action, field: string): string {
  const item = exports[field];
  if (action.kind === "get") return `got ${describeValue((item as WasmGlobal | undefined)?.value)}`;
  if (typeof item !== "function") return "no such function";
  const result: unknown = (item as CoreFunction)(...action.args.map(argument));
  return `returned ${Array.isArray(result) ? result.map(describeValue).join(" ") : describeValue(result)}`;
}

/** A constant of the script as a JavaScript value. */
function argument(text: string): unknown {
  const [, type = "", value = ""] = /^\(\s*(\S+?)\s*(?:\s(.*?))?\s*\)$/s.exec(text) ?? [];
  const digits = value.replaceAll("_", "");
  if (type === "i64.const") return digits.startsWith("-") ? -BigInt(digits.slice(1)) : BigInt(digits);
  if (type === "i32.const")
    return Number(BigInt.asIntN(32, digits.startsWith("-") ? -BigInt(digits.slice(1)) : BigInt(digits)));
  if (type === "ref.extern" || type === "ref.host") return hostReference(Number(digits));
  if (type === "ref.null") return null;
  // A decimal float, or NaN: the text format's other spellings occur only beside numbers, which go by a caller.
  return Number(digits);
}

function describeValue(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return Object.is(value, -0) ? "-0" : String(value);
  const number = hostReferences.indexOf(value);
  return number >= 0 ? `host ${number}` : "an object";
}

/** The module that scripts may import (core specification, test suite, "spectest"). */
function spectest(): Record<string, CoreExtern> {
  const print = () => {};
  const { Global, Memory, Table } = webAssembly;
  // Tables and memories with 64-bit addresses take bigints, which our declarations leave out.
  const table64 = { element: "anyfunc", initial: 10n, maximum: 20n, address: "i64" } as unknown as {
    element: string;
    initial: number;
  };
  return {
    print,
    print_i32: print,
    print_i64: print,
    print_f32: print,
    print_f64: print,
    print_i32_f32: print,
    print_f64_f64: print,
    global_i32: new Global({ value: "i32" }, 666),
    global_i64: new Global({ value: "i64" }, 666n),
    global_f32: new Global({ value: "f32" }, 666.6),
    global_f64: new Global({ value: "f64" }, 666.6),
    table: new Table({ element: "anyfunc", initial: 10, maximum: 20 }),
    table64: new Table(table64),
    memory: new Memory({ initial: 1, maximum: 2 }),
    shared_memory: new Memory({ initial: 1, maximum: 2, shared: true }),
  };
}
