/**
 * One plugin instance on V8: its core modules compiled, rewritten, linked and metered under one budget. It
 * lives until its first failure; after a trap the guest's memory may be half written and its stack pointer is
 * lost, so nothing enters it again.
 */

import type { RemoraError } from "../base/index.ts";
import type {
  CoreEngine,
  CoreImports,
  CoreInstance,
  CoreWaiting,
  RoutineEngine,
  TextCodec,
} from "../component/core.ts";
import { endsCall, thrownByHost } from "./blame.ts";
import type { CompiledModule, ModuleFacts } from "./compile.ts";
import type { CompileRequest } from "./compile-cache.ts";
import { engineErrors } from "./errors.ts";
import { Externs } from "./externs.ts";
import type { Budget, Limits } from "./limits.ts";
import { Meter } from "./meter.ts";
import type { ModuleImport } from "./module-imports.ts";
import { routineEngine } from "./routine-engine.ts";
import { textCodec } from "./text.ts";
import { trap } from "./trampoline.ts";
import { classifyThrown, type ResolveFrame, runningFunction } from "./trap.ts";
import { nodeTimer, type Timer, Waiting } from "./waiting.ts";
import { type WasmInstance, webAssembly } from "./webassembly.ts";

/** Where an instance's modules come from: a `CompileCache`, or what was made of one elsewhere. */
export interface ModuleSource {
  compile(bytes: Uint8Array, request: CompileRequest): CompiledModule;
  imports(compiled: CompiledModule, original: Uint8Array): readonly ModuleImport[];
  places(request: CompileRequest): ModulePlaces;
}

/** From places in an instance's rewritten modules to those in the originals. */
export interface ModulePlaces {
  add(original: Uint8Array, compiled: CompiledModule): void;
  readonly resolve: ResolveFrame;
}

export interface InstanceEngineOptions {
  readonly cache: ModuleSource;
  /** Whose modules these are and how they are rewritten; made once a plugin by `compileRequest`. */
  readonly request: CompileRequest;
  readonly limits: Limits;
  /** Whose errors these are, where that is another than the modules were compiled for. */
  readonly plugin?: string;
  /** Core instances that one plugin instance may have: one unless the request says that they share their counters. */
  readonly modulesMax?: number;
  /** Milliseconds on a monotonic clock. */
  readonly clock?: () => number;
  /** Ends a call that waits beyond its deadline. Default: Node's. */
  readonly timer?: Timer;
  /** Asked by a running guest now and then; see `MeterOptions`. */
  readonly isStopped?: () => boolean;
  /** For tests: see `MeterOptions`. */
  readonly sliceUnits?: number;
}

const defaultModulesMax = 64;

/**
 * For each time that a guest goes on after its result: nobody waits for it then, and one that goes on for ever in steps
 * of a few instructions would keep the host busy for minutes before its fuel is spent.
 */
const goOnFuel = 1_000;

const idle = 0;
const busy = 1;
const poisoned = 2;
const closed = 3;

export class InstanceEngine implements CoreEngine {
  readonly text: TextCodec = textCodec;
  readonly routines: RoutineEngine = routineEngine;
  readonly plugin: string;
  /** What the next call may spend; the limits' own until it is set. */
  budget: Budget;

  readonly #meter: Meter;
  readonly #cache: ModuleSource;
  readonly #request: CompileRequest;
  readonly #limits: Limits;
  readonly #modulesMax: number;
  #state: typeof idle | typeof busy | typeof poisoned | typeof closed = idle;
  #poison = "";
  #modules = 0;
  #waiting: Waiting | undefined;
  readonly #timer: Timer;
  readonly #places: ModulePlaces;
  readonly #externs: Externs;

