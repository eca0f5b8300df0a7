/** Opens a manager: takes the folder, brings it into order, and starts the plugins that are enabled. */

import type { Bundle } from "../bundle/index.ts";
import { type Isolation, openIsolation } from "../engine/index.ts";
import type { Vocabulary } from "../policy/index.ts";
import { type AuditSink, sandboxOffers } from "../sandbox/index.ts";
import { gateAudit } from "./audit/gate-audit.ts";
import { auditLife } from "./audit/life-audit.ts";
import { AuditTrail } from "./audit/trail.ts";
import { BusSeats } from "./bus/bus-seats.ts";
import { EventBus } from "./bus/event-bus.ts";
import { CallObservers } from "./call-observer.ts";
import { returnOf } from "./changes/rollback.ts";
import { type ManagerClock, systemClock } from "./clock.ts";
import { Closing } from "./closing.ts";
import { type Asker, askNobody } from "./consent/asker.ts";
import { type Core, entryOf, gather, type Making, prepare, tellDifference, writeEntry } from "./core.ts";
import { managerErrors } from "./errors.ts";
import type { PluginHost } from "./host.ts";
import { tellPublisher } from "./install/decide.ts";
import { misfitOf, startOrder } from "./install/dependencies.ts";
import { replacedBy, settingsOfKept } from "./install/keep-version.ts";
import type { PluginSource } from "./install/source.ts";
import { backOffDefault } from "./life/back-off.ts";
import { breakerDefault } from "./life/breaker.ts";
import { ManagedPlugin } from "./managed-plugin.ts";
import { Manager } from "./manager.ts";
import { ManagerEvents, type ManagerListener } from "./manager-event.ts";
import type { PluginOwner } from "./plugin-owner.ts";
import type { ManagerPolicy } from "./policy.ts";
import { Rewrites, rewrittenBytesMaxDefault } from "./rewrites.ts";
import type { RunningVersion } from "./running-version.ts";
import { askSource, type SecretSource } from "./settings/secrets.ts";
import { SharedState } from "./shared-state/shared-state.ts";
import { BundleStore } from "./store/bundle-store.ts";
import { DataFolder } from "./store/data-folder.ts";
import { Entries, type Entry } from "./store/entry.ts";
import { type FileSystem, nodeFileSystem } from "./store/file-system.ts";
import { hold } from "./store/holder.ts";
import { recover } from "./store/recover.ts";
import { withCode } from "./with-code.ts";

export interface OpenManagerOptions {
  /** The manager's own; made when it is not there. Nobody else may write into it. */
  readonly folder: string;
  /** What plugins can run in. */
  readonly hosts: readonly PluginHost[];
  /** Default: only what a trusted key has signed runs, and everything is asked for. */
  readonly policy?: ManagerPolicy;
  /** Who consents. Default: nobody; what needs consent is held until `accept`. */
  readonly asker?: Asker;
  /** Those that the program has open already, as its settings name them: a plugin that runs one is made from it. */
  readonly bundles?: readonly Bundle[];
  /** Where plugins come from by name, the first that has one wins. Default: none. */
  readonly sources?: readonly PluginSource[];
  /** The text behind a secret's name. Default: there are no secrets. */
  readonly secrets?: SecretSource;
  /** Gets each passage through a gate. Default: the manager keeps an `AuditTrail` in its folder, of its decisions too. */
  readonly audit?: AuditSink;
  /** Told of everything from the beginning on. */
  readonly onEvent?: ManagerListener;
  /** False leaves all plugins as they are, until they are enabled: for whoever only looks. Default: true. */
  readonly startsPlugins?: boolean;
  /** The program, in its own words, for a second manager that is refused. Default: `a program`. */
  readonly who?: string;
  readonly clock?: ManagerClock;
  /** From 0 up to 1, for the jitter of back-offs. */
  readonly random?: () => number;
  /** For tests: the operations on the folder. */
  readonly files?: FileSystem;
}

/**
 * Opens a manager. What cannot be started is told as an event and tried again; it does not keep the others from
 * running.
 *
 * @throws manager/folder-held   another manager has the folder; says which, and since when
 * @throws manager/folder        the folder cannot be read or written
 * @throws manager/entry-damaged somebody edited an entry so that it cannot be read
 *
 * @example
 * await using manager = await openManager({ folder: "./plugins", hosts: [takPluginHost(options)] });
 * const geofence = await manager.install("./geofence.bundle");
 */
