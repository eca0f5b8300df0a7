/** How late a deadline of one millisecond is noticed, by every kind of loop that a guest can run. */

import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import type { CoreFunction } from "../../packages/remora/src/component/core.ts";
import { CompileCache, compileRequest } from "../../packages/remora/src/engine/compile-cache.ts";
import { InstanceEngine } from "../../packages/remora/src/engine/core-engine.ts";
import { defaultLimits } from "../../packages/remora/src/engine/limits.ts";
import { meterOptions } from "./loaders.ts";

const deadlineMs = 1;
const trials = 60;
const attemptsMax = 20 * trials;

/** Bodies of a function with an i32 local. */
const loops: Readonly<Record<string, string>> = {
  branch: "(loop $l (br $l))",
  arithmetic:
    "(loop $l (local.set 0 (i32.add (i32.mul (local.get 0) (i32.const 31)) (i32.const 7))) (br $l))",
  division: "(loop $l (drop (i64.div_u (i64.load (i32.const 8)) (i64.const 3))) (br $l))",
  "cache misses":
    "(loop $l (local.set 0 (i32.and (i32.add (i32.mul (local.get 0) (i32.const 1103515245)) (i32.const 12345)) (i32.const 0x3fffffc))) (drop (i32.load (local.get 0))) (br $l))",
  "page touches":
    "(loop $l (i32.store (local.get 0) (i32.const 1)) (local.set 0 (i32.and (i32.add (local.get 0) (i32.const 4096)) (i32.const 0x3ffffff))) (br $l))",
  recursion: "(loop $l (drop (call $fib (i32.const 24))) (br $l))",
  "host calls": "(loop $l (call $host) (br $l))",
  "memory.grow 0": "(loop $l (drop (memory.grow (i32.const 0))) (br $l))",
  "memory.grow 1": "(loop $l (drop (memory.grow (i32.const 1))) (br $l))",
  "memory.fill": "(loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const 0x3ff0000)) (br $l))",
  "memory.copy down": "(loop $l (memory.copy (i32.const 0) (i32.const 4096) (i32.const 0x3ff0000)) (br $l))",
  "memory.copy up": "(loop $l (memory.copy (i32.const 4096) (i32.const 0) (i32.const 0x3ff0000)) (br $l))",
  "table.fill": "(loop $l (table.fill $t (i32.const 0) (ref.null func) (i32.const 10000)) (br $l))",
  "table.copy": "(loop $l (table.copy $t $t (i32.const 1) (i32.const 0) (i32.const 9000)) (br $l))",
  "table.grow": "(loop $l (drop (table.grow $t (ref.null func) (i32.const 1))) (br $l))",
};

export interface Lateness {
  readonly name: string;
  readonly medianMs: number;
  readonly p99Ms: number;
}

export interface LatenessReport {
  readonly p99Ms: number;
  readonly medianMs: number;
  /** Trials that were repeated because the system took the processor away. */
  readonly disturbed: number;
  readonly loops: readonly Lateness[];
}

export async function latenessOfLoops(): Promise<LatenessReport> {
  const cache = new CompileCache();
  const limits = {
    ...defaultLimits,
    memoryPagesMax: 2_048,
    tableElementsMax: 100_000,
    fuelMax: Infinity,
    deadlineMs,
  };
  const { memoryPagesMax, tableElementsMax } = limits;
  const request = compileRequest("loop", { ...meterOptions("fuel"), memoryPagesMax, tableElementsMax });
  const all: number[] = [];
  const rows: Lateness[] = [];
  let disturbed = 0;
  for (const [name, body] of Object.entries(loops)) {
    const module =
      await parse(`(module (import "host" "f" (func $host)) (memory 1024) (table $t 10000 funcref)
      (func $fib (param i32) (result i32) (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0))
        (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
      (func (export "run") (local i32) ${body}))`);
    const late: number[] = [];
    for (let attempt = 0; late.length < trials && attempt < attemptsMax; attempt++) {
      const switchesBefore = process.resourceUsage().involuntaryContextSwitches;
      using engine = new InstanceEngine({ cache, request, limits });
      const { exports } = engine.instantiate(module, { host: { f: () => {} } });
      engine.enter();
      const start = performance.now();
      try {
        (exports.run as CoreFunction)();
      } catch {
        // It must not end otherwise than by its deadline; `fail` below says by what.
      }
      const lateMs = performance.now() - start - deadlineMs;
      const { code } = engine.fail(undefined);
      if (code !== "engine/deadline") throw new Error(`${name} ended by ${code}`);
      // Nobody can look at a clock while another program has the processor: that trial says nothing.
      if (process.resourceUsage().involuntaryContextSwitches > switchesBefore) disturbed++;
      else late.push(lateMs);
    }
    if (late.length < trials) throw new Error(`${name}: the machine is too busy to measure`);
    all.push(...late);
    rows.push({ name, medianMs: percentile(late, 0.5), p99Ms: percentile(late, 0.99) });
  }
  return { p99Ms: percentile(all, 0.99), medianMs: percentile(all, 0.5), disturbed, loops: rows };
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
