/**
 * An install, and everything like it, in nine steps. Steps 1 to 5 run no guest code. Whatever stops one of them, the
 * version that runs goes on, and one error names the step.
 */

import type { Bundle, Json, Trust } from "../../bundle/index.ts";
import { checkImports, type Grant } from "../../policy/index.ts";
import { busHostFunctions } from "../bus/plugin-bus.ts";
import { checkDependents, interfaceNames, interfacesFor } from "../calls/plugin-interfaces.ts";
import { changeGrants } from "../changes/remake.ts";
import { switchTo } from "../changes/switch.ts";
import type { ConsentItem, ConsentRequest } from "../consent/asker.ts";
import { grantsOf, mergeGrants, sortRequest, withoutGrants } from "../consent/decide-request.ts";
import {
  type Core,
  grantsFor,
  inStore,
  inspectOptions,
  prepare,
  rulesOf,
  tellOf,
  writeEntry,
} from "../core.ts";
import { type Doing, inStep, managerErrors } from "../errors.ts";
import type { ManagedPlugin } from "../managed-plugin.ts";
import { checkSettings } from "../settings/settings.ts";
import { grantsPassedOn } from "../signer.ts";
import type { Entry, InstalledVersion, Operation } from "../store/entry.ts";
import { checkUnneeded, dependents } from "./dependencies.ts";
import { type PluginRef, type Resolved, resolve } from "./fetch.ts";
import { type Inspected, inspect, placeOf } from "./inspect.ts";
import { planInstall, type Verified } from "./plan.ts";

export interface InstallOptions {
  /** To begin with, in place of those that are kept. */
  readonly settings?: Json;
  /** Whether the plugin runs from now on. Default: true for a new one, and for others as they are. */
  readonly isEnabled?: boolean;
  /** False lets a new version begin without what the old one kept in memory. Default: true. */
  readonly state?: boolean;
  /** Answers in place of the manager's asker. */
  readonly asker?: Core["asker"];
}

/** What steps 1 to 5 found, for the other four. */
export interface Accepted {
  readonly bytes: Uint8Array;
  readonly bundle: Bundle;
  readonly origin: string;
  readonly inspected: Inspected;
  /** The entry that this was decided by. */
  readonly basis: Entry | undefined;
  /** By consent, in all. */
  readonly grants: readonly Grant[];
  readonly refused: readonly Grant[];
}

export async function install(
  ref: PluginRef,
  core: Core,
  options: InstallOptions = {},
): Promise<ManagedPlugin> {
  const label = typeof ref === "string" ? ref : ref.origin;
  const found = await inStep("resolve", label, () => resolve(ref, core.sources));
  return installFirst(found, label, core, options);
}

/** Steps 2 to 9 with the first of these that can run here, and before it with what that one needs. */
export async function installFirst(
  found: readonly Resolved[],
  label: string,
  core: Core,
  options: InstallOptions,
): Promise<ManagedPlugin> {
  const { wanted, needed } = await planInstall(found, label, core);
  for (const one of needed) await installOne(await one(), core, {});
  return installOne(wanted, core, options);
}

/** Steps 4 to 9. What it needs is there. */
async function installOne(
  { bytes, bundle, trust, origin }: Verified,
  core: Core,
  options: InstallOptions,
): Promise<ManagedPlugin> {
  const { name } = bundle.manifest;
  const inspected = await inStep("inspect", name, async () => {
    const { file } = placeOf(bundle, inspectOptions(core, name));
    await checkDependents(bundle, file, dependents(name, core.entries).keys(), core);
    const provided = await interfacesFor(bundle, file, core);
    return inspect(bundle, inspectOptions(core, name, provided));
  });
  const source = { bytes, bundle, origin, inspected, basis: core.entries.get(name) };
  const given = await inStep("decide", name, () => decideHere(source, trust, core, options));
  return takeIn({ ...source, ...given }, core, options);
}

/** Steps 6 to 9, one change of a plugin after the other. */
export function takeIn(accepted: Accepted, core: Core, options: InstallOptions): Promise<ManagedPlugin> {
  const { name } = accepted.inspected.manifest;
  return core.alone(name, async () => {
    const before = core.entries.get(name);
    await inStep("decide", name, () => {
      // Consent may take days, and was for the difference to what there was.
      if (before !== accepted.basis) throw managerErrors["changed-meanwhile"]({ plugin: name });
      if (options.isEnabled === false && before?.isEnabled === true)
        checkUnneeded(name, "disable", core.entries);
    });
    if (before?.current?.digest === accepted.bundle.digest && options.settings === undefined) {
      await takeGrants(before, accepted, core, options);
    } else {
      const placed = await inStep("place", name, () => place(accepted, core, options));
      const { bundle } = accepted;
      await change(placed, core, { bundle, state: options.state ?? true, settings: options.settings });
    }
    const grants = withoutGrants(accepted.grants, before?.grants ?? [], core.vocabulary);
    if (grants.length > 0) tellOf(core, name, { kind: "granted", grants });
    return core.pluginOf(name);
  });
}

