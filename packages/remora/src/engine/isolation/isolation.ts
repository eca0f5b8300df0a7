/**
 * Where a guest runs: on the caller's thread, on a thread of a pool, or in a process of its own. One interface for
 * all three, so that whoever calls a plugin need not know which it is. A level is a wall, and changes neither what a
 * call gives nor how it fails.
 *
 * Terms: a *level* is one of the three; an *isolation* is a level opened, with the threads or processes that it has;
 * a *host function* always runs on the host's thread, whatever the level.
 */

import type { RemoraError } from "../../base/index.ts";
import type { Artifact, InstantiateOptions } from "../artifact.ts";
import type { CallReport, Instance } from "../instance.ts";
import type { CallOptions } from "../limits.ts";

export const isolationLevels = ["inline", "worker", "process"] as const;

export type IsolationLevel = (typeof isolationLevels)[number];

/** A level, opened. Close it after the plugins that run in it. */
export interface Isolation {
  readonly level: IsolationLevel;
  /**
   * Makes a fresh instance and runs its start functions.
   *
   * @throws component/… engine/…  as `Artifact.instantiate`
   */
  instantiate(artifact: Artifact, options: IsolatedOptions): Promise<IsolatedInstance>;
  /** Ends all threads and processes. Calls that run end with `engine/closed`. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface IsolatedOptions extends InstantiateOptions {
  /**
   * Told once when the instance is lost while no call runs in it: its thread was stopped because of another guest, or
   * its process died. A call that runs is told by its own rejection.
   */
  readonly onLost?: (reason: RemoraError) => void;
}

/** What one call, or one batch of calls, cost. */
export interface IsolatedReport extends CallReport {
  /** Milliseconds in the guest and in the host functions that it called; the way there and back is not in it. */
  readonly durationMs: number;
}

/** What a batch gave: results in order, up to the first failure. */
export interface BatchOutcome {
  /** One for each call that was made. An `err` of the world is a `ComponentError` among them, not a failure. */
  readonly results: readonly unknown[];
  /** The call at `index` failed so, and none after it was made. */
  readonly failure: { readonly index: number; readonly error: unknown } | undefined;
  /** Of all calls together. */
  readonly report: IsolatedReport;
}

/** A live guest at some level. Calls of one instance run one after another, in the order in which they were made. */
export interface IsolatedInstance {
  readonly level: IsolationLevel;
  /** The instance itself where it lives on the caller's thread, for hosts that want to call it directly. */
  readonly local: Instance | undefined;
  /** True after a failure by the guest, or when its thread or process is gone: every further call is refused. */
  readonly isPoisoned: boolean;
  /** The code of that; empty before. */
  readonly poison: string;
  /** Of the last call that ended, however it ended. */
  readonly report: IsolatedReport;
  /** Calls of host functions since it was made. */
  readonly hostCalls: number;
  /** Of all calls since it was made, however they ended. */
  readonly spent: { readonly fuelUsed: number; readonly durationMs: number };
  /** As `onceQuiet` of a live instance. Behind a wall what counts are the streams and futures that the host has of it. */
  onceQuiet(act: () => void): boolean;
  /** How many parameters a function has that a core module exports; undefined where there is no such function. */
  parameterCount(name: string): number | undefined;
  /** Whether it exports a function by that name, as `call` takes it. */
  has(path: string | readonly string[]): boolean;
  /**
   * A copy of a piece of the memory that a core module exports as `memory`, as it is between two calls.
   *
   * @returns Undefined when the piece does not lie wholly in it, or is more than 100 MiB; a component shows no memory.
   * @throws engine/… it takes no further call, or is lost meanwhile
   */
  readMemory(at: number, length: number): Promise<Uint8Array | undefined>;
  /**
   * Puts bytes into that memory, between two calls.
   *
   * @returns False, and nothing is written, when they do not lie wholly in it, or are more than 100 MiB.
   * @throws engine/… as `readMemory`
   */
  writeMemory(at: number, bytes: Uint8Array): Promise<boolean>;
  /**
   * Calls an export by name, within a budget of its own.
   *
   * @param path   A function's name, or an interface's and the function's: `["filter", "evaluate"]`.
   * @param args   World values, or numbers and bigints for a core module.
   * @param options What this call may spend, the instance's limits where they say nothing; and a signal that ends it. Behind
   *                a wall every call can be ended: what cannot be asked to end, such as a function of synchronous type,
   *                is ended with its instance.
   * @throws component/no-such-export component/type-mismatch nothing ran
   * @throws component/cancelled the signal was aborted; as with `abortable` of a live instance
   * @throws ComponentError  the world's function gave its `err`
   * @throws engine/…        the guest failed; the instance is poisoned
   * @throws engine/re-entered     while the guest waits for a host function
   */
  call(
    path: string | readonly string[],
    args: readonly unknown[],
    options?: CallOptions,
  ): Promise<{ readonly result: unknown; readonly report: IsolatedReport }>;
  /**
   * Calls one export once for each element of `batch`, each within the budget, in one crossing of the wall. A signal ends
   * all of them.
   *
   * @throws component/no-such-export nothing ran
   */
  callBatch(
    path: string | readonly string[],
    batch: readonly (readonly unknown[])[],
    options?: CallOptions,
  ): Promise<BatchOutcome>;
  /** Lets go of the guest. A call that runs ends with `engine/closed`. */
  close(): void;
}

export const nothingSpent: IsolatedInstance["spent"] = { fuelUsed: 0, durationMs: 0 };

export function spentWith(
  spent: IsolatedInstance["spent"],
  report: IsolatedReport,
): IsolatedInstance["spent"] {
  return {
    fuelUsed: spent.fuelUsed + report.fuelUsed,
    durationMs: spent.durationMs + report.durationMs,
  };
}

export const noReport: IsolatedReport = { fuelUsed: 0, memoryPages: 0, durationMs: 0 };
