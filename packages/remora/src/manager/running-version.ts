/**
 * Step 7 of an install: one version of a plugin, made and healthy. It is whole before anybody calls it, and two of
 * the same plugin can be there at once, the one that serves and the one that is to take over.
 */

import type { Json } from "../bundle/index.ts";
import type { Artifact, HostImports, IsolatedInstance, Isolation } from "../engine/index.ts";
import type { Grant } from "../policy/index.ts";
import { type AuditSink, type LogLevel, type Sandbox, sandboxImports } from "../sandbox/index.ts";
import type { AnswerDepth } from "./bus/answer-depth.ts";
import { busHostFunctions, PluginBus, type PluginBusOptions } from "./bus/plugin-bus.ts";
import { interfaceNames, linkInterfaces } from "./calls/plugin-interfaces.ts";
import { managerErrors } from "./errors.ts";
import { type AskedGuest, type Asking, behindWall, lead, onThread } from "./handover/asked-guest.ts";
import {
  busPatterns,
  checkHealth,
  configure,
  restoreState,
  saveState,
  savesState,
  settingsInterface,
  takesState,
} from "./handover/guest-interface.ts";
import type { ImportsOfInstance, PluginContext } from "./host.ts";
import type { Inspected } from "./install/inspect.ts";
import { IsolatedPlugin } from "./isolated-plugin.ts";
import type { LatencyHistogram } from "./latency.ts";
import type { ManagedPlugin } from "./managed-plugin.ts";
import { Plugin } from "./plugin.ts";
import type { PluginPolicy } from "./policy.ts";
import type { InstalledVersion } from "./store/entry.ts";

export interface PrepareOptions {
  readonly version: InstalledVersion;
  readonly inspected: Inspected;
  readonly artifact: Artifact;
  /** The plugins that it needs. */
  readonly pluginOf: (name: string) => ManagedPlugin;
  readonly grants: readonly Grant[];
  readonly denials: readonly Grant[];
  /** With secrets in place of references. */
  readonly settings: Json | undefined;
  readonly sandbox: PluginPolicy["sandbox"];
  /** The plugin's own; there already. */
  readonly dataFolder: string;
  /** Undefined for the caller's own thread. */
  readonly isolation: Isolation | undefined;
  /** What all plugins of the manager share. */
  readonly house: Pick<PluginBusOptions, "bus" | "state">;
  readonly busDepth: AnswerDepth;
  readonly instancesMax: number;
  readonly latency: LatencyHistogram;
  readonly audit: AuditSink;
  readonly log: (level: LogLevel, text: string) => void;
  readonly nowMs: () => number;
}

/** The guests of a version: on this thread, where they can be called at once, or behind a wall. */
type Guests =
  | { readonly at: "inline"; readonly plugin: Plugin<unknown> }
  | { readonly at: "wall"; readonly plugin: IsolatedPlugin<unknown> };

/** What a version can do, as its first guest shows. */
interface Abilities {
  readonly savesState: boolean;
  readonly takesState: boolean;
  /** False where a call gives a promise: behind a wall, and where a host function is asynchronous. */
  readonly answersAtOnce: boolean;
}

/**
 * Makes a version and asks it for its health. On this thread that is done when it returns; behind a wall when its
 * promise is kept.
 *
 * @throws policy/… engine/… component/… wasm/… it cannot be made
 * @throws manager/settings-refused manager/unhealthy
 */
export async function makeVersion(options: PrepareOptions): Promise<RunningVersion> {
  const sandbox = openSandbox(options);
  const bus = new PluginBus({ ...options.house, gate: sandbox.gate, depth: options.busDepth });
  let guests: Guests;
  try {
    guests = await makeGuests(options, sandbox, bus);
  } catch (error) {
    sandbox.close();
    throw error;
  }
  let version: RunningVersion | undefined;
  try {
    version = new RunningVersion(options, { sandbox, bus, guests, can: await abilitiesOf(guests) });
    await version.checkHealth();
    return version;
  } catch (error) {
    await drain(guests, sandbox);
    throw error;
  }
}

