/**
 * What the component layer needs of an engine. The layer itself never names `WebAssembly`: it sees core
 * functions, memories, tables and globals as values that it passes on, and memory as a buffer.
 */

import type { RemoraError } from "../base/index.ts";

/** A function exported by a core instance, or a host function for one. */
// biome-ignore lint/suspicious/noExplicitAny: its signature is known from the decoded module, not to TypeScript
export type CoreFunction = (...args: any[]) => any;

/** A linear memory. `buffer` is replaced when it grows, so a view is checked after each call into the guest. */
export interface CoreMemory {
  readonly buffer: ArrayBuffer;
}

/** A table, a global or a tag: only passed on. */
export type CoreOpaque = object;

export type CoreExtern = CoreFunction | CoreMemory | CoreOpaque;

export type CoreImports = Record<string, Record<string, CoreExtern>>;

export interface CoreInstance {
  /** The guest's own exports and nothing that the engine added. */
  readonly exports: Readonly<Record<string, CoreExtern>>;
}

/** Strings between JavaScript and linear memory, by the fastest means of the platform. */
export interface TextCodec {
  /** Writes `text` as UTF-8 at `at`; returns the number of bytes. The caller made room for `utf8Length(text)`. */
  encodeUtf8(text: string, into: Uint8Array, at: number): number;
  /** Bytes that `text` takes in UTF-8, a lone surrogate counted as U+FFFD. */
  utf8Length(text: string): number;
  /** Whether decoding is faster than a loop even for a few characters. Left out: it is not. */
  readonly decodesShort?: boolean;
  /** Strict: returns undefined when the bytes are not UTF-8. */
  decodeUtf8(from: Uint8Array, at: number, length: number): string | undefined;
  decodeUtf16(from: Uint8Array, at: number, codeUnits: number): string;
  decodeLatin1(from: Uint8Array, at: number, length: number): string;
}

/** A core value of the canonical ABI: i64 is a bigint, everything else a number. */
export type Flat = number | bigint;

export type CoreValue = "i32" | "i64" | "f32" | "f64";

export interface CoreSignature {
  readonly params: readonly CoreValue[];
  /** At most one. */
  readonly results: readonly CoreValue[];
}

/** How guests wait for the host without keeping its thread: an engine has it where the platform can put a stack aside. */
export interface CoreWaiting {
  /**
   * An import made of a function that gives its result or a promise of it. The guest waits for the promise; whoever
   * gives one has made sure that it is on a stack of its own, with no other function of the host between. A
   * promise that rejects ends the guest's call.
   */
  importOf(body: CoreFunction, signature: CoreSignature): CoreFunction;
  /**
   * A guest function that runs on a stack of its own each time. `onReturn` is called when it has returned, before
   * the promise is settled, and must not throw; the promise rejects when it traps.
   */
  entryOf(
    core: CoreFunction,
    signature: CoreSignature,
    onReturn: (result: Flat | undefined) => void,
  ): (...args: Flat[]) => Promise<void>;
  /** Called when the call gives up its thread though it could go on, and time may end it. */
  wait(): void;
  /** Called when nothing of the call can go on before the host has done something. */
  rest(): void;
  /** Called when it goes on after either. */
  resume(): void;
  /**
   * Called when nobody wants the result of the running call any more: it is ended soon if it does not end before.
   *
   * @param reason Cause of the `component/cancelled` that it ends with.
   * @param graceMs How soon. Default: a tenth of a second.
   */
  hurry(reason: unknown, graceMs?: number): void;
  /** Called when a call that may have waited has its result, before `CoreEngine.leave`. */
  settle(): void;
  /**
   * Called in the place of `CoreEngine.enter` before a guest goes on that has no call: on what fuel the last one left,
   * and with the deadline anew.
   */
  goOn(): void;
  /**
   * Called when guest code goes on on another stack, a fresh one or one with `left` of its room, and when it is back;
   * gives what is left on the stack before.
   */
  swapStack(left: number | undefined): number;
  /** Lets everything else happen that the host has to do. */
  turn(): Promise<void>;
  /** Called when the instance dies without that any code of it runs. */
  onDeath: () => void;
}

/** Runs modules that this layer wrote itself: they are not metered, since no guest has a say in them. */
export interface RoutineEngine {
  /** How often an instance goes without, since making one costs as much as so many uses save. */
  readonly usesBefore: number;
  /**
   * Compiles the module (once), with V8's string functions for its imports from `wasm:js-string`, and gives the exports
   * of an instance; undefined where the platform does not have these, or takes the imports for others than declared.
   */
  instantiate(module: Uint8Array, imports: CoreImports): CoreInstance["exports"] | undefined;
}

/** One instance's view of its engine; all core modules of a component share it and its one budget. */
export interface CoreEngine {
  readonly text: TextCodec;
  /** Where it can run what this layer writes; without, everything is done in JavaScript. */
  readonly routines?: RoutineEngine;
  /**
   * Rewrites (once per digest), compiles (once), instantiates, and runs the start function as the first
   * metered call.
   */
  instantiate(module: Uint8Array, imports: CoreImports): CoreInstance;
  /**
   * Ends the running guest call with this error. The guest cannot catch it: a trap is raised inside
   * WebAssembly and the error is what the caller of the export gets.
   */
  abort(error: RemoraError): never;
  /**
   * Called before arguments are lowered; sets the budget. Throws when the instance is poisoned, closed or
   * already inside a call.
   */
  enter(): void;
  /** Called after the result is lifted and post-return ran; settles the account. Throws `out-of-fuel`. */
  leave(): void;
  /**
   * Called with whatever was thrown between `enter` and `leave` when that poisons the instance; gives back
   * what the caller shall see.
   */
  fail(error: unknown): unknown;
  /** True when nothing can enter the instance any more; what lives in it is gone. */
  readonly isPoisoned?: boolean;
  readonly isClosed?: boolean;
  /** Called before and after a host function that is marked as slow; see `slow-host.ts`. */
  beforeSlowHost?(): void;
  afterSlowHost?(): void;
  /** Called now and then in the middle of something long that is done for a running guest: throws when its time is over. */
  mustBeInTime?(): void;
  /** Undefined where guests cannot wait. */
  readonly waiting?: CoreWaiting | undefined;
  /** Called instead of `fail` when an argument did not fit its type before any guest code ran. */
  cancel(): void;
}
