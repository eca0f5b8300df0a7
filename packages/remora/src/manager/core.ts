/** What the parts of a manager share: its folder, what it knows of each plugin, and how a version of one is made. */

import { isDeepStrictEqual } from "node:util";
import { isRemoraError, nearNames } from "../base/index.ts";
import {
  type Bundle,
  type Isolation,
  isolations,
  type Json,
  openBundle,
  type SignatureState,
} from "../bundle/index.ts";
import { type Artifact, type Isolation as IsolationWalls, openArtifact } from "../engine/index.ts";
import type { Grant, ImportOffer, Rules, Vocabulary } from "../policy/index.ts";
import type { AuditSink } from "../sandbox/index.ts";
import type { EventBus } from "./bus/event-bus.ts";
import type { CallObservers } from "./call-observer.ts";
import { interfacesFor } from "./calls/plugin-interfaces.ts";
import type { ManagerClock } from "./clock.ts";
import type { Closing } from "./closing.ts";
import type { Asker } from "./consent/asker.ts";
import { mergeGrants, sortRequest, withoutGrants } from "./consent/decide-request.ts";
import { managerErrors } from "./errors.ts";
import type { PluginHost } from "./host.ts";
import { type Inspected, type InspectOptions, placeOf } from "./install/inspect.ts";
import type { PluginSource } from "./install/source.ts";
import type { ManagedPlugin } from "./managed-plugin.ts";
import type { EventWithoutPlace, ManagerEvent, ManagerEvents } from "./manager-event.ts";
import { limitsMaxDefault, type ManagerPolicy, type PluginPolicy } from "./policy.ts";
import type { Rewrites } from "./rewrites.ts";
import { makeVersion, type RunningVersion } from "./running-version.ts";
import type { SecretSource } from "./settings/secrets.ts";
import { resolveSettings } from "./settings/settings.ts";
import type { SharedState } from "./shared-state/shared-state.ts";
import { checkUnrevoked } from "./signer.ts";
import type { BundleStore } from "./store/bundle-store.ts";
import type { DataFolder, Draft } from "./store/data-folder.ts";
import {
  type Entries,
  type Entry,
  type InstalledVersion,
  type UsedBundles,
  usedBundles,
} from "./store/entry.ts";

export interface Core {
  readonly folder: DataFolder;
  readonly store: BundleStore;
  readonly files: Entries;
  readonly hosts: readonly PluginHost[];
  /** Of all hosts together. */
  readonly vocabulary: Vocabulary;
  readonly offers: readonly ImportOffer[];
  readonly policy: ManagerPolicy;
  readonly sources: readonly PluginSource[];
  readonly asker: Asker;
  readonly secrets: SecretSource;
  readonly audit: AuditSink;
  /** Between all plugins, and with the host. */
  readonly bus: EventBus;
  readonly state: SharedState;
  readonly clock: ManagerClock;
  readonly rewrites: Rewrites;
  /** The level, opened when it is first needed, one for all plugins. */
  isolation(level: Isolation): IsolationWalls;
  /** Closes all levels that were opened. */
  closeIsolations(): Promise<void>;
  readonly events: ManagerEvents;
  readonly observers: CallObservers;
  /** Of bundles that are kept, by the SHA-256 of their files: what `trustOfKept` has read. */
  readonly signatures: Map<string, SignatureState>;
  /** Those that an entry has named and does not any more, by the same: of one that nothing uses, the files go. */
  readonly dropped: Set<string>;
  /** Of this opening of the folder. */
  readonly run: string;
  readonly entries: Map<string, Entry>;
  /** Plugins that are gone while something of them is still in the folder. */
  readonly removals: Map<string, Entry>;
  readonly plugins: Map<string, ManagedPlugin>;
  readonly closing: Closing;
  /** Runs one change of a plugin after the other. @throws manager/closed after `closeTurns` */
  alone<Result>(plugin: string, act: () => Promise<Result>): Promise<Result>;
  /** Resolves when nobody has a turn any more; from then on nobody gets one. */
  closeTurns(): Promise<void>;
  /** The plugin, made if it was not there before. */
  pluginOf(name: string): ManagedPlugin;
}

export function policyOf(core: Core, plugin: string): PluginPolicy {
  const { plugins = {} } = core.policy;
  return (Object.hasOwn(plugins, plugin) ? plugins[plugin] : undefined) ?? {};
}

export function rulesOf(core: Core, plugin: string): Rules {
  const { grants = [], denials = [], consents } = core.policy;
  const own = policyOf(core, plugin);
  return {
    grants: [...grants, ...(own.grants ?? [])],
    denials: [...denials, ...(own.denials ?? [])],
    ...(consents !== undefined && { consents }),
  };
}