/** A candidate that is placed; the entry without it is what to go back to. */
export interface Placed {
  readonly entry: Entry & { readonly candidate: NonNullable<Entry["candidate"]> };
  /** What was there; undefined for a first install. */
  readonly before: Entry | undefined;
}

/**
 * Steps 7 to 9, for whatever brings another version: an install, an update, a rollback.
 *
 * @throws manager/prepare manager/hand-over manager/swap the version that ran goes on, on disk too
 */
export async function change(
  { entry, before }: Placed,
  core: Core,
  {
    bundle,
    state,
    settings,
  }: {
    /** Of the candidate, where it is open already. */
    readonly bundle?: Bundle;
    readonly state: boolean;
    readonly settings?: Json | undefined;
  },
): Promise<ManagedPlugin> {
  const { name, candidate } = entry;
  const { operation, ...version } = candidate;
  const doing = doingOf[operation];
  const plugin = core.pluginOf(name);
  let hasStarted = false;
  let hasTakenOver = false;
  try {
    const making = { name, version, grants: entry.grants, settings, ...(bundle !== undefined && { bundle }) };
    if (entry.isEnabled && !plugin.hasStarted) {
      hasStarted = true;
      await inStep("prepare", name, () => plugin.start(() => prepare(core, making)), doing);
    } else {
      const next = await inStep("prepare", name, () => prepare(core, making), doing);
      // A plugin that is disabled is made to see whether it can be, and not to run.
      if (!entry.isEnabled) await next.drain();
      else await inStep("hand-over", name, () => plugin.takeOver(next, { state }), doing);
      hasTakenOver = entry.isEnabled;
    }
    const swap = async () => {
      if (settings !== undefined) await core.settings.write(name, settings);
      await writeEntry(core, takenOver(entry, core));
    };
    await inStep("swap", name, swap, doing);
  } catch (error) {
    if (hasTakenOver) plugin.takeBack();
    if (hasStarted) await plugin.stop();
    await undo({ entry, before }, core);
    throw error;
  }
  if (entry.isEnabled) plugin.settle({ hasProbation: true });
  else await plugin.stop();
  const from = before?.current?.version ?? "";
  const { version: to, origin } = version;
  tellOf(core, name, { kind: "changed", operation, from, to, origin });
  if (before?.current !== undefined && before.isEnabled !== entry.isEnabled) {
    tellOf(core, name, { kind: entry.isEnabled ? "enabled" : "disabled" });
  }
  return plugin;
}

const doingOf: Readonly<Record<Operation, Doing>> = {
  install: "install",
  update: "update",
  rollback: "roll back",
  remove: "remove",
};

/**
 * Step 5: policy first, then what it has, then whoever can consent; for an update by the same publisher only the difference is
 * asked.
 */
async function decideHere(
  source: Omit<Accepted, "grants" | "refused">,
  trust: Trust,
  core: Core,
  { asker = core.asker }: InstallOptions,
): Promise<Pick<Accepted, "grants" | "refused">> {
  const { manifest } = source.inspected;
  const { name, version } = manifest;
  const { basis: entry } = source;
  const { vocabulary } = core;
  if (entry !== undefined && entry.host !== manifest.host.name) {
    throw managerErrors["other-host"]({ plugin: name, host: entry.host, found: manifest.host.name });
  }
  const given = await grantsPassedOn(entry, source.bundle, core);
  const refused = entry?.refused ?? [];
  const sorted = sortRequest(manifest.capabilities, {
    vocabulary,
    rules: rulesOf(core, name),
    given,
    refused,
  });
  if (sorted.asked.length === 0) return linkable({ grants: given, refused }, source, core);
  const request: ConsentRequest = {
    plugin: name,
    version,
    origin: source.origin,
    current: entry?.current?.version,
    trust: { level: trust.level, text: trust.text },
    items: sorted.asked,
    granted: sorted.granted,
    denied: sorted.denied,
  };
  const consent = await asker(request);
  switch (consent.kind) {
    case "refused":
      throw managerErrors.refused({ plugin: name, by: consent.by });
    case "later":
      await holdBack(source, request, core);
      throw managerErrors.held({ plugin: name, version, items: sorted.asked.map(itemText) });
    case "given":
      return linkable(withConsent({ given, refused }, sorted.asked, consent.items, core), source, core);
  }
}

/** What was asked is given or refused; nothing that was not asked is given. */
export function withConsent(
  { given, refused }: { readonly given: readonly Grant[]; readonly refused: readonly Grant[] },
  asked: readonly ConsentItem[],
  accepted: readonly Pick<ConsentItem, "capability" | "target">[],
  { vocabulary }: Core,
): Pick<Accepted, "grants" | "refused"> {
  const isAccepted = (item: ConsentItem) =>
    accepted.some(({ capability, target }) => capability === item.capability && target === item.target);
  const yes = asked.filter(isAccepted);
  const no = asked.filter((item) => !isAccepted(item));
  return {
    grants: mergeGrants(vocabulary, given, grantsOf(yes, vocabulary)),
    refused: mergeGrants(vocabulary, refused, grantsOf(no, vocabulary)),
  };
}