  constructor(options: InstanceEngineOptions) {
    const { limits } = options;
    this.plugin = options.plugin ?? options.request.plugin;
    this.budget = limits;
    this.#cache = options.cache;
    this.#request = options.request;
    this.#limits = limits;
    const sharesCounters = options.request.options.sharesCounters ?? false;
    this.#modulesMax = sharesCounters ? (options.modulesMax ?? defaultModulesMax) : 1;
    this.#timer = options.timer ?? nodeTimer;
    this.#places = options.cache.places(options.request);
    this.#meter = new Meter({
      limits,
      isFuelExact: options.request.options.mode === "fuel",
      sharesCounters,
      ...(options.clock !== undefined && { clock: options.clock }),
      ...(options.isStopped !== undefined && { isStopped: options.isStopped }),
      ...(options.sliceUnits !== undefined && { sliceUnits: options.sliceUnits }),
    });
    this.#externs = new Externs({
      plugin: this.plugin,
      meter: this.#meter,
      isStrict: this.isStrict,
      failHost: this.#failHost,
    });
  }

  /** True after a failure: the instance takes no further call and is to be closed and replaced. */
  get isPoisoned(): boolean {
    return this.#state === poisoned;
  }

  /** The code of the failure; empty before. */
  get poison(): string {
    return this.#poison;
  }

  /** Whether its modules are to run alike on every machine. */
  get isStrict(): boolean {
    return this.#request.options.profile === "strict";
  }

  get isClosed(): boolean {
    return this.#state === closed;
  }

  /**
   * Fuel used by the running call so far, or by the last one: exact when it returned or was stopped by a limit. A trap
   * of the guest's own may lose what it counted since its last call or check.
   */
  get fuelUsed(): number {
    return this.#meter.fuelUsed;
  }

  /** Fuel of all calls since it was made. */
  get fuelSpent(): number {
    return this.#meter.fuelSpent;
  }

  /** Since it was made. */
  get hostCalls(): number {
    return this.#meter.hostCalls;
  }

  /** Pages of all memories together. */
  get memoryPages(): number {
    return this.#limits.memoryPagesMax - this.#meter.pages.left;
  }

  /**
   * Takes fuel off the running call for what a host function does.
   *
   * @throws RangeError not a number from 0 up
   */
  charge(units: number): void {
    this.#meter.charge(units);
  }

  /** Milliseconds until the deadline of the running call; Infinity when there is none. */
  get msLeft(): number {
    this.#meter.startClock();
    return this.#meter.msLeft;
  }

  /** The same for a guest that waits for the host from now on: see `Limits.waitMsFree`. */
  get waitMsLeft(): number {
    this.#meter.startClock();
    return this.#meter.waitMsLeft;
  }

  /** The guest has waited so long for a promise of the host, on its own thread. */
  forgive(waitedMs: number): void {
    this.#meter.forgive(waitedMs);
  }

  /** To be called before a host function that may take longer than some microseconds. */
  beforeSlowHost(): void {
    this.#meter.startClock();
  }

  /** To be called after it: the clock is looked at, and a guest that is late is stopped at its next check. */
  afterSlowHost(): void {
    this.#meter.lookAtClock();
  }

  /** Ends the running call when its time is over. */
  mustBeInTime(): void {
    this.#meter.mustBeInTime();
  }

  /** Undefined where V8 has no JavaScript Promise Integration: before Node 24. */
  get waiting(): CoreWaiting | undefined {
    this.#waiting ??= Waiting.of({
      plugin: this.plugin,
      meter: this.#meter,
      timer: this.#timer,
      goOn: () => this.#goOn(),
      adopt: (made) => this.#externs.adopt(made),
      failHost: this.#failHost,
      condemn: (error) => this.#meter.condemn(this.#classified(error)),
    });
    return this.#waiting;
  }

  /**
   * Rewrites and compiles the module unless that was done before, links it, and runs its start function: in the
   * running call if there is one, else as a call of its own.
   *
   * @throws engine/… and wasm/… when the module cannot be taken, or when its start function fails
   */
  instantiate(module: Uint8Array, imports: CoreImports): CoreInstance {
    if (this.#state > busy) throw this.#refusal();
    const compiled = this.#cache.compile(module, this.#request);
    this.#places.add(module, compiled);
    this.#reserve(compiled.facts, imports);
    const instance = this.#link(compiled, module, imports);
    this.#meter.attach(instance, compiled.facts.injected, compiled.facts.stackSlotsUncounted);
    const exports = this.#externs.exports(instance);
    const { start } = compiled.facts.injected;
    // The rewriter promises its type; see `InjectedExports`.
    if (start !== undefined) this.#run(instance.exports[start] as () => void);
    return { exports };
  }

  /** @throws engine/poisoned engine/closed engine/re-entered it takes no call now */
  mustBeIdle(): void {
    if (this.#state !== idle) throw this.#refusal();
  }

  /** @param startedMs What its clock says now, where that is known. */
  enter(startedMs?: number): void {
    if (this.#state !== idle) throw this.#refusal();
    this.#meter.begin(this.budget, startedMs);
    this.#state = busy;
  }

  #goOn(): void {
    if (this.#state !== idle) throw this.#refusal();
    const { fuelMax, deadlineMs } = this.#meter.budget;
    this.#meter.begin({ fuelMax: Math.max(fuelMax - this.#meter.fuelUsed, 0), deadlineMs });
    this.#meter.charge(goOnFuel);
    this.#state = busy;
  }

  leave(): void {
    if (this.#meter.end()) {
      this.#state = idle;
      return;
    }
    throw this.fail(undefined);
  }

  cancel(): void {
    this.#meter.cancel();
    // What was converted for the call may have closed it.
    if (this.#state === busy) this.#state = idle;
  }

  abort(error: RemoraError): never {
    return this.#meter.abort(thrownByHost(error, this.plugin));
  }

  fail(error: unknown): RemoraError {
    const why = this.#reason(error);
    this.#meter.kill("trapped");
    this.#meter.end();
    if (this.#state !== closed) this.#state = poisoned;
    this.#poison = why.code;
    this.#waiting?.unwind();
    return endsCall(why);
  }

  /** Lets go of the guest. Code of it that still runs is stopped at its next check. */
  close(): void {
    if (this.#state === closed) return;
    this.#state = closed;
    this.#meter.close();
    this.#waiting?.die();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** The meter's reason comes first: what a guest throws cannot hide that it was stopped. */
  #reason(error: unknown): RemoraError {
    const { plugin } = this;
    const { fuelMax, deadlineMs } = this.#meter.budget;
    switch (this.#meter.dead) {
      case "out-of-fuel":
        return engineErrors["out-of-fuel"]({ plugin, fuelMax, ...runningFunction(error) }, error);
      case "deadline":
        return engineErrors.deadline({ plugin, deadlineMs, ...runningFunction(error) }, error);
      case "aborted":
        if (this.#meter.abortedBy !== undefined) return this.#meter.abortedBy;
        break;
      case "closed":
        return engineErrors.closed({ what: `the instance of "${plugin}"` });
    }
    return this.#classified(error);
  }

  #classified(error: unknown): RemoraError {
    return classifyThrown(error, this.plugin, this.#meter.stack.isSpent, this.#places.resolve);
  }

  #refusal(): RemoraError {
    const { plugin } = this;
    if (this.#state === closed) return engineErrors.closed({ what: `the instance of "${plugin}"` });
    if (this.#state === poisoned) return engineErrors.poisoned({ plugin, cause: this.#poison });
    return engineErrors["re-entered"]({ plugin });
  }

  /** Sets aside what the module has from its start, before V8 allocates it. */
  #reserve(facts: ModuleFacts, imports: CoreImports): void {
    const { plugin } = this;
    if (++this.#modules > this.#modulesMax) {
      throw engineErrors["too-many-modules"]({ plugin, modulesMax: this.#modulesMax });
    }
    const slotsMax = this.#limits.stackSlotsMax;
    if (facts.stackSlotsUncounted > slotsMax) {
      throw engineErrors["stack-limit"]({ plugin, slots: facts.stackSlotsUncounted, slotsMax });
    }
    const pages = facts.memoryPagesMin + this.#externs.pagesGiven(facts, imports);
    if (!this.#meter.pages.reserve(pages)) {
      throw engineErrors["memory-limit"]({ plugin, pages, pagesMax: this.#meter.pages.left });
    }
    const elements = facts.tableElementsMin + this.#externs.elementsGiven(facts, imports);
    if (!this.#meter.elements.reserve(elements)) {
      throw engineErrors["table-limit"]({ plugin, elements, elementsMax: this.#meter.elements.left });
    }
  }

  #link(compiled: CompiledModule, original: Uint8Array, imports: CoreImports): WasmInstance {
    try {
      const wanted = this.#cache.imports(compiled, original);
      return new webAssembly.Instance(compiled.module, this.#externs.imports(wanted, imports));
    } catch (error) {
      if (error instanceof webAssembly.LinkError || error instanceof TypeError) {
        throw engineErrors.link({ plugin: this.plugin, reason: error.message }, error);
      }
      // A segment that does not fit, or an allocation that V8 refused.
      throw this.fail(error);
    }
  }

  /** What a host function threw is the reason, unless the guest was stopped further down and has one already. */
  readonly #failHost = (error: unknown): never => {
    const meter = this.#meter;
    if (meter.dead !== undefined) return trap();
    return meter.abort(thrownByHost(this.#classified(error), this.plugin));
  };

  #run(start: () => void): void {
    if (this.#state === busy) {
      start();
      return;
    }
    this.enter();
    try {
      start();
    } catch (error) {
      throw this.fail(error);
    }
    this.leave();
  }
}