export function inspectOptions(
  core: Core,
  plugin: string,
  provided: InspectOptions["provided"] = [],
): InspectOptions {
  const { limits = {}, limitsMax = {}, limitsMaxInline = {}, isolation = "inline" } = core.policy;
  const own = policyOf(core, plugin);
  const stronger = Math.max(isolations.indexOf(isolation), isolations.indexOf(own.isolation ?? "inline"));
  return {
    hosts: core.hosts,
    offers: core.offers,
    limits,
    limitsOwn: own.limits ?? {},
    limitsMax: { ...limitsMaxDefault, ...limitsMax },
    limitsMaxInline,
    isolation: isolations[stronger] ?? "inline",
    provided,
  };
}

/** All that a plugin may do: by policy, by consent, and what all plugins of its world may. */
export function grantsFor(core: Core, { manifest, world }: Inspected, given: readonly Grant[]): Grant[] {
  const rules = rulesOf(core, manifest.name);
  const { granted } = sortRequest(manifest.capabilities, {
    vocabulary: core.vocabulary,
    rules,
    given,
    refused: [],
  });
  return mergeGrants(core.vocabulary, world.compatibleGrants ?? [], granted, given);
}

export interface Making {
  readonly name: string;
  readonly version: InstalledVersion;
  readonly grants: readonly Grant[];
  /** As they are kept. */
  readonly settings: Json | undefined;
  /** The version's, where it is open already; else it is read from the store. */
  readonly bundle?: Bundle;
  /** Of that bundle, where it is open already. */
  readonly artifact?: Artifact | undefined;
}

/**
 * Reads what a version is made of, all at once, and makes its folder.
 *
 * @throws manager/store-damaged manager/folder
 */
export async function gather(core: Core, { name, version, bundle }: Making): Promise<Bundle> {
  const { vocabulary, store, folder } = core;
  const reading = [
    bundle ?? store.read(version.sha256).then((bytes) => openBundle(bytes, { vocabulary })),
    folder.makeFolder("data", name, "files"),
  ] as const;
  // Nothing of it goes on behind the back of whoever is told that one of them failed.
  await Promise.allSettled(reading);
  const [opened] = await Promise.all(reading);
  return opened;
}

/**
 * Step 7: makes a version of a plugin from the store.
 *
 * @param gathered What `gather` gives for it, where that was begun already.
 * @throws manager/store-damaged manager/untrusted manager/no-host … and as `RunningVersion`
 */
export async function prepare(
  core: Core,
  making: Making,
  gathered: Promise<Bundle> = gather(core, making),
): Promise<RunningVersion> {
  const { name, version } = making;
  const startedMs = core.clock.monotonicMs();
  const tell = (failure: { readonly code?: string }) => {
    const tookMs = core.clock.monotonicMs() - startedMs;
    tellOf(core, name, { kind: "prepared", version: version.version, tookMs, ...failure });
  };
  try {
    const made = await make(core, making, gathered);
    tell({});
    return made;
  } catch (error) {
    tell({ code: isRemoraError(error) ? error.code : "unknown" });
    throw error;
  }
}

async function make(core: Core, making: Making, gathered: Promise<Bundle>): Promise<RunningVersion> {
  const { name, version, grants } = making;
  const bundle = await gathered;
  checkUnrevoked(bundle, core);
  // The policy may have changed since it was installed; what it imports is compared once more when it is linked.
  const place = placeOf(bundle, inspectOptions(core, name));
  const inspected = { ...place, provided: await interfacesFor(bundle, place.file, core) };
  const { settings: schema } = bundle.manifest;
  const settings = await resolveSettings(name, schema, making.settings, core.secrets);
  const { clock, policy } = core;
  return makeVersion({
    version,
    inspected,
    artifact: making.artifact ?? artifactOf(core, inspected, { bundle, sha256: version.sha256 }),
    pluginOf: (needs) => core.pluginOf(needs),
    grants: grantsFor(core, inspected, grants),
    denials: rulesOf(core, name).denials ?? [],
    settings,
    sandbox: policyOf(core, name).sandbox,
    dataFolder: core.folder.at("data", name),
    isolation: inspected.isolation === "inline" ? undefined : core.isolation(inspected.isolation),
    house: core,
    busDepth: core.pluginOf(name).busDepth,
    instancesMax: policy.instancesMax ?? 8,
    latency: core.pluginOf(name).latency,
    audit: core.audit,
    nowMs: clock.dateMs,
    log: (level, text) => tellOf(core, name, { kind: "log", level, text }),
  });
}

/**
 * What a bundle runs here. What is made of it is kept beside the bundle.
 *
 * @throws wasm/… component/…
 */
export function artifactOf(
  core: Core,
  { manifest, file }: Inspected,
  { bundle, sha256 }: { readonly bundle: Bundle; readonly sha256: string },
): Artifact {
  const bytes = bundle.read(file);
  const known = bundle.digestOfOwn(file);
  return openArtifact(bytes, {
    plugin: manifest.name,
    cache: core.rewrites.cacheOf(sha256),
    ...(known !== undefined && { sha256: known }),
  });
}

/** Writes an entry, in one step for whoever reads the folder, and then for whoever asks this manager. */
export async function writeEntry(core: Core, entry: Entry): Promise<void> {
  const draft = await draftEntry(core, entry);
  await draft.place();
}