export class RunningVersion {
  readonly version: InstalledVersion;
  readonly inspected: Inspected;
  readonly sandbox: Sandbox;
  /** Its guests on this thread; undefined where they are behind a wall. */
  readonly inline: Plugin<unknown> | undefined;
  /** Its way to the bus, through its own gate. */
  readonly bus: PluginBus;
  readonly #guests: Guests;
  readonly #can: Abilities;

  /** Use `makeVersion`, which makes the guests. */
  constructor(
    { version, inspected }: PrepareOptions,
    { sandbox, bus, guests, can }: { sandbox: Sandbox; bus: PluginBus; guests: Guests; can: Abilities },
  ) {
    this.version = version;
    this.inspected = inspected;
    this.sandbox = sandbox;
    this.bus = bus;
    this.#guests = guests;
    this.#can = can;
    this.inline = guests.at === "inline" ? guests.plugin : undefined;
  }

  get name(): string {
    return this.inspected.manifest.name;
  }

  /** What it may do now. */
  get grants(): readonly Grant[] {
    return this.sandbox.gate.grants;
  }

  /** Its guests, for what all levels have in common. */
  get guests(): Plugin<unknown> | IsolatedPlugin<unknown> {
    return this.#guests.plugin;
  }

  /** Whether a call of it gives its result at once, as far as its type allows. */
  get answersAtOnce(): boolean {
    return this.#can.answersAtOnce;
  }

  /** @throws manager/unhealthy engine/… at once where it answers at once, else by the promise */
  checkHealth(): void | Promise<void> {
    const { name } = this;
    const { world } = this.inspected;
    // Its calls come to their end, or meet their deadlines: that is answer enough.
    if (this.inline?.isBusy === true) return;
    return this.#ask(function* (guest, calls) {
      yield* checkHealth(name, guest);
      if (calls !== undefined) world.check?.(calls);
    });
  }

  /** What it wants to hear on the bus; nothing when it does not listen. @throws engine/… */
  async busPatterns(): Promise<readonly string[]> {
    return this.#ask((guest) => busPatterns(this.name, guest));
  }

  /**
   * Step 8: what this version kept in memory, for the one that takes over. Nothing of it changes. Between two that answer at
   * once, one of which has an instance that is not in a call, it is done when it returns; else when the first call of
   * this one has come to its end.
   *
   * @param then Called in the turn in which the other one has the state, or needs none.
   * @returns    Whether there was something to hand over.
   * @throws manager/state engine/… one of them failed; this version can go on
   */
  handOver(to: RunningVersion, then: () => void): boolean | Promise<boolean> {
    return lead(this.#handOver(to, then));
  }

  *#handOver(to: RunningVersion, then: () => void): Asking<boolean> {
    const isWanted = this.#can.savesState && to.#can.takesState;
    const state = isWanted ? yield this.#askUsed((guest) => saveState(this.name, guest)) : undefined;
    if (state !== undefined) {
      // What `saveState` gives, which a conversation hands back as whatever it is.
      yield to.#ask((guest) => restoreState(to.name, guest, state as Uint8Array));
    }
    then();
    return state !== undefined;
  }

  /** Leads a conversation with the guest that the next call would get. */
  #ask<Result>(asking: (guest: AskedGuest, calls: unknown) => Asking<Result>): Result | Promise<Result> {
    const guests = this.#guests;
    return guests.at === "inline"
      ? guests.plugin.examine((instance, calls) => lead(asking(onThread(instance), calls)))
      : guests.plugin.examine(async (guest) => lead(asking(behindWall(guest), undefined)));
  }

  /** The same with one that calls have been made of. */
  #askUsed<Result>(asking: (guest: AskedGuest) => Asking<Result>): Result | Promise<Result> {
    const guests = this.#guests;
    // Behind a wall there is one alone.
    return guests.at === "inline"
      ? guests.plugin.examineUsed((instance) => lead(asking(onThread(instance))))
      : this.#ask(asking);
  }

  /**
   * Takes no more calls; those that run come to their end, which their deadlines bound, before the sandbox goes.
   * Resolves when all is closed.
   */
  drain(): Promise<void> {
    return drain(this.#guests, this.sandbox);
  }
}

function drain({ plugin }: Guests, sandbox: Sandbox): Promise<void> {
  return new Promise((resolve) => {
    plugin.close(() => {
      sandbox.close();
      resolve();
    });
  });
}