export async function openManager(options: OpenManagerOptions): Promise<Manager> {
  const { files = nodeFileSystem, clock = systemClock, who = "a program" } = options;
  const folder = new DataFolder(options.folder, files);
  const held = await hold(folder, { who, nowMs: clock.dateMs() });
  let trail: AuditTrail | undefined;
  try {
    if (options.audit === undefined) {
      trail = new AuditTrail({ folder: folder.at("audit"), nowMs: clock.dateMs });
    }
    const core = openCore(options, folder, held.holder.run, trail);
    if (options.onEvent !== undefined) core.events.listen(options.onEvent);
    const found = await core.files.readAll((host) => hostVocabulary(options.hosts, host));
    const { store, rewrites, files: entryFiles } = core;
    const { entries, recovered } = await recover(found, {
      folder,
      store,
      rewrites,
      files: entryFiles,
      killed: held.killed,
    });
    for (const [name, entry] of entries) core.entries.set(name, entry);
    for (const { plugin, ...how } of recovered) {
      core.events.tell({ kind: "recovered", plugin, atMs: clock.dateMs(), ...how });
    }
    const manager = new Manager(core, held, recovered, trail);
    if (options.startsPlugins ?? true) await startPlugins(core, options.bundles ?? []);
    return manager;
  } catch (error) {
    trail?.close();
    await held.release();
    throw error;
  }
}

/** One after the other, each in a turn of the event loop; while one is made, the disk is read for the next. */
async function startPlugins(core: Core, bundles: readonly Bundle[]): Promise<void> {
  const opened = new Map(bundles.map((bundle) => [bundle.digest, bundle]));
  const order = startOrder(core.entries);
  const makings = order.flatMap((entry) => makingOf(entry, opened));
  const begin = (making: Making | undefined) => {
    const gathered = making && gather(core, making);
    // Whoever makes the plugin meets the failure, when its turn comes.
    gathered?.catch(() => {});
    return gathered;
  };
  let next = begin(makings[0]);
  for (const [at, making] of makings.entries()) {
    const gathered = next;
    next = begin(makings[at + 1]);
    await startAtOpening(making, core, gathered);
    await new Promise(setImmediate);
  }
}

/** None for a plugin that does not run. */
function makingOf(
  { name, current, isEnabled, grants, settings }: Entry,
  opened: ReadonlyMap<string, Bundle>,
): Making[] {
  if (current === undefined || !isEnabled) return [];
  const bundle = opened.get(current.digest);
  return [{ name, version: current, grants, settings, ...(bundle !== undefined && { bundle }) }];
}

async function startAtOpening(
  making: Making,
  core: Core,
  gathered: Promise<Bundle> | undefined,
): Promise<void> {
  const plugin = core.pluginOf(making.name);
  try {
    await plugin.start(() => prepare(core, making, gathered));
  } catch {
    // The plugin knows why, and tells it.
    plugin.waitAndRetry();
  }
}