/** All of `writeEntry` that takes time, for whoever has other things to do before it. */
export async function draftEntry(core: Core, entry: Entry): Promise<Draft> {
  const draft = await core.files.draft(entry);
  const entered = <Result>(result: Result): Result => {
    const before = core.entries.get(entry.name);
    core.entries.set(entry.name, entry);
    if (before !== undefined) collectDropped(before, core);
    return result;
  };
  return {
    discard: draft.discard,
    place: async () => entered(await draft.place()),
    put: async () => entered(await draft.put()),
  };
}

/** Removes the bundles that no entry names any more, and what was made of them. */
export function collectBundles(core: Core): Promise<void> {
  return inStore(core, async () => {
    const used = bundlesInUse(core);
    for (const sha256 of core.signatures.keys()) if (!used.kept.has(sha256)) core.signatures.delete(sha256);
    await core.store.keepOnly(used.kept);
    await core.rewrites.trim(used);
  });
}

/**
 * The same for those that this entry named and the one in its place does not: behind whoever has changed it, so that only
 * closing the manager waits for it. What the disk keeps goes with the next of them, or with the next start.
 */
export function collectDropped(before: Entry, core: Core): void {
  const after = core.entries.get(before.name);
  const { kept } = usedBundles(after === undefined ? [] : [after]);
  const dropped = [...usedBundles([before]).kept].filter((sha256) => !kept.has(sha256));
  if (dropped.length === 0) return;
  for (const sha256 of dropped) core.dropped.add(sha256);
  removeDropped(core).catch((error: unknown) => {
    if (!isRemoraError(error)) throw error;
  });
}

function removeDropped(core: Core): Promise<void> {
  return inStore(core, async () => {
    // The answer comes first, and with it the end of a version whose probation takes no time.
    await new Promise(setImmediate);
    const { kept } = bundlesInUse(core);
    for (const sha256 of core.dropped) if (!kept.has(sha256)) await removeBundle(sha256, core);
  });
}

async function removeBundle(sha256: string, core: Core): Promise<void> {
  core.signatures.delete(sha256);
  try {
    await core.store.remove(sha256);
    await core.rewrites.remove(sha256);
    core.dropped.delete(sha256);
  } catch (error) {
    // One that the disk keeps keeps no other one.
    if (!isRemoraError(error)) throw error;
  }
}

/** By the entries, and by the plugins: a version may return that no entry names. */
function bundlesInUse({ entries, plugins }: Core): UsedBundles {
  const { kept, inUse } = usedBundles(entries.values());
  const ready = [...plugins.values()].flatMap(({ serving, versionBefore }) => [
    ...(serving === undefined ? [] : [serving.version.sha256]),
    ...(versionBefore === undefined ? [] : [versionBefore.sha256]),
  ]);
  return { kept: new Set([...kept, ...ready]), inUse };
}

/** One after the other: a bundle that is kept, and whose entry is not written yet, is not taken for one without any. */
export function inStore<Result>(core: Core, act: () => Promise<Result>): Promise<Result> {
  return core.alone("", act);
}

/**
 * As `alone`, for a change that counts on other plugins: none of them is changed meanwhile. In one order for all, so that nobody waits
 * for whoever waits for him.
 */
export function aloneAmong<Result>(
  core: Core,
  plugin: string,
  needs: Iterable<string>,
  act: () => Promise<Result>,
): Promise<Result> {
  const names = [...new Set([plugin, ...needs])].sort();
  return names.reduceRight((inner, name) => () => core.alone(name, inner), act)();
}

/** @throws manager/no-such-plugin with near names */
export function entryOf({ entries }: Core, name: string): Entry {
  const entry = entries.get(name);
  if (entry !== undefined) return entry;
  throw managerErrors["no-such-plugin"]({
    name,
    near: nearNames(name, entries.keys()),
    here: [...entries.keys()],
  });
}

/** Tells an event of a plugin, as of now. */
export function tellOf(core: Core, plugin: string, event: EventWithoutPlace): void {
  // The parts of a union are told one by one, and each with its place is whole.
  core.events.tell({ ...event, plugin, atMs: core.clock.dateMs() } as ManagerEvent);
}

/** What a plugin was given, and set to, with another version: what its entry has now and had not before, and the other way round. */
export function tellDifference(core: Core, name: string, before: Entry | undefined): void {
  const { grants = [], settings } = core.entries.get(name) ?? {};
  const had = before?.grants ?? [];
  const granted = withoutGrants(grants, had, core.vocabulary);
  const revoked = withoutGrants(had, grants, core.vocabulary);
  if (granted.length > 0) tellOf(core, name, { kind: "granted", grants: granted });
  if (revoked.length > 0) tellOf(core, name, { kind: "revoked", grants: revoked });
  if (!isDeepStrictEqual(before?.settings, settings)) tellOf(core, name, { kind: "settings" });
}