/** With less than it declares it may still do without; what it imports it needs. */
export function linkable(
  decided: Pick<Accepted, "grants" | "refused">,
  { inspected, bundle }: Omit<Accepted, "grants" | "refused">,
  core: Core,
): Pick<Accepted, "grants" | "refused"> {
  const { manifest, world } = inspected;
  const check = checkImports(bundle.artifactNames().imports, {
    plugin: manifest.name,
    hostFunctions: [...world.hostFunctions, ...busHostFunctions, ...interfaceNames(inspected.provided)],
    offers: core.offers,
    grants: grantsFor(core, inspected, decided.grants),
  });
  if (check.kind === "refused") throw check.error;
  return decided;
}

export function itemText({ capability, target }: Pick<ConsentItem, "capability" | "target">): string {
  return target === undefined ? capability : `${capability} ${target}`;
}

/** Kept, and not run, until somebody says so. */
function holdBack(
  source: Omit<Accepted, "grants" | "refused">,
  request: ConsentRequest,
  core: Core,
): Promise<void> {
  const { name } = source.inspected.manifest;
  return core.alone(name, async () => {
    await inStore(core, async () => {
      const held = await keepVersion(source, core);
      const before = core.entries.get(name) ?? emptyEntry(source.inspected);
      await writeEntry(core, { ...before, held });
    });
    core.events.tell({ kind: "held", plugin: name, atMs: core.clock.dateMs(), request });
  });
}

/** What is longer is no path. */
const originCharsMax = 4_096;

async function keepVersion(
  { bytes, bundle, origin, inspected }: Omit<Accepted, "grants" | "refused">,
  core: Core,
): Promise<InstalledVersion> {
  return {
    version: inspected.manifest.version,
    digest: bundle.digest,
    sha256: await core.store.keep(bytes),
    origin: origin.slice(0, originCharsMax),
    installedAt: new Date(core.clock.dateMs()).toISOString(),
    needs: Object.fromEntries(inspected.manifest.dependencies),
  };
}

function emptyEntry({ manifest, host }: Inspected): Entry {
  return {
    name: manifest.name,
    host: host.name,
    isEnabled: true,
    current: undefined,
    candidate: undefined,
    held: undefined,
    previous: [],
    grants: [],
    refused: [],
    isRemoved: false,
    removesData: false,
    last: undefined,
  };
}

/** Step 6: the bundle into the store, then the entry with its candidate. */
async function place(accepted: Accepted, core: Core, options: InstallOptions): Promise<Placed> {
  const { inspected, grants, refused } = accepted;
  const { manifest } = inspected;
  if (options.settings !== undefined) checkSettings(manifest.name, manifest.settings, options.settings);
  const before = core.entries.get(manifest.name);
  const operation: Operation = before?.current === undefined ? "install" : "update";
  return inStore(core, async () => {
    const entry = {
      ...(before ?? emptyEntry(inspected)),
      isEnabled: options.isEnabled ?? before?.isEnabled ?? true,
      candidate: { ...(await keepVersion(accepted, core)), operation },
      held: undefined,
      grants,
      refused,
    };
    await writeEntry(core, entry);
    return { entry, before };
  });
}

/** The same version again: what was given anew is kept, and reaches the guests that run. */
async function takeGrants(
  before: Entry,
  { grants, refused }: Accepted,
  core: Core,
  { isEnabled = before.isEnabled }: InstallOptions,
): Promise<void> {
  const { name } = before;
  const entry = { ...before, grants, refused, held: undefined };
  const added = withoutGrants(grants, before.grants, core.vocabulary);
  if (added.length > 0 && isEnabled && before.isEnabled) await changeGrants(before, entry, core);
  else await inStep("place", name, () => writeEntry(core, entry));
  await switchTo(isEnabled, entry, core);
}

function takenOver(entry: Placed["entry"], core: Core): Entry {
  const { operation, ...current } = entry.candidate;
  const before = entry.current;
  const others = entry.previous.filter(
    ({ digest }) => digest !== current.digest && digest !== before?.digest,
  );
  const previous = [...(before === undefined ? [] : [before]), ...others];
  return {
    ...entry,
    current,
    candidate: undefined,
    previous: previous.slice(0, core.policy.versionsKept ?? 5),
    last: { operation, from: before?.version ?? "", run: core.run },
  };
}

/** What is written goes back to what was; calls do already. */
async function undo({ entry, before }: Placed, core: Core): Promise<void> {
  const { name } = entry;
  if (before?.current === undefined) core.plugins.delete(name);
  if (before === undefined) core.entries.delete(name);
  else core.entries.set(name, before);
  try {
    if (before === undefined) await core.files.remove(name);
    else await core.files.write(before);
  } catch {
    // The disk that stopped the change may refuse this too. A candidate is dropped by whoever opens the folder next.
  }
}
