/**
 * An install, and everything like it, in nine steps. Steps 1 to 5 run no guest code. Whatever stops one of them, the
 * version that runs goes on, and one error names the step.
 */

import { isRemoraError } from "../../base/index.ts";
import type { Bundle, Json, TrustRule } from "../../bundle/index.ts";
import type { Artifact } from "../../engine/index.ts";
import { checkDependents, interfacesFor } from "../calls/plugin-interfaces.ts";
import { changeGrants } from "../changes/remake.ts";
import { removeRest } from "../changes/remove.ts";
import { enableNow, switchTo } from "../changes/switch.ts";
import { withoutGrants } from "../consent/decide-request.ts";
import {
  aloneAmong,
  artifactOf,
  type Core,
  draftEntry,
  inStore,
  inspectOptions,
  tellDifference,
  tellOf,
  writeEntry,
} from "../core.ts";
import { type Doing, inStep, managerErrors, stepFailed } from "../errors.ts";
import type { ManagedPlugin } from "../managed-plugin.ts";
import { checkSettings } from "../settings/settings.ts";
import { isRevokedNow, isStranger } from "../signer.ts";
import { sha256Of } from "../store/bundle-store.ts";
import type { Entry, InstalledVersion, Operation } from "../store/entry.ts";
import { type Accepted, decideAnew, decideHere } from "./decide.ts";
import { checkNeedsHere, checkUnneeded, dependents } from "./dependencies.ts";
import { type PluginRef, type Resolved, resolve } from "./fetch.ts";
import { type Inspected, inspect, placeOf } from "./inspect.ts";
import { firstEntry, versionOf } from "./keep-version.ts";
import { checkFits, planInstall, type Verified } from "./plan.ts";
import { change, discard, type Placed } from "./take-over.ts";

export interface InstallOptions {
  /** To begin with, in place of those that are kept. */
  readonly settings?: Json;
  /** Whether the plugin runs from now on. Default: true for a new one, and for others as they are. */
  readonly isEnabled?: boolean;
  /** False lets a new version begin without what the old one kept in memory. Default: true. */
  readonly state?: boolean;
  /** Answers in place of the manager's asker. */
  readonly asker?: Core["asker"];
  /**
   * The lowest level of trust that this very bundle runs by, in place of the policy's: whoever installs it vouches for it. It
   * holds for as long as the version is kept, and not for what it needs.
   */
  readonly trust?: TrustRule | undefined;
}

export async function install(
  ref: PluginRef,
  core: Core,
  options: InstallOptions = {},
): Promise<ManagedPlugin> {
  const label = typeof ref === "string" ? ref : ref.origin;
  const found = await core.closing.orLeave(() => inStep("resolve", label, () => resolve(ref, core.sources)));
  return installFirst(found, label, core, options);
}

/** Steps 2 to 9 with the first of these that can run here, and before it with what that one needs. */
export async function installFirst(
  found: readonly Resolved[],
  label: string,
  core: Core,
  options: InstallOptions,
): Promise<ManagedPlugin> {
  const { closing } = core;
  const { wanted, needed } = await closing.orLeave(() => planInstall(found, label, core, options.trust));
  const { name } = wanted.bundle.manifest;
  // Before what it needs is installed, and anybody is asked.
  await inStep("resolve", name, async () => checkCanRun(wanted.bundle, willRun(name, core, options), core));
  for (const one of needed) {
    await neededBy(name, async () => installOne(await closing.orLeave(one), core, {}));
  }
  return installOne(wanted, core, options);
}

/** One that waits for consent says for whom: that one is not installed yet, and does not wait itself. */
async function neededBy<Result>(wanted: string, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act();
  } catch (error) {
    if (!isRemoraError(error) || !isRemoraError(error.cause, "manager/held")) throw error;
    const held = error.cause.details as unknown as HeldFacts; // as its row in the table has it
    throw stepFailed("decide", held.plugin, managerErrors.held({ ...held, neededBy: wanted }));
  }
}

type HeldFacts = Parameters<typeof managerErrors.held>[0];

