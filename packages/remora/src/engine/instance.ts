/**
 * A live guest. Its exports are functions that set the budget, lower their arguments, run the guest, lift the
 * result and settle the account; after the first failure by the guest it is poisoned and takes no further call.
 */

import { isRemoraError } from "../base/index.ts";
import { callWhileWanted } from "../component/async/abortable.ts";
import {
  type ComponentExports,
  type CoreFunction,
  type CoreInstance,
  type CoreMemory,
  exportedFunction,
  type ComponentInstance as LinkedComponent,
} from "../component/index.ts";
import type { InstanceEngine } from "./core-engine.ts";
import { withCanonicalArguments } from "./host-nan.ts";
import type { Budget, CallOptions } from "./limits.ts";
import type { ModuleWaiting } from "./module-waiting.ts";

/** What one call cost. */
export interface CallReport {
  /** WebAssembly instructions, in wasmtime's units; after a trap of the guest's own about what it used. */
  readonly fuelUsed: number;
  /** Pages of 64 KiB that all memories have now. */
  readonly memoryPages: number;
}

export type Instance = ComponentInstance | ModuleInstance;

abstract class LiveInstance {
  protected readonly engine: InstanceEngine;

  constructor(engine: InstanceEngine) {
    this.engine = engine;
  }

  /** True after a failure by the guest: every further call is refused. */
  get isPoisoned(): boolean {
    return this.engine.isPoisoned;
  }

  /** The code of that failure; empty before. */
  get poison(): string {
    return this.engine.poison;
  }

  get isClosed(): boolean {
    return this.engine.isClosed;
  }

  /** Fuel of the last call. */
  get fuelUsed(): number {
    return this.engine.fuelUsed;
  }

  /** Of all calls since it was made. */
  get fuelSpent(): number {
    return this.engine.fuelSpent;
  }

  /** Calls of host functions since it was made, those of a component's own parts among each other included. */
  get hostCalls(): number {
    return this.engine.hostCalls;
  }

  /** Of the last call. */
  get report(): CallReport {
    return { fuelUsed: this.engine.fuelUsed, memoryPages: this.engine.memoryPages };
  }

  /**
   * Calls an export by name, within a budget of its own.
   *
   * @param path   A function's name, or an interface's and the function's: `["filter", "evaluate"]`.
   * @param args   World values, or numbers and bigints for a core module.
   * @param budget What this call may spend; the instance's limits where it says nothing.
   * @throws component/no-such-export the path leads to no function; with a near name
   * @throws engine/…              the guest failed; the instance is poisoned
   * @throws component/type-mismatch an argument does not fit; nothing ran
   */
  call(path: string | readonly string[], args: readonly unknown[], budget: Partial<Budget> = {}) {
    const result: unknown = this.#within(budget, this.#exported(path), args);
    return { result, report: this.report };
  }

  /**
   * The same for an export that gives a promise, as all do when a host function is asynchronous.
   *
   * @param options The budget, and a signal that ends the call: see `abortable`. It keeps a call that gives its result
   *                at once from beginning.
   * @throws engine/re-entered   another call is running, or waits
   * @throws component/cancelled the signal was aborted
   */
  async callAsync(
    path: string | readonly string[],
    args: readonly unknown[],
    options: CallOptions = {},
  ): Promise<{ readonly result: unknown; readonly report: CallReport }> {
    const { signal, ...budget } = options;
    const target = this.#exported(path);
    const called: CoreFunction =
      signal === undefined ? target : (...given) => callWhileWanted(target, given, signal);
    // The budget is taken when the call begins; what it cost is known when its promise is settled.
    const result: unknown = await this.#within(budget, called, args);
    return { result, report: this.report };
  }

  #exported(path: string | readonly string[]): CoreFunction {
    return exportedFunction({ exports: this.exports }, ...(typeof path === "string" ? [path] : path));
  }

  #within(budget: Partial<Budget>, target: CoreFunction, args: readonly unknown[]): unknown {
    const before = this.engine.budget;
    this.engine.budget = { ...before, ...budget };
    try {
      return target(...args);
    } finally {
      this.engine.budget = before;
    }
  }

  /** @throws engine/poisoned engine/closed engine/re-entered it takes no call now */
  mustBeIdle(): void {
    this.engine.mustBeIdle();
  }

  /**
   * Calls back, once, when nothing goes on behind the results of its calls: a guest may go on after its result, and the host
   * may have a stream or a future of it. Not after `close`.
   *
   * @returns False, and nothing is called back, when that is so now.
   */
  onceQuiet(_: () => void): boolean {
    return false;
  }

  /** Lets go of the guest; a call that still runs is stopped at its next check. */
  close(): void {
    this.engine.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Whether it exports a function by that name, as `call` takes it. */
  has(path: string | readonly string[]): boolean {
    try {
      this.#exported(path);
      return true;
    } catch (error) {
      if (isRemoraError(error, "component/no-such-export")) return false;
      throw error;
    }
  }

  abstract readonly exports: Readonly<Record<string, unknown>>;

  /** Whether all exports give promises, as they do when a host function is asynchronous. */
  abstract readonly isPromised: boolean;
}

