/**
 * Step 7 of an install: one version of a plugin, made and healthy. It is whole before anybody calls it, and two of
 * the same plugin can be there at once, the one that serves and the one that is to take over.
 */

import type { Json } from "../bundle/index.ts";
import type { Artifact, HostImports, Instance, IsolatedInstance, Isolation } from "../engine/index.ts";
import type { Grant } from "../policy/index.ts";
import { type AuditSink, type LogLevel, type Sandbox, sandboxImports } from "../sandbox/index.ts";
import { busHostFunctions, PluginBus, type PluginBusOptions } from "./bus/plugin-bus.ts";
import { interfaceNames, linkInterfaces } from "./calls/plugin-interfaces.ts";
import { managerErrors } from "./errors.ts";
import {
  busPatterns,
  checkHealth,
  configure,
  restoreState,
  saveState,
  settingsInterface,
  takesState,
} from "./handover/guest-interface.ts";
import {
  checkIsolatedHealth,
  configureIsolated,
  isolatedBusPatterns,
  isolatedTakesState,
  restoreIsolatedState,
  saveIsolatedState,
} from "./handover/isolated-guest.ts";
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
  readonly busDepth: { hops: number };
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
  const version = new RunningVersion(options, { sandbox, bus, guests });
  try {
    await version.checkHealth();
    return version;
  } catch (error) {
    await version.drain();
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

  /** Use `makeVersion`, which makes the guests. */
  constructor(
    { version, inspected }: PrepareOptions,
    { sandbox, bus, guests }: { sandbox: Sandbox; bus: PluginBus; guests: Guests },
  ) {
    this.version = version;
    this.inspected = inspected;
    this.sandbox = sandbox;
    this.bus = bus;
    this.#guests = guests;
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

  /** @throws manager/unhealthy engine/… at once on this thread, else by the promise */
  checkHealth(): void | Promise<void> {
    const { name } = this;
    const { world } = this.inspected;
    if (this.#guests.at === "wall") {
      return this.#guests.plugin.examine((guest) => checkIsolatedHealth(name, guest));
    }
    // Its calls come to their end, or meet their deadlines: that is answer enough.
    if (this.#guests.plugin.isBusy) return;
    this.#guests.plugin.examine((instance, calls) => {
      checkHealth(name, instance);
      world.check?.(calls);
    });
  }

  /** What it wants to hear on the bus; nothing when it does not listen. @throws engine/… */
  async busPatterns(): Promise<readonly string[]> {
    const guests = this.#guests;
    if (guests.at === "inline") return guests.plugin.examine(busPatterns);
    return guests.plugin.examine(isolatedBusPatterns);
  }

  /**
   * Step 8: what this version kept in memory, for the one that takes over. Nothing of it changes. Between two on this
   * thread it is done when it returns.
   *
   * @returns Whether there was something to hand over.
   * @throws manager/state engine/… one of them failed; this version can go on
   */
  handOver(to: RunningVersion): boolean | Promise<boolean> {
    if (this.inline === undefined || to.inline === undefined) return this.#handOverWall(to);
    const isWanted = to.inline.examine(takesState);
    const state = isWanted ? this.inline.examine((one) => saveState(this.name, one)) : undefined;
    if (state === undefined) return false;
    to.inline.examine((instance) => restoreState(to.name, instance, state));
    return true;
  }

  async #handOverWall(to: RunningVersion): Promise<boolean> {
    const { name } = this;
    const [old, next] = [this.#guests, to.#guests];
    const isWanted =
      next.at === "inline"
        ? next.plugin.examine(takesState)
        : await next.plugin.examine(async (guest) => isolatedTakesState(guest));
    if (!isWanted) return false;
    const state =
      old.at === "inline"
        ? old.plugin.examine((one) => saveState(name, one))
        : await old.plugin.examine((guest) => saveIsolatedState(name, guest));
    if (state === undefined) return false;
    if (next.at === "inline") next.plugin.examine((instance) => restoreState(name, instance, state));
    else await next.plugin.examine((guest) => restoreIsolatedState(name, guest, state));
    return true;
  }

  /**
   * Takes no more calls; those that run come to their end, which their deadlines bound, before the sandbox goes.
   * Resolves when all is closed.
   */
  drain(): Promise<void> {
    return new Promise((resolve) => {
      this.#guests.plugin.close(() => {
        this.sandbox.close();
        resolve();
      });
    });
  }
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
    const bind = (instance: Instance) => {
      giveSettings(options, (settings) => configure(context.name, instance, settings));
      return world.bind(instance, context);
    };
    return {
      at: "inline",
      plugin: new Plugin<unknown>({
        ...common,
        bind,
        clock: world.clock?.(context),
        instancesMax: Math.min(options.instancesMax, world.instancesMax ?? options.instancesMax),
      }),
    };
  }
  const bind = async (guest: IsolatedInstance) => {
    await giveIsolatedSettings(options, guest, artifact);
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

function giveSettings(options: PrepareOptions, give: (settings: Json) => boolean): void {
  const { settings, inspected } = options;
  if (settings === undefined || inspected.world.takesSettings === true) return;
  if (!give(settings)) throw takesNone(options);
}

async function giveIsolatedSettings(
  options: PrepareOptions,
  guest: IsolatedInstance,
  artifact: Artifact,
): Promise<void> {
  const { settings, inspected } = options;
  if (settings === undefined || inspected.world.takesSettings === true) return;
  const { name } = inspected.manifest;
  const isTaken = artifact.kind === "component" && (await configureIsolated(name, guest, settings));
  if (!isTaken) throw takesNone(options);
}

function takesNone({ inspected }: PrepareOptions): Error {
  const reason = `it does not export "${settingsInterface}"`;
  return managerErrors["settings-refused"]({ plugin: inspected.manifest.name, reason });
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