/** Steps 4 to 9. What it needs is there. */
async function installOne(
  { bytes, bundle, trust, origin }: Verified,
  core: Core,
  options: InstallOptions,
): Promise<ManagedPlugin> {
  const { name } = bundle.manifest;
  const inspected = await inStep("inspect", name, async () => {
    const file = await fileFor(bundle, core);
    const provided = await interfacesFor(bundle, file, core);
    return inspect(bundle, inspectOptions(core, name, provided));
  });
  const basis = core.entries.get(name);
  const { trust: vouched, settings, isEnabled, state } = options;
  const wishes = { settings, isEnabled, state };
  const source = { bytes, bundle, origin, inspected, basis, vouched, wishes };
  const given = await inStep("decide", name, () =>
    decideHere(source, trust, core, options.asker ?? core.asker),
  );
  return takeIn({ ...source, ...given }, core, options);
}

/** Whether a plugin is to run when its version has taken over. */
function willRun(name: string, core: Core, options: InstallOptions): boolean {
  return options.isEnabled ?? core.entries.get(name)?.isEnabled ?? true;
}

/** @throws manager/unmet-needs */
function checkCanRun({ manifest }: Bundle, isEnabled: boolean, core: Core): void {
  if (isEnabled) checkNeedsHere(manifest.name, manifest.dependencies.keys(), core.entries);
}

/**
 * Steps 3 and 4 once more, as far as others are concerned: they may have come, gone or changed since.
 *
 * @throws manager/resolve manager/inspect
 */
export async function checkAmongOthers(
  bundle: Bundle,
  core: Core,
  { isEnabled, doing }: { readonly isEnabled: boolean; readonly doing?: Doing },
): Promise<void> {
  const { name } = bundle.manifest;
  const check = async () => {
    await checkFits(bundle, core);
    checkCanRun(bundle, isEnabled, core);
  };
  await inStep("resolve", name, check, doing);
  await inStep("inspect", name, () => fileFor(bundle, core), doing);
}

/**
 * The artifact of it that runs here, with which those that need the plugin can go on.
 *
 * @throws manager/… as `placeOf` and `checkDependents`
 */
async function fileFor(bundle: Bundle, core: Core): Promise<string> {
  const { name } = bundle.manifest;
  const { file } = placeOf(bundle, inspectOptions(core, name));
  await checkDependents(bundle, file, dependents(name, core.entries).keys(), core);
  return file;
}

/** Steps 6 to 9, one change of a plugin after the other. */
function takeIn(accepted: Accepted, core: Core, options: InstallOptions): Promise<ManagedPlugin> {
  const { name } = accepted.inspected.manifest;
  return aloneAmong(core, name, accepted.bundle.manifest.dependencies.keys(), async () => {
    core.closing.check();
    await inStep("place", name, () => removeRest(name, core));
    // Whoever was asked has taken a while.
    await checkAmongOthers(accepted.bundle, core, { isEnabled: willRun(name, core, options) });
    const before = core.entries.get(name);
    const decided = await inStep("decide", name, () => {
      if (options.isEnabled === false && before?.isEnabled === true)
        checkUnneeded(name, "disable", core.entries);
      return before === accepted.basis ? accepted : decideAnew({ ...accepted, basis: before }, core);
    });
    return takeDecided({ ...accepted, ...decided, basis: before }, core, options);
  });
}

async function takeDecided(accepted: Accepted, core: Core, options: InstallOptions): Promise<ManagedPlugin> {
  const { basis: before, bundle } = accepted;
  const { name } = accepted.inspected.manifest;
  // The same contents, by whomever: nobody was asked about another publisher, so that the signature stays that of the first.
  const isThere = before?.current?.digest === bundle.digest && !(await isRevokedNow(before.current, core));
  if (before !== undefined && isThere && options.settings === undefined) {
    await takeGrants(before, accepted, core, options);
  } else {
    const stays = isThere ? before?.current : undefined;
    const { artifact, ...placed } = await inStep("place", name, () => place(accepted, stays, core, options));
    await change(placed, core, { bundle, artifact, state: options.state ?? true });
  }
  tellDifference(core, name, before);
  return core.pluginOf(name);
}