export class ComponentInstance extends LiveInstance {
  readonly kind = "component";
  /** Functions and interfaces by full name, `omnitak:plugin/filter@0.1.0`, and by short name where only one has it. */
  readonly exports: ComponentExports;
  readonly isPromised: boolean;
  readonly #linked: LinkedComponent;

  constructor(engine: InstanceEngine, linked: LinkedComponent) {
    super(engine);
    this.exports = linked.exports;
    this.isPromised = linked.isPromised;
    this.#linked = linked;
  }

  override onceQuiet(act: () => void): boolean {
    const { behind } = this.#linked;
    if (behind === undefined || behind.isQuiet) return false;
    behind.onQuiet = () => {
      behind.onQuiet = undefined;
      act();
    };
    return true;
  }

  /** As of any instance; resources of the host's that the guest owns are disposed of. */
  override close(): void {
    super.close();
    this.#linked.close();
  }
}

/** A module's functions by export name, without what it merely inherits. */
export type CoreFunctions = Readonly<Record<string, CoreFunction>>;

export class ModuleInstance extends LiveInstance {
  readonly kind = "module";
  /** The module's functions, metered; they give promises when a host function is asynchronous. */
  readonly exports: CoreFunctions;
  readonly isPromised: boolean;
  /** The memory exported as `memory`, for the conventions of core modules. */
  readonly memory: CoreMemory | undefined;
  /** The same functions without an account of their own. */
  readonly #functions: CoreFunctions;

  constructor(engine: InstanceEngine, core: CoreInstance, waiting?: ModuleWaiting) {
    super(engine);
    const metered: Record<string, CoreFunction> = Object.create(null);
    const functions: Record<string, CoreFunction> = Object.create(null);
    for (const [name, item] of Object.entries(core.exports)) {
      if (typeof item !== "function") continue;
      // `typeof` above says that it is a function.
      const own = item as CoreFunction;
      const canonical = (called: CoreFunction) => (engine.isStrict ? withCanonicalArguments(called) : called);
      const waits = waiting?.exported(name, own);
      functions[name] = canonical(own);
      metered[name] = waits === undefined ? meteredFunction(engine, functions[name]) : canonical(waits);
    }
    this.exports = Object.freeze(metered);
    this.isPromised = waiting !== undefined;
    this.#functions = Object.freeze(functions);
    const { memory } = core.exports;
    // By its shape: this layer's callers need the buffer and nothing else of it.
    this.memory = memory !== undefined && "buffer" in memory ? (memory as CoreMemory) : undefined;
  }

  /**
   * Makes several calls one: allocating, calling and reading the answer spend one budget and stand or fall together.
   *
   * @param use      Gets the module's functions. They are for `use` alone, and for host functions that the guest calls
   *                 meanwhile; nothing else may call them. Made once, so that a call makes no closure.
   * @param argument Handed on to `use`.
   * @param startedMs What the instance's clock says now, for a caller that has just read it: a look at the clock costs as
   *                 much as a small call, and there is one less. The deadline counts from here.
   * @throws engine/… what the guest did, and whatever `use` threw: the instance is poisoned by both
   */
  together<Argument, Result>(
    use: (functions: CoreFunctions, argument: Argument) => Result,
    argument: Argument,
    startedMs?: number,
  ): Result {
    const { engine } = this;
    engine.enter(startedMs);
    let result: Result;
    try {
      result = use(this.#functions, argument);
    } catch (error) {
      throw engine.fail(error);
    }
    engine.leave();
    return result;
  }
}

/** By arity, so that the common calls make no array. */
function meteredFunction(engine: InstanceEngine, core: CoreFunction): CoreFunction {
  switch (core.length) {
    case 0:
      return () => {
        engine.enter();
        let result: unknown;
        try {
          result = core();
        } catch (error) {
          throw failed(engine, error);
        }
        engine.leave();
        return result;
      };
    case 1:
      return (a) => {
        engine.enter();
        let result: unknown;
        try {
          result = core(a);
        } catch (error) {
          throw failed(engine, error);
        }
        engine.leave();
        return result;
      };
    case 2:
      return (a, b) => {
        engine.enter();
        let result: unknown;
        try {
          result = core(a, b);
        } catch (error) {
          throw failed(engine, error);
        }
        engine.leave();
        return result;
      };
    default:
      return (...args) => {
        engine.enter();
        let result: unknown;
        try {
          result = core(...args);
        } catch (error) {
          throw failed(engine, error);
        }
        engine.leave();
        return result;
      };
  }
}

/**
 * V8 converts the arguments before the guest runs, and throws a TypeError for a bigint in a number's place. Entering
 * a function costs a unit of fuel, so a call that used none never reached the guest and has done no harm.
 */
function failed(engine: InstanceEngine, error: unknown): unknown {
  if (!(error instanceof TypeError) || engine.fuelUsed > 0) return engine.fail(error);
  engine.cancel();
  return error;
}