/** Looks at its first guest, which knows its settings then. @throws manager/settings-refused engine/… */
async function abilitiesOf(guests: Guests): Promise<Abilities> {
  const look = (guest: AskedGuest, answersAtOnce: boolean) => ({
    savesState: savesState(guest),
    takesState: takesState(guest),
    answersAtOnce,
  });
  return guests.at === "inline"
    ? guests.plugin.examine((instance) => look(onThread(instance), !instance.isPromised))
    : guests.plugin.examine(async (guest) => look(behindWall(guest), false));
}

async function makeGuests(options: PrepareOptions, sandbox: Sandbox, bus: PluginBus): Promise<Guests> {
  const { inspected, artifact, isolation } = options;
  const context = contextOf(options, sandbox);
  const { world, limits } = inspected;
  const common = {
    id: context.name,
    artifact,
    limits,
    hostImports: withInterfaces(world.imports(context), artifact, { ...options, bus }),
    hostFunctions: [...world.hostFunctions, ...busHostFunctions, ...interfaceNames(inspected.provided)],
    sandbox,
    latency: options.latency,
  };
  if (isolation === undefined) {
    // Behind a wall it is prepared by whoever sends it there.
    await artifact.prepare(limits);
    return {
      at: "inline",
      plugin: new Plugin<unknown>({
        ...common,
        configure: (instance) => giveSettings(options, onThread(instance)),
        bind: (instance) => world.bind(instance, context),
        clock: world.clock?.(context),
        instancesMax: Math.min(options.instancesMax, world.instancesMax ?? options.instancesMax),
      }),
    };
  }
  const bind = async (guest: IsolatedInstance) => {
    await giveSettings(options, behindWall(guest));
    return world.bindIsolated?.(guest, context);
  };
  return { at: "wall", plugin: await IsolatedPlugin.open<unknown>({ ...common, isolation, bind }) };
}

/** The host's functions, the bus, and other plugins, which need to know how much time the caller has left. */
function withInterfaces(
  host: HostImports | ImportsOfInstance,
  artifact: Artifact,
  { inspected: { provided }, pluginOf, bus }: PrepareOptions & { readonly bus: PluginBus },
): HostImports | ImportsOfInstance {
  const usesBus = artifact.imports.some(({ from }) => busHostFunctions.includes(from));
  if (provided.length === 0 && !usesBus) return host;
  return (guest, life) => ({
    ...bus.imports,
    ...(typeof host === "function" ? host(guest, life) : host),
    ...linkInterfaces(provided, guest, pluginOf),
  });
}

/** @throws manager/settings-refused it does not want them, or takes none */
function giveSettings(options: PrepareOptions, guest: AskedGuest): void | Promise<void> {
  const { settings, inspected } = options;
  if (settings === undefined || inspected.world.takesSettings === true) return;
  return lead(tellSettings(inspected.manifest.name, guest, settings));
}

function* tellSettings(plugin: string, guest: AskedGuest, settings: Json): Asking<void> {
  if (yield* configure(plugin, guest, settings)) return;
  const reason = `it does not export "${settingsInterface}"`;
  throw managerErrors["settings-refused"]({ plugin, reason });
}

function openSandbox(options: PrepareOptions): Sandbox {
  const { grants, denials, inspected, audit, log, nowMs, dataFolder } = options;
  const { name } = inspected.manifest;
  return sandboxImports({
    plugin: name,
    grants,
    denials,
    vocabulary: inspected.host.vocabulary,
    audit,
    log: { write: ({ level, text }) => log(level, text) },
    nowMs,
    ...(grants.some(({ capability }) => capability === "fs.private") && {
      privateFolder: `${dataFolder}/files`,
    }),
    keyValueFile: `${dataFolder}/keys.sqlite`,
    ...options.sandbox,
    environment: { ...inspected.world.environment?.(name), ...options.sandbox?.environment },
  });
}

function contextOf(
  { version, inspected, grants, settings, log }: PrepareOptions,
  sandbox: Sandbox,
): PluginContext {
  const { manifest } = inspected;
  return { name: manifest.name, version: version.version, manifest, grants, sandbox, settings, log };
}
