/**
 * `node fuzz/components.ts --count N --seed S`: components with bytes changed, cut out or doubled, loaded, instantiated
 * and called as any plugin is, with limits on and with values of all sorts, those of the asynchronous ABI too. Each must end
 * with a result or an error that has a code, soon and in little memory; and when it is closed, nothing waits for it any more. Each is known by its seed; one that ever failed goes into `kept.json`.
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
import { askingBytes, streamingBytes } from "../packages/remora/src/engine/testing/async-guests.test.ts";
import { echoing } from "../packages/remora/src/engine/testing/wide-guests.test.ts";
import { malformedModule } from "./malformed.ts";
import { randomBytes } from "./random-modules.ts";

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
  return [
    await filterGuest(),
    await lazyGuest(),
    await counterGuest(),
    askingBytes,
    streamingBytes,
    await echoing("utf8"),
  ];
}

export async function judgeComponent(seeds: readonly Uint8Array[], seed: number): Promise<Verdict> {
  const sound = seeds[seed % seeds.length] ?? new Uint8Array(0);
  // What is changed in many places is mostly refused; one byte may change what runs.
  const bytes = seed % 5 === 0 ? malformedModule(sound, seed) : oneByteChanged(sound, seed);
  const started = performance.now();
  const verdict = await judge(bytes, seed);
  const ms = performance.now() - started;
  return ms > caseMsMax ? { kind: "wrong", what: `${Math.round(ms)} ms` } : verdict;
}

function oneByteChanged(sound: Uint8Array, seed: number): Uint8Array {
  const [high = 0, middle = 0, low = 0, value = 0] = randomBytes(seed ^ 0xb17e, 4);
  const changed = sound.slice();
  changed[((high << 16) | (middle << 8) | low) % sound.length] = value;
  return changed;
}

async function judge(bytes: Uint8Array, seed: number): Promise<Verdict> {
  try {
    const artifact = openArtifact(bytes, { plugin: "fuzz", cache: new CompileCache() });
    if (artifact.kind === "module") return { kind: "refused", code: "a module" };
    const imports = Object.fromEntries(
      Array.from(artifact.component.imports, ([name, type]) => [name, importOf(type)] as const),
    );
    using instance = artifact.instantiate({ imports: imports as Record<string, never>, limits });
    const readers: Promise<void>[] = [];
    const calls = await callAll(instance.exports, seed, readers);
    instance.close();
    await Promise.all(readers);
    return { kind: "called", calls };
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
  if (type.kind !== "func") return Message;
  // At once and later, by turns.
  let isLater = false;
  return () => {
    isLater = !isLater && type.type.isAsync;
    return isLater ? Promise.resolve(1) : 1;
  };
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
  ...[Promise.resolve(7), streamOf(new Uint8Array(5), new Uint8Array(0)), streamOf("a", "grün", 1)],
];

function streamOf(...items: readonly unknown[]): AsyncIterable<unknown> {
  return {
    async *[Symbol.asyncIterator]() {
      yield* items;
    },
  };
}

/**
 * Calls every function with values that mostly do not fit, and with some that do.
 *
 * @param readers Of the streams that it got; they come to an end when the instance is closed at the latest.
 */
async function callAll(exports: object, seed: number, readers: Promise<void>[]): Promise<number> {
  let calls = 0;
  for (const item of Object.values(exports)) {
    if (typeof item === "object" && item !== null) calls += await callAll(item, seed, readers);
    if (typeof item !== "function") continue;
    for (let round = 0; round < values.length; round++) {
      const args = Array.from({ length: 3 }, (_, index) => values[(round + index * seed) % values.length]);
      calls++;
      await expected(async () => {
        const result: unknown = await item(...args);
        if (typeof result === "object" && result !== null && Symbol.asyncIterator in result)
          readers.push(expected(() => readSome(result as AsyncIterable<unknown>))); // As just seen.
      });
    }
  }
  return calls;
}

async function readSome(stream: AsyncIterable<unknown>): Promise<void> {
  let left = 3;
  for await (const _ of stream) if (--left === 0) return;
}

async function expected(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!isExpected(error)) throw error;
  }
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
    const verdict = await judgeComponent(seeds, seed);
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
