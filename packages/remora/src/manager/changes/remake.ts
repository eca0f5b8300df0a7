/**
 * The version that runs is made anew while it serves: steps 7 to 9 without another version, for whatever a guest gets
 * when it is made. What it cannot be made with is not kept.
 */

import { isRemoraError } from "../../base/index.ts";
import { type Json, openBundle } from "../../bundle/index.ts";
import { type CapabilityName, type Grant, parseGrant, type Vocabulary } from "../../policy/index.ts";
import { grantText, itemText, mergeGrants, sortRequest, withoutGrants } from "../consent/decide-request.ts";
import { type Core, draftEntry, entryOf, grantsFor, prepare, rulesOf, tellOf, writeEntry } from "../core.ts";
import { type Doing, inStep, managerErrors } from "../errors.ts";
import { checkNeeds } from "../install/dependencies.ts";
import { checkSettings } from "../settings/settings.ts";
import type { Entry } from "../store/entry.ts";

export function reload(
  name: string,
  { state = true }: { readonly state?: boolean },
  core: Core,
): Promise<void> {
  return core.alone(name, async () => {
    const entry = entryOf(core, name);
    checkReloadable(entry, core);
    checkNeeds(entry, "reload", core.entries);
    return remake(entry, { doing: "reload", state }, core);
  });
}

/** @throws manager/nothing-to-reload */
function checkReloadable({ name: plugin, current, isEnabled }: Entry, core: Core): void {
  if (current === undefined) {
    const why = "its first version waits for consent";
    throw managerErrors["nothing-to-reload"]({ plugin, why });
  }
  if (!isEnabled) throw managerErrors["nothing-to-reload"]({ plugin, why: "it is disabled" });
  if (!core.pluginOf(plugin).hasStarted)
    throw managerErrors["nothing-to-reload"]({ plugin, why: "it was not started" });
}

export async function give(name: string, grant: unknown, core: Core): Promise<void> {
  const { vocabulary } = core;
  const given = parseGrant(grant, "grant", vocabulary);
  await core.alone(name, async () => {
    const before = entryOf(core, name);
    const { grants, refused } = before;
    checkGivable(name, given, core);
    const entry = {
      ...before,
      grants: mergeGrants(vocabulary, grants, [given]),
      refused: withoutGrants(refused, [given], vocabulary),
    };
    await changeGrants(before, entry, core);
    tellOf(core, name, { kind: "granted", grants: [given] });
  });
}

/** Whoever gives consents: to what the policy denies nobody can. @throws manager/denied */
function checkGivable(plugin: string, grant: Grant, core: Core): void {
  const { vocabulary } = core;
  const options = { vocabulary, rules: rulesOf(core, plugin), given: [], refused: [] };
  const { denied } = sortRequest([{ grant, why: "" }], options);
  if (denied.length > 0) throw managerErrors.denied({ plugin, denied: denied.map(itemText) });
}

/** The plugin is made anew with other grants while it serves; what it cannot be made with is not kept. */
export function changeGrants(before: Entry, entry: Entry, core: Core): Promise<void> {
  const keep = { write: () => writeEntry(core, entry), undo: () => writeEntry(core, before) };
  return remake(entry, { doing: "change the grants of", state: true, keep }, core);
}

/**
 * What is taken is gone before the plugin is made anew, on disk and from the guests that run: how they take that, or what
 * becomes of their successor, has no say in it.
 */
export async function revoke(name: string, taken: unknown, core: Core): Promise<void> {
  const { vocabulary } = core;
  const grant = parseTaken(taken, vocabulary);
  await core.alone(name, async () => {
    const before = entryOf(core, name);
    const entry = { ...before, ...withoutGrant(before, grant, core) };
    const draft = await draftEntry(core, entry);
    // Written down from here on: what goes wrong from here on gives nothing back.
    const { lasts } = await draft.put();
    const plugin = core.pluginOf(name);
    plugin.narrow(({ inspected, grants }) => {
      const lost = withoutGrants(grants, grantsFor(core, inspected, entry.grants), vocabulary);
      // The version before, and those that drain, were not given all that the one that serves was.
      return withoutGrants(grants, lost, vocabulary);
    });
    const unsure = await lasts.catch((error: unknown) => error);
    tellOf(core, name, { kind: "revoked", grants: [grant] });
    // Whoever makes it next does it by what is written down.
    if (plugin.serving !== undefined) await remakeWithout(grant, entry, core);
    if (unsure === undefined) return;
    if (!isRemoraError(unsure)) throw unsure;
    const { code, message: reason } = unsure;
    throw managerErrors["not-lasting"]({ plugin: name, taken: grantText(grant), code, reason }, unsure);
  });
}

/** @throws manager/stopped-without it cannot be made without what was taken */
async function remakeWithout(taken: Grant, entry: Entry, core: Core): Promise<void> {
  const { name } = entry;
  try {
    await remakeAnyhow(entry, core);
  } catch (error) {
    if (!isRemoraError(error)) throw error;
    core.pluginOf(name).giveUp(error);
    const { code, message: reason } = error;
    throw managerErrors["stopped-without"]({ plugin: name, taken: grantText(taken), code, reason }, error);
  }
}