function openCore(
  options: OpenManagerOptions,
  folder: DataFolder,
  run: string,
  trail: AuditTrail | undefined,
): Core {
  const { hosts, policy = {}, clock = systemClock } = options;
  const plugins = new Map<string, ManagedPlugin>();
  const turns = new Map<string, Promise<unknown>>();
  /** By plugin: returns that are to be written down. */
  const returns = new Map<string, readonly (() => Promise<void>)[]>();
  let hasTurns = true;
  const walls = new Map<Isolation["level"], Isolation>();
  const closing = new Closing(folder.path);
  const { secrets = async () => undefined } = options;
  const core: Core = {
    folder,
    store: new BundleStore(folder),
    files: new Entries(folder),
    hosts,
    vocabulary: new Map(hosts.flatMap(({ vocabulary }) => [...vocabulary])),
    offers: sandboxOffers,
    policy,
    sources: options.sources ?? [],
    asker: options.asker ?? askNobody,
    secrets: (name, plugin) => closing.orLeave(() => askSource(secrets, name, plugin)),
    bus: new EventBus(),
    state: new SharedState(),
    audit: options.audit ?? (trail === undefined ? { write: () => {} } : gateAudit(trail)),
    clock,
    rewrites: new Rewrites(folder, policy.rewrittenBytesMax ?? rewrittenBytesMaxDefault),
    events: new ManagerEvents(),
    observers: new CallObservers(),
    signatures: new Map(),
    dropped: new Set(),
    run,
    isolation(level) {
      const wall = walls.get(level) ?? openIsolation(level);
      walls.set(level, wall);
      return wall;
    },
    async closeIsolations() {
      for (const wall of walls.values()) await wall.close();
    },
    entries: new Map(),
    removals: new Map(),
    plugins,
    closing,
    async alone(plugin, act) {
      if (!hasTurns) throw managerErrors.closed({ folder: folder.path });
      const before = turns.get(plugin);
      // Whoever was before has told its own caller how it ended.
      const turn = (before ?? Promise.resolve())
        .catch(() => {})
        .then(async () => {
          // What went back by itself is written down before whatever anybody has asked for meanwhile.
          const due = returns.get(plugin) ?? [];
          returns.delete(plugin);
          for (const write of due) await write();
          return act();
        });
      turns.set(plugin, turn);
      try {
        return await turn;
      } finally {
        if (turns.get(plugin) === turn) turns.delete(plugin);
      }
    },
    async closeTurns() {
      while (turns.size > 0) await Promise.allSettled(turns.values());
      hasTurns = false;
    },
    pluginOf(name) {
      let plugin = plugins.get(name);
      if (plugin === undefined) {
        plugin = new ManagedPlugin(name, owner);
        plugins.set(name, plugin);
      }
      return plugin;
    },
  };
  const seats = new BusSeats((plugin, { code, message: reason }) => {
    core.events.tell({ kind: "trouble", plugin, atMs: clock.dateMs(), code, reason });
  });
  core.events.listen(({ kind, plugin }) => {
    if (kind === "revoked") seats.narrowed(core.pluginOf(plugin));
  });
  const owner: PluginOwner = {
    supervisor: {
      clock,
      random: options.random ?? Math.random,
      breaker: { ...breakerDefault, ...policy.breaker },
      backOff: { ...backOffDefault, ...policy.backOff },
      probationMs: policy.probationMs ?? 30_000,
      healthEveryMs: policy.healthEveryMs ?? 30_000,
    },
    observers: core.observers,
    served: (plugin) => void seats.follow(core.pluginOf(plugin)),
    prepareAgain: (name) => prepareAgain(name, core),
    misfitOf: (name, version) => misfitOf(name, version, core.entries),
    returned: (name, to, failed) => {
      const write = () => writeReturn(core.pluginOf(name), { to, ...failed }, core);
      returns.set(name, [...(returns.get(name) ?? []), write]);
      core.alone(name, async () => {}).catch((error: unknown) => troubleOf(name, error, core));
    },
    tell: (event) => core.events.tell(event),
  };
  if (trail !== undefined) {
    core.events.listen((event) => auditLife(trail, event, (trouble) => core.events.tell(trouble)));
  }
  return core;
}

function prepareAgain(name: string, core: Core): Promise<RunningVersion> {
  return core.alone(name, async () => {
    const { current: version, grants, settings } = entryOf(core, name);
    // It was removed meanwhile, and another one of its name waits for consent.
    if (version === undefined)
      throw managerErrors["not-running"]({ plugin: name, state: "stopped", why: "" });
    return prepare(core, { name, version, grants, settings });
  });
}

/** A version failed and the one before it serves: the next start begins with that one too. For whoever has the plugin's turn. */
async function writeReturn(
  plugin: ManagedPlugin,
  returned: { readonly to: RunningVersion; readonly version: RunningVersion; readonly code: string },
  core: Core,
): Promise<void> {
  const { name } = plugin;
  const entry = core.entries.get(name);
  const { to, version: failed, code: failedWith } = returned;
  if (entry?.current?.digest !== failed.version.digest) return;
  // Whoever had the turn has removed it, or has made the one that failed serve again.
  if (core.plugins.get(name) !== plugin) return;
  if (plugin.serving?.version.digest === failed.version.digest) return;
  try {
    const kept = entry.previous.find(({ digest }) => digest === to.version.digest) ?? to.version;
    const others = entry.previous.filter((one) => one !== kept);
    const { publisher, ...given } = await returnOf(entry, kept, core);
    const settings = settingsOfKept(kept, entry);
    await writeEntry(core, {
      ...entry,
      ...given,
      current: to.version,
      settings,
      previous: [{ ...replacedBy(settings, entry.current, entry), failedWith }, ...others],
      last: { operation: "rollback", from: failed.version.version, run: core.run },
    });
    tellPublisher({ plugin: name, version: to.version.version, publisher }, core);
    tellDifference(core, name, entry);
  } catch (error) {
    // The old version serves all the same; the next start will meet the new one again.
    troubleOf(name, error, core);
  }
}

function troubleOf(plugin: string, error: unknown, { events, clock }: Core): void {
  const { code, message: reason } = withCode(error, plugin);
  events.tell({ kind: "trouble", plugin, atMs: clock.dateMs(), code, reason });
}

function hostVocabulary(hosts: readonly PluginHost[], name: string): Vocabulary | undefined {
  return hosts.find((host) => host.name === name)?.vocabulary;
}
