/**
 * A running plugin: its artifact, checked against what it was granted, a pool of instances, and an account of
 * what it did. A call leases an instance; after a trap that instance is discarded and the next call gets a fresh
 * one, so that one failure costs one call.
 */

import { isRemoraError } from "../base/index.ts";
import type { CancelSignal } from "../component/index.ts";
import {
  type Artifact,
  type Budget,
  type CallOptions,
  type HostImports,
  type Instance,
  importNames,
  type Limits,
  Pool,
} from "../engine/index.ts";
import { checkImports } from "../policy/index.ts";
import type { Sandbox } from "../sandbox/index.ts";
import { endWhenQuiet } from "./end-when-quiet.ts";
import type { ImportsOfInstance } from "./host.ts";
import { LatencyHistogram } from "./latency.ts";
import { type Leased, startLeased } from "./leased-instance.ts";
import { turnedAway } from "./turned-away.ts";

export interface PluginOptions<Calls> {
  /** Names the plugin in errors, logs and metrics. */
  readonly id: string;
  readonly artifact: Artifact;
  readonly limits: Limits;
  /**
   * The host's own functions, by interface or module name; every plugin of this host has them. Or, where they need
   * the guest that calls them, what makes them for one instance, and `hostFunctions` has their names.
   */
  readonly hostImports: HostImports | ImportsOfInstance;
  /** Names of the host's functions, where `hostImports` makes them for each instance. */
  readonly hostFunctions?: readonly string[];
  /** Opened with what the operator gave it; nothing else of it is reachable. Without it nothing can be granted. */
  readonly sandbox?: Sandbox;
  /** Tells a fresh instance what it has to know before its first call, which waits for the promise where one is given. */
  readonly configure?: (instance: Instance) => void | Promise<void>;
  /** Takes the world's functions out of a fresh instance; may throw when they are not there. */
  readonly bind: (instance: Instance) => Calls;
  /** As `InstantiateOptions.clock`. */
  readonly clock?: (() => number) | undefined;
  /** Live at once; more than one only when calls overlap. Default 8. */
  readonly instancesMax?: number;
  /** Where the durations of calls are counted. Default: in one of its own. */
  readonly latency?: LatencyHistogram;
}

/** What a plugin has done since it was opened. */
export interface PluginMetrics {
  readonly calls: number;
  /** Calls in which the guest failed: a trap, a spent budget, an abort. Each cost an instance. */
  readonly traps: number;
  /** Fuel of all calls, and of what the manager has asked its guests. */
  readonly fuelUsed: number;
  /** Nanoseconds of a call, lowering and lifting included; one call in sixteen is timed. */
  readonly latency: LatencyHistogram;
  /** Instances made so far. */
  readonly instances: number;
  /** Calls of host functions by all of them. */
  readonly hostCalls: number;
  /** When the last timed call ended, as `performance.now` has it; undefined before the first. */
  readonly lastTimedMs: number | undefined;
  /** Nanoseconds in calls, estimated from those that were timed. */
  readonly cpuNs: number;
  /** What the memories of its live instances have. */
  readonly memoryBytes: number;
}

/** Bytes of a page of memory: core specification 2.0 §4.2.8. */
const PAGE = 65_536;

/** Two looks at the clock cost as much as a small call, so only every so many calls are timed. */
const timedEvery = 16;

export class Plugin<Calls> {
  readonly id: string;
  readonly latency: LatencyHistogram;
  readonly #pool: Pool<Leased<Calls>>;
  readonly #live = new Set<Leased<Calls>>();
  readonly #instancesMax: number;
  readonly #deadlineMs: number;
  /** Instances that are to be closed, and still do something. */
  #lingering = 0;
  #calls = 0;
  #traps = 0;
  #failure: string | undefined;
  #lastTimedMs = 0;
  /** By instances that are gone. */
  #past = { hostCalls: 0, fuelUsed: 0 };
  #whenIdle: (() => void) | undefined;