/** As any grant: a field that is misspelt must not take the capability as a whole, as one without targets does. */
function parseTaken(taken: unknown, vocabulary: Vocabulary): Grant {
  const { capability, ...targets } = (taken ?? {}) as Record<string, unknown>; // of what is no object, none is there
  const isWhole = typeof capability === "string" && Object.keys(targets).length === 0;
  // A name that is none is among those of no grant, and whoever takes it is told which ones are.
  return isWhole ? { capability: capability as CapabilityName } : parseGrant(taken, "grant", vocabulary);
}

function withoutGrant(
  { name, grants, refused, previous }: Entry,
  grant: Grant,
  core: Core,
): Pick<Entry, "grants" | "refused" | "previous"> {
  const { vocabulary } = core;
  const left = withoutGrants(grants, [grant], vocabulary);
  const taken = withoutGrants(grants, left, vocabulary);
  if (taken.length === 0) {
    const isOfPolicy = (rulesOf(core, name).grants ?? []).some(
      ({ capability }) => capability === grant.capability,
    );
    const has = grants.map(grantText);
    throw managerErrors["not-granted"]({ plugin: name, wanted: grantText(grant), has, isOfPolicy });
  }
  // What is taken from a plugin comes back with no version of it.
  const kept = previous.map((one) =>
    one.grants === undefined ? one : { ...one, grants: withoutGrants(one.grants, [grant], vocabulary) },
  );
  return { grants: left, refused: mergeGrants(vocabulary, refused, taken), previous: kept };
}

/**
 * A state that cannot be handed over is lost rather than that what was to go stays; and where the version before has
 * followed one on probation meanwhile, it is that one's turn.
 */
async function remakeAnyhow(entry: Entry, core: Core): Promise<void> {
  const doing = "change the grants of";
  try {
    await remake(entry, { doing, state: true }, core);
  } catch (error) {
    const isOver =
      isRemoraError(error, "manager/hand-over") || isRemoraError(error, "manager/changed-meanwhile");
    if (!isOver) throw error;
    await remake(entry, { doing, state: false }, core);
  }
}

export function changeSettings(name: string, settings: Json, core: Core): Promise<void> {
  return core.alone(name, async () => {
    const entry = entryOf(core, name);
    const version = entry.current ?? entry.held;
    if (version === undefined) return;
    const bytes = await core.store.read(version.sha256);
    const { manifest } = openBundle(bytes, { vocabulary: core.vocabulary });
    checkSettings(name, manifest.settings, settings);
    const changed =
      entry.current === undefined
        ? // In place of those that it was to begin with.
          { ...entry, settings, held: entry.held && { ...entry.held, settings: undefined } }
        : withSettings(entry, settings, core);
    const keep = { write: () => writeEntry(core, changed), undo: () => writeEntry(core, entry) };
    await remake(changed, { doing: "change the settings of", state: true, keep }, core);
    tellOf(core, name, { kind: "settings" });
  });
}

/** What the plugin itself made of its settings: it has them already, and goes on as it is. */
export function keepSettings(name: string, settings: Json, core: Core): Promise<void> {
  return core.alone(name, async () => {
    const entry = entryOf(core, name);
    if (entry.current === undefined) return;
    const bytes = await core.store.read(entry.current.sha256);
    const { manifest } = openBundle(bytes, { vocabulary: core.vocabulary });
    checkSettings(name, manifest.settings, settings);
    await writeEntry(core, withSettings(entry, settings, core));
    tellOf(core, name, { kind: "settings" });
  });
}

/** A version that may come back by itself keeps those that it runs with. */
function withSettings(entry: Entry, settings: Json, core: Core): Entry {
  const before = core.pluginOf(entry.name).versionBefore;
  const previous = entry.previous.map((kept) =>
    kept.digest === before?.digest && kept.settings === undefined
      ? { ...kept, settings: entry.settings ?? null }
      : kept,
  );
  return { ...entry, settings, previous };
}

interface Remaking {
  readonly doing: Doing;
  readonly state: boolean;
  /** What is kept of the change: on disk before anybody serves by it, so that no guest ever has what is not kept. */
  readonly keep?: { write(): Promise<void>; undo(): Promise<void> };
}

async function remake(
  { name, current, grants, settings, isEnabled }: Entry,
  { doing, state, keep }: Remaking,
  core: Core,
): Promise<void> {
  if (current === undefined) {
    await keep?.write();
    return;
  }
  const plugin = core.pluginOf(name);
  const { serving: before } = plugin;
  // After a return the entry is written a moment later.
  const version = before?.version ?? current;
  const startedMs = core.clock.monotonicMs();
  const next = await inStep("prepare", name, () => prepare(core, { name, version, grants, settings }), doing);
  try {
    // A version that was on probation has failed while this was made: it must not come back.
    if (before !== undefined && plugin.serving !== undefined && plugin.serving !== before)
      throw managerErrors["changed-meanwhile"]({ plugin: name });
    await keep?.write();
  } catch (error) {
    await next.drain();
    throw error;
  }
  // A plugin that is disabled, or was not started here, is made to see whether it can be, and not to run.
  if (!isEnabled || !plugin.hasStarted) return next.drain();
  let hasState: boolean;
  try {
    hasState = await inStep("hand-over", name, () => plugin.takeOver(next, { state }), doing);
  } catch (error) {
    // When that fails too, the next start begins with what was asked for; why it does not now is the first error.
    await keep?.undo().catch(() => {});
    throw error;
  }
  plugin.settle();
  plugin.countReload();
  const tookMs = core.clock.monotonicMs() - startedMs;
  tellOf(core, name, { kind: "reloaded", version: version.version, tookMs, state: hasState });
}