/**
 * Step 6: the bundle into the store, then the entry with its candidate.
 *
 * @param stays The version that runs, where it has the same contents and stays as it is.
 */
async function place(
  accepted: Accepted,
  stays: InstalledVersion | undefined,
  core: Core,
  options: InstallOptions,
): Promise<Placed & { readonly artifact: Artifact | undefined }> {
  const { bytes, bundle, inspected, grants, refused } = accepted;
  const { manifest } = inspected;
  if (options.settings !== undefined) checkSettings(manifest.name, manifest.settings, options.settings);
  const before = core.entries.get(manifest.name);
  // Settings name secrets, and were made for a version that has waited and is another publisher's.
  const isOther = await isStranger(before, bundle, core);
  const operation: Operation = before?.current === undefined ? "install" : "update";
  return inStore(core, async () => {
    const isEnabled = willRun(manifest.name, core, options);
    // Within this turn of the store: what is made of a bundle that is not placed yet is nobody's, and would be forgotten.
    const sha256 = stays?.sha256 ?? sha256Of(bytes);
    const artifact = openAhead(inspected, { bundle, sha256 }, core);
    const version = stays ?? versionOf(accepted, sha256, core);
    const from = before ?? (await firstEntry(inspected, options.settings, core));
    const settings = options.settings ?? (isOther ? undefined : from.settings);
    const candidate = { ...version, operation, settings, isEnabled, grants, refused };
    const entry = { ...from, candidate };
    const drafted = draftEntry(core, entry);
    // Whoever places it is told.
    drafted.catch(() => {});
    try {
      const kept = stays === undefined ? await core.store.put(bytes, sha256) : undefined;
      const { lasts } = await (await drafted).put();
      const lasting = Promise.all([kept?.lasts, lasts]);
      // Step 9 waits for it.
      lasting.catch(() => {});
      return { entry, before, artifact, lasting };
    } catch (error) {
      await discard(drafted);
      throw error;
    }
  });
}

/** What takes longest of step 7 runs none of the guest's code, and step 6 waits for the disk. */
function openAhead(
  inspected: Inspected,
  source: { readonly bundle: Bundle; readonly sha256: string },
  core: Core,
): Artifact | undefined {
  try {
    const artifact = artifactOf(core, inspected, source);
    // Behind a wall it is prepared by whoever sends it there.
    if (inspected.isolation === "inline") artifact.prepare(inspected.limits).catch(() => {});
    return artifact;
  } catch {
    // Step 7 says what is wrong with it.
    return undefined;
  }
}

/** The same version again: what was given anew is kept, and reaches the guests that run; and a damaged bundle is mended. */
async function takeGrants(
  before: Entry,
  { grants, refused, bytes }: Accepted,
  core: Core,
  { isEnabled = before.isEnabled }: InstallOptions,
): Promise<void> {
  const { name } = before;
  const entry = { ...before, grants, refused, held: undefined };
  const added = withoutGrants(grants, before.grants, core.vocabulary);
  if (added.length > 0 && isEnabled && before.isEnabled) await changeGrants(before, entry, core);
  else await inStep("place", name, () => writeEntry(core, entry));
  tellUnheld(before, "superseded", core);
  const isMended = await mend(before.current?.sha256, bytes, core);
  if (isMended && isEnabled && before.isEnabled) await enableNow(entry, core);
  else await switchTo(isEnabled, entry, core);
}

/** For whoever follows what waits: of a version that takes over, `changed` says it. */
export function tellUnheld({ name, held }: Entry, kind: "refused" | "superseded", core: Core): void {
  if (held === undefined) return;
  const { version, digest, origin } = held;
  tellOf(core, name, { kind, version, digest, origin });
}

/** Whether the bundle of the version that is there was damaged from outside, and these are its bytes. */
async function mend(sha256: string | undefined, bytes: Uint8Array, core: Core): Promise<boolean> {
  if (sha256 === undefined || sha256Of(bytes) !== sha256 || (await core.store.isWhole(sha256))) return false;
  await inStore(core, () => core.store.keep(bytes));
  return true;
}
