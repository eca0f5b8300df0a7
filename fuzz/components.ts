/**
 * `node fuzz/components.ts --count N --seed S`: components with bytes changed, cut out or doubled, loaded, instantiated
 * and called as any plugin is, with limits on and with values of all sorts. Each must end with a result or an error that
 * has a code, soon and in little memory. Each is known by its seed; one that ever failed goes into `kept.json`.
 */

import { parseArgs } from "node:util";
import { isRemoraError } from "remora/base";
import { ComponentError, type ExternType } from "remora/component";
import { CompileCache, defaultLimits, openArtifact } from "remora/engine";
import {
  counterGuest,
  filterGuest,
  lazyGuest,
} from "../packages/remora/src/component/testing/guests.test.ts";
import { malformedModule } from "./malformed.ts";

export type Verdict =
  | { readonly kind: "refused"; readonly code: string }
  | { readonly kind: "called"; readonly calls: number }
  | { readonly kind: "wrong"; readonly what: string };

/** What one case may take, of a machine that others use as well; a sound one takes some milliseconds. */
const caseMsMax = 5_000;
/** What the process may grow by over all cases, which run one after another. */
export const growthBytesMax = 256 * 1024 * 1024;

const limits = { ...defaultLimits, fuelMax: 200_000, deadlineMs: 50, memoryPagesMax: 256 };

export async function componentSeeds(): Promise<readonly Uint8Array[]> {
  return [await filterGuest(), await lazyGuest(), await counterGuest()];
}

export function judgeComponent(seeds: readonly Uint8Array[], seed: number): Verdict {
  const bytes = malformedModule(seeds[seed % seeds.length] ?? new Uint8Array(0), seed);
  const started = performance.now();
  const verdict = judge(bytes, seed);
  const ms = performance.now() - started;
  return ms > caseMsMax ? { kind: "wrong", what: `${Math.round(ms)} ms` } : verdict;
}

function judge(bytes: Uint8Array, seed: number): Verdict {
  try {
    const artifact = openArtifact(bytes, { plugin: "fuzz", cache: new CompileCache() });
    if (artifact.kind === "module") return { kind: "refused", code: "a module" };
    const imports = Object.fromEntries(
      Array.from(artifact.component.imports, ([name, type]) => [name, importOf(type)] as const),
    );
    using instance = artifact.instantiate({ imports: imports as Record<string, never>, limits });
    return { kind: "called", calls: callAll(instance.exports, seed) };
  } catch (error) {
    return isRemoraError(error)
      ? { kind: "refused", code: error.code }
      : { kind: "wrong", what: String((error as Error)?.stack ?? error) };
  }
}

/** Something that links, whether or not its results fit. */
function importOf(type: ExternType): unknown {
  if (type.kind === "instance") {
    const members = Array.from(type.exports, ([name, item]) => [member(name), importOf(item)] as const);
    return { ...Object.fromEntries(members), Message };
  }
  return type.kind === "func" ? () => 1 : Message;
}

/** `[method]message.lat` is found at the class. */
function member(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

class Message {
  lat(): number {
    return 1;
  }
  lon(): number {
    return 2;
  }
}

const message = { cotType: "a", uid: "grün", lat: 1, lon: 2, time: "x".repeat(100) };
const values: readonly unknown[] = [
  ...[0, 1, 1.5, 5n, true, "x", "\ud800", undefined],
  ...[[], [1, 2], new Uint8Array(10), {}, { tag: "a" }, message, [message], new Message()],
];

/** Calls every function with values that mostly do not fit, and with some that do. */
function callAll(exports: object, seed: number): number {
  let calls = 0;
  for (const item of Object.values(exports)) {
    if (typeof item === "object" && item !== null) calls += callAll(item, seed);
    if (typeof item !== "function") continue;
    for (let round = 0; round < values.length; round++) {
      const args = Array.from({ length: 3 }, (_, index) => values[(round + index * seed) % values.length]);
      calls++;
      try {
        item(...args);
      } catch (error) {
        if (!isExpected(error)) throw error;
      }
    }
  }
  return calls;
}

/** An error with a code, what a guest gives as the error of a result, or a class that is not to be called like that. */
function isExpected(error: unknown): boolean {
  if (isRemoraError(error) || error instanceof ComponentError) return true;
  return error instanceof TypeError && /constructor/i.test(error.message);
}

if (import.meta.main) {
  const { values: given } = parseArgs({
    options: {
      count: { type: "string", default: "1000" },
      seed: { type: "string", default: "1" },
    },
  });
  const seeds = await componentSeeds();
  const before = process.memoryUsage.rss();
  const totals = { components: 0, refused: 0, called: 0, calls: 0, wrong: 0, grownMb: 0 };
  const first = Number(given.seed);
  for (let seed = first; seed < first + Number(given.count); seed++) {
    const verdict = judgeComponent(seeds, seed);
    totals.components++;
    totals[verdict.kind]++;
    if (verdict.kind === "called") totals.calls += verdict.calls;
    if (verdict.kind === "wrong") console.error(`seed ${seed}: ${verdict.what}`);
    // What was closed is collected between turns of the event loop.
    if (seed % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  totals.grownMb = Math.round((process.memoryUsage.rss() - before) / 1_048_576);
  console.log(JSON.stringify(totals));
  if (totals.wrong > 0) process.exitCode = 1;
}
