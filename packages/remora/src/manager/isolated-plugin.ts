/**
 * A running plugin whose guest lives behind a wall: on another thread, or in another process. It has one instance, and
 * calls are made in the order in which they came; after a failure the next call gets a fresh one.
 */

import type { CancelSignal } from "../component/index.ts";
import {
  type Artifact,
  type CallOptions,
  engineErrors,
  type HostImports,
  type IsolatedInstance,
  type Isolation,
  importNames,
  type Limits,
} from "../engine/index.ts";
import { checkImports, type LinkedImport } from "../policy/index.ts";
import type { InstanceImports, Sandbox } from "../sandbox/index.ts";
import { endWhenQuiet } from "./end-when-quiet.ts";
import { managerErrors } from "./errors.ts";
import type { ImportsOfInstance } from "./host.ts";
import { InstanceEnds } from "./instance-ends.ts";
import type { LatencyHistogram } from "./latency.ts";
import type { PluginMetrics } from "./plugin.ts";
import { turnedAway } from "./turned-away.ts";
import { type TurnOptions, Turns } from "./turns.ts";

export interface IsolatedPluginOptions<Calls> {
  readonly id: string;
  readonly artifact: Artifact;
  readonly isolation: Isolation;
  readonly limits: Limits;
  readonly hostImports: HostImports | ImportsOfInstance;
  readonly hostFunctions?: readonly string[];
  readonly sandbox: Sandbox;
  /** Makes a fresh instance ready: hands it what it has to have first, and takes out what the host calls. */
  readonly bind: (guest: IsolatedInstance) => Promise<Calls>;
  readonly latency: LatencyHistogram;
}

interface Live<Calls> {
  readonly guest: IsolatedInstance;
  readonly calls: Calls;
  readonly sandboxed: InstanceImports | undefined;
  readonly ends: InstanceEnds;
}

/** A caller that does not wait for answers must not fill the memory. */
export const waitingCallsMax = 10_000;

const pageBytes = 65_536;

export class IsolatedPlugin<Calls> {
  readonly id: string;
  readonly latency: LatencyHistogram;
  readonly #options: IsolatedPluginOptions<Calls>;
  readonly #granted: readonly LinkedImport[];
  #live: Live<Calls> | undefined;
  /** Calls are made in their order. */
  readonly #turns = new Turns();
  #calls = 0;
  #traps = 0;
  #failure: string | undefined;
  #lastTimedMs: number | undefined;
  #fuelUsed = 0;
  #cpuNs = 0;
  #instances = 0;
  /** By instances that are gone. */
  #pastHostCalls = 0;
  #isClosed = false;
  /** What goes on behind the results of its calls has yet to come to its end. */
  #isEnding = false;
  #whenIdle: (() => void) | undefined;

  /** Use `open`, which makes the first instance. */
  private constructor(options: IsolatedPluginOptions<Calls>, granted: readonly LinkedImport[]) {
    this.id = options.id;
    this.latency = options.latency;
    this.#options = options;
    this.#granted = granted;
  }

  /**
   * Checks the artifact's imports, and makes the first instance so that a plugin that cannot start fails here.
   *
   * @throws policy/imports-refused it imports what is neither the host's nor granted; all of it is listed
   * @throws engine/… component/…   it cannot be instantiated, or its start function failed
   */
  static async open<Calls>(options: IsolatedPluginOptions<Calls>): Promise<IsolatedPlugin<Calls>> {
    const { id, artifact, hostImports, sandbox } = options;
    const check = checkImports(artifact.imports, {
      plugin: id,
      hostFunctions:
        typeof hostImports === "function" ? (options.hostFunctions ?? []) : importNames(hostImports),
      offers: sandbox.offers,
      grants: sandbox.grants,
    });
    if (check.kind === "refused") throw check.error;
    const granted = check.linked.filter(({ capability }) => capability !== undefined);
    const plugin = new IsolatedPlugin(options, granted);
    plugin.#live = await plugin.#start();
    return plugin;
  }

  get metrics(): PluginMetrics {
    const memoryPages = this.#live?.guest.report.memoryPages ?? 0;
    return {
      calls: this.#calls,
      traps: this.#traps,
      fuelUsed: this.#fuelUsed,
      latency: this.latency,
      instances: this.#instances,
      hostCalls: this.#pastHostCalls + (this.#live?.guest.hostCalls ?? 0),
      lastTimedMs: this.#lastTimedMs,
      cpuNs: this.#cpuNs,
      memoryBytes: memoryPages * pageBytes,
    };
  }