  /**
   * Checks the artifact's imports, and makes the first instance so that a plugin that cannot start fails here.
   *
   * @throws policy/imports-refused it imports what is neither the host's nor granted; all of it is listed
   * @throws engine/… component/…  it cannot be instantiated, or its start function failed
   */
  constructor(options: PluginOptions<Calls>) {
    const { id, artifact, hostImports, sandbox } = options;
    this.id = id;
    this.latency = options.latency ?? new LatencyHistogram();
    const check = checkImports(artifact.imports, {
      plugin: id,
      hostFunctions:
        typeof hostImports === "function" ? (options.hostFunctions ?? []) : importNames(hostImports),
      offers: sandbox?.offers ?? [],
      grants: sandbox?.grants ?? [],
    });
    if (check.kind === "refused") throw check.error;
    const granted = check.linked.filter(({ capability }) => capability !== undefined);
    const instancesMax = options.instancesMax ?? 8;
    this.#instancesMax = instancesMax;
    this.#deadlineMs = options.limits.deadlineMs;
    this.#pool = new Pool({
      create: () => {
        const leased = startLeased(options, granted);
        leased.onClose = () => this.#end(leased);
        this.#live.add(leased);
        return leased;
      },
      instancesMax,
      idleMax: instancesMax,
    });
    this.#pool.giveBack(this.#pool.lease());
  }

  get metrics(): PluginMetrics {
    const live = [...this.#live].map(({ instance }) => instance);
    const { hostCalls, fuelUsed } = this.#past;
    return {
      calls: this.#calls,
      traps: this.#traps,
      fuelUsed: live.reduce((sum, one) => sum + one.fuelSpent, fuelUsed),
      latency: this.latency,
      instances: this.#pool.counts.created,
      hostCalls: live.reduce((sum, one) => sum + one.hostCalls, hostCalls),
      lastTimedMs: this.#lastTimedMs === 0 ? undefined : this.#lastTimedMs,
      cpuNs: this.#calls === 0 ? 0 : (this.latency.sumNs / Math.max(1, this.latency.total)) * this.#calls,
      memoryBytes: live.reduce((sum, one) => sum + one.report.memoryPages * PAGE, 0),
    };
  }

  /**
   * Calls into the plugin: `plugin.call(evaluate, message)` with `const evaluate = (calls, message) => …`, a
   * function that lives outside, so that a call makes no closure. What gives a promise has its instance until that is
   * settled; `callAsync` is for such calls, and waits for an instance too.
   *
   * @throws engine/…    the guest failed; its instance is gone, the next call gets a fresh one
   * @throws component/… an argument did not fit; nothing ran
   */
  call<Argument, Result>(use: (calls: Calls, argument: Argument) => Result, argument: Argument): Result {
    const leased = this.#pool.lease();
    const isTimed = this.#calls++ % timedEvery === 0;
    const startedMs = isTimed ? performance.now() : 0;
    leased.sandboxed?.beginCall();
    let result: Result;
    try {
      // What is promised is also what `use` gives, and is handled as such.
      result =
        leased.readying === undefined
          ? use(leased.calls, argument)
          : (leased.readying.then(() => use(leased.calls, argument)) as Result);
    } catch (error) {
      this.#endCall(leased, false);
      throw error;
    }
    // The instance is still in that call, and a failure of it would be met by whoever got it next.
    if (result instanceof Promise) return this.#endWith(leased, result) as Result;
    if (isTimed) this.#record(startedMs);
    this.#endCall(leased, true);
    return result;
  }

  /**
   * The same for calls that give promises, as all exports do when a host function is asynchronous. While one waits, the
   * next gets another instance, or stands in line when all are in use.
   *
   * @param signal Leaves that line when it is aborted; what `use` calls ends by `abortable`.
   * @throws engine/pool-exhausted too many calls stand in line
   * @throws component/cancelled   the signal was aborted
   */
  callAsync<Argument, Result>(
    use: (calls: Calls, argument: Argument) => PromiseLike<Result> | Result,
    argument: Argument,
    signal?: CancelSignal,
  ): Promise<Result> {
    return this.#inTurn(({ calls }) => use(calls, argument), signal);
  }

  async #inTurn<Result>(
    act: (leased: Leased<Calls>) => PromiseLike<Result> | Result,
    signal: CancelSignal | undefined,
  ): Promise<Result> {
    const leased = await this.#leaseWhenFree(signal);
    const isTimed = this.#calls++ % timedEvery === 0;
    const startedMs = isTimed ? performance.now() : 0;
    leased.sandboxed?.beginCall();
    let hasResult = false;
    try {
      if (leased.readying !== undefined) await leased.readying;
      const result = await act(leased);
      hasResult = true;
      if (isTimed) this.#record(startedMs);
      return result;
    } finally {
      this.#endCall(leased, hasResult);
    }
  }

  async #leaseWhenFree(signal: CancelSignal | undefined): Promise<Leased<Calls>> {
    try {
      return await this.#pool.leaseWhenFree(signal);
    } catch (error) {
      throw isRemoraError(error, "engine/closed") ? turnedAway(error) : error;
    }
  }

  /** Whoever stands in line for an instance gets `engine/closed`; those who have one go on. */
  turnAway(): void {
    this.#pool.turnAway();
  }

  /** Whether all of its instances are in a call: none could be asked now. */
  get isBusy(): boolean {
    return this.#pool.counts.leased >= this.#instancesMax;
  }

  #record(startedMs: number): void {
    const nowMs = performance.now();
    this.latency.record((nowMs - startedMs) * 1e6);
    this.#lastTimedMs = nowMs;
  }

  #endCall(leased: Leased<Calls>, hasResult: boolean): void {
    this.#countTrap(leased, hasResult);
    this.#giveBack(leased);
  }

  /** @param isBehind Whether nobody was told: its calls have had their results. */
  #countTrap(leased: Leased<Calls>, isBehind: boolean): void {
    if (!leased.instance.isPoisoned || leased.isCounted) return;
    leased.isCounted = true;
    this.#traps++;
    if (isBehind) this.#failure = leased.instance.poison;
  }

  /** The code of the last failure of a guest behind the results of its calls, once; undefined when there was none. */
  takeFailure(): string | undefined {
    const failure = this.#failure;
    this.#failure = undefined;
    return failure;
  }

  /**
   * Calls what an instance exports, by name, and waits for its promise if it gives one.
   *
   * @param options The budget, and a signal: it leaves the line, and ends the call as `abortable` does.
   * @throws as `callAsync`; component/no-such-export
   */
  callExport(
    path: string | readonly string[],
    args: readonly unknown[],
    options?: CallOptions,
  ): Promise<unknown> {
    const act = async ({ instance }: Leased<Calls>) => (await instance.callAsync(path, args, options)).result;
    return this.#inTurn(act, options?.signal);
  }

  /** As `callExport`, for exports that answer at once, or of asynchronous type. @throws as `call`; component/no-such-export */
  callExportNow(
    path: string | readonly string[],
    args: readonly unknown[],
    budget?: Partial<Budget>,
  ): unknown {
    const leased = this.#pool.lease();
    const isTimed = this.#calls++ % timedEvery === 0;
    const startedMs = isTimed ? performance.now() : 0;
    leased.sandboxed?.beginCall();
    return this.#untilAnswered(leased, () => {
      const { result } = leased.instance.call(path, args, budget);
      if (isTimed && !(result instanceof Promise)) this.#record(startedMs);
      return result;
    });
  }

  /**
   * Asks the instance that the next call would get: for the questions of a manager, which are no calls of the plugin
   * and are not counted as such. It has the instance until what `ask` gives is settled.
   *
   * @throws as `call`
   */
  examine<Result>(
    ask: (instance: Instance, calls: Calls) => Result | Promise<Result>,
  ): Result | Promise<Result> {
    return this.#examine(this.#pool.lease(), ask);
  }

  /**
   * As `examine`, of what calls have left in memory: while every instance is in a call, it waits for the first that comes
   * back, where the next call would get a fresh one.
   */
  examineUsed<Result>(
    ask: (instance: Instance, calls: Calls) => Result | Promise<Result>,
  ): Result | Promise<Result> {
    const leased = this.#pool.leaseUsed();
    return leased instanceof Promise
      ? leased.then((used) => this.#examine(used, ask))
      : this.#examine(leased, ask);
  }

  #examine<Result>(
    leased: Leased<Calls>,
    ask: (instance: Instance, calls: Calls) => Result | Promise<Result>,
  ): Result | Promise<Result> {
    leased.sandboxed?.beginCall();
    const act = () => ask(leased.instance, leased.calls);
    return this.#untilAnswered(leased, () =>
      leased.readying === undefined ? act() : leased.readying.then(act),
    );
  }

  /** The lease ends when what `act` gives is settled. */
  #untilAnswered<Result>(leased: Leased<Calls>, act: () => Result): Result {
    let result: Result;
    try {
      result = act();
    } catch (error) {
      this.#endCall(leased, false);
      throw error;
    }
    if (result instanceof Promise) return this.#endWith(leased, result) as Result;
    this.#endCall(leased, true);
    return result;
  }

  async #endWith<Result>(leased: Leased<Calls>, promise: Promise<Result>): Promise<Result> {
    let hasResult = false;
    try {
      const result = await promise;
      hasResult = true;
      return result;
    } finally {
      this.#endCall(leased, hasResult);
    }
  }

  /**
   * Closes the instances that are idle now, and each other one when its call is over, and what goes on behind their results,
   * for which there is the time of a call.
   *
   * @param whenIdle Called once, when all of that is over: at once if there is nothing.
   */
  close(whenIdle?: () => void): void {
    if (whenIdle !== undefined) this.#whenIdle = whenIdle;
    this.#pool.close();
    this.#lookIfIdle();
  }

  #giveBack(leased: Leased<Calls>): void {
    this.#pool.giveBack(leased);
    this.#lookIfIdle();
  }

  #lookIfIdle(): void {
    if (this.#whenIdle === undefined || this.#pool.counts.leased > 0 || this.#lingering > 0) return;
    const whenIdle = this.#whenIdle;
    this.#whenIdle = undefined;
    whenIdle();
  }

  /** The pool wants it no more. */
  #end(leased: Leased<Calls>): void {
    this.#lingering++;
    endWhenQuiet(leased.instance, this.#deadlineMs, () => {
      this.#lingering--;
      leased.end();
      this.#live.delete(leased);
      this.#countTrap(leased, true);
      const { hostCalls, fuelSpent } = leased.instance;
      this.#past = {
        hostCalls: this.#past.hostCalls + hostCalls,
        fuelUsed: this.#past.fuelUsed + fuelSpent,
      };
      this.#lookIfIdle();
    });
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