  /** As `Plugin.callExport`. */
  callExport(
    path: string | readonly string[],
    args: readonly unknown[],
    options?: CallOptions,
  ): Promise<unknown> {
    return this.#asCall(
      ({ guest }) => this.#counted(guest, async () => (await guest.call(path, args, options)).result),
      options?.signal,
    );
  }

  /** As `Plugin.callAsync`: what the binding took out of the guest gives promises. */
  callAsync<Argument, Result>(
    use: (calls: Calls, argument: Argument) => PromiseLike<Result> | Result,
    argument: Argument,
    signal?: CancelSignal,
  ): Promise<Result> {
    return this.#asCall(({ guest, calls }) => this.#counted(guest, async () => use(calls, argument)), signal);
  }

  async #counted<Result>(guest: IsolatedInstance, act: () => Promise<Result>): Promise<Result> {
    this.#calls++;
    const before = guest.spent.durationMs;
    const result = await act();
    // What the host calls as one may cross the wall several times.
    const ns = (guest.spent.durationMs - before) * 1e6;
    this.latency.record(ns);
    this.#cpuNs += ns;
    this.#lastTimedMs = performance.now();
    return result;
  }

  /** As `Plugin.examine`: not counted as a call, and there is always a place in line for it. */
  examine<Result>(ask: (guest: IsolatedInstance, calls: Calls) => Promise<Result>): Promise<Result> {
    return this.#inTurn((live) => ask(live.guest, live.calls));
  }

  /** As `Plugin.takeFailure`. */
  takeFailure(): string | undefined {
    const failure = this.#failure;
    this.#failure = undefined;
    return failure;
  }

  /** As `Plugin.turnAway`. */
  turnAway(): void {
    this.#turns.turnAway(() => turnedAway(engineErrors.closed({ what: `the line of "${this.id}"` })));
  }

  /** As `Plugin.close`. */
  close(whenIdle?: () => void): void {
    this.#isClosed = true;
    this.turnAway();
    if (whenIdle !== undefined) this.#whenIdle = whenIdle;
    this.#endWhenIdle();
  }

  async #asCall<Result>(act: (live: Live<Calls>) => Promise<Result>, signal?: CancelSignal): Promise<Result> {
    if (this.#turns.size >= waitingCallsMax)
      throw managerErrors["too-many-waiting"]({ plugin: this.id, waitingMax: waitingCallsMax });
    return this.#inTurn(act, { signal, isTurnedAway: true });
  }

  async #inTurn<Result>(act: (live: Live<Calls>) => Promise<Result>, options?: TurnOptions): Promise<Result> {
    try {
      return await this.#turns.take(() => this.#call(act), options);
    } finally {
      this.#endWhenIdle();
    }
  }

  async #call<Result>(act: (live: Live<Calls>) => Promise<Result>): Promise<Result> {
    if (this.#live?.guest.isPoisoned === true) this.#endTrapped(this.#live, true);
    this.#live ??= await this.#start();
    const live = this.#live;
    const before = live.guest.spent.fuelUsed;
    live.sandboxed?.beginCall();
    let hasResult = false;
    try {
      const result = await act(live);
      hasResult = true;
      return result;
    } finally {
      this.#fuelUsed += live.guest.spent.fuelUsed - before;
      if (live.guest.isPoisoned) this.#endTrapped(live, hasResult);
    }
  }

  /** @param isBehind Whether nobody was told: its calls have had their results. */
  #endTrapped(live: Live<Calls>, isBehind: boolean): void {
    this.#traps++;
    if (isBehind) this.#failure = live.guest.poison;
    this.#drop(live);
  }

  async #start(): Promise<Live<Calls>> {
    const { isolation, artifact, limits, hostImports, sandbox, bind } = this.#options;
    const ends = new InstanceEnds();
    let guest: IsolatedInstance | undefined;
    let sandboxed: InstanceImports | undefined;
    try {
      guest = await isolation.instantiate(artifact, {
        limits,
        imports: (access) => {
          const own = typeof hostImports === "function" ? hostImports(access, ends) : hostImports;
          if (this.#granted.length === 0) return own;
          const given = sandbox.forInstance(access);
          sandboxed = given;
          return { ...own, ...given.hostImports(this.#granted.map(({ need }) => need)) };
        },
        // Its thread or process is gone while nobody called: the next call gets another one.
        onLost: () => {
          if (this.#live !== undefined && this.#live.guest === guest) this.#drop(this.#live);
        },
      });
      this.#instances++;
      return { guest, calls: await bind(guest), sandboxed, ends };
    } catch (error) {
      guest?.close();
      ends.end();
      sandboxed?.close();
      throw error;
    }
  }

  #drop(live: Live<Calls>): void {
    if (this.#live === live) {
      this.#live = undefined;
      this.#pastHostCalls += live.guest.hostCalls;
    }
    live.guest.close();
    live.ends.end();
    live.sandboxed?.close();
  }

  #endWhenIdle(): void {
    if (!this.#isClosed || this.#turns.size > 0 || this.#isEnding) return;
    const end = () => {
      this.#isEnding = false;
      if (this.#live !== undefined) this.#drop(this.#live);
      this.#whenIdle?.();
      this.#whenIdle = undefined;
    };
    const guest = this.#live?.guest;
    this.#isEnding = true;
    if (guest === undefined) end();
    else endWhenQuiet(guest, this.#options.limits.deadlineMs, end);
  }
}
