/**
 * The version that runs is made anew while it serves: steps 7 to 9 without another version, for whatever a guest gets
 * when it is made. What it cannot be made with is not kept.
 */

import { type Json, openBundle } from "../../bundle/index.ts";
import { type Grant, parseGrant } from "../../policy/index.ts";
import { mergeGrants, withoutGrants } from "../consent/decide-request.ts";
import { type Core, entryOf, prepare, tellOf, writeEntry } from "../core.ts";
import { type Doing, inStep, managerErrors } from "../errors.ts";
import { checkSettings } from "../settings/settings.ts";
import type { Entry } from "../store/entry.ts";

export function reload(
  name: string,
  { state = true }: { readonly state?: boolean },
  core: Core,
): Promise<void> {
  return core.alone(name, () => remake(entryOf(core, name), { doing: "reload", state }, core));
}

export async function give(name: string, grant: unknown, core: Core): Promise<void> {
  const { vocabulary } = core;
  const given = parseGrant(grant, "grant", vocabulary);
  await changeGrants(name, { kind: "granted", grants: [given] }, core, ({ grants, refused }) => ({
    grants: mergeGrants(vocabulary, grants, [given]),
    refused: withoutGrants(refused, [given], vocabulary),
  }));
}

export async function revoke(name: string, grant: Grant, core: Core): Promise<void> {
  const { vocabulary } = core;
  await changeGrants(name, { kind: "revoked", grants: [grant] }, core, ({ grants, refused }) => {
    const left = withoutGrants(grants, [grant], vocabulary);
    const taken = withoutGrants(grants, left, vocabulary);
    if (taken.length === 0) {
      const has = grants.map(({ capability }) => capability);
      throw managerErrors["not-granted"]({ plugin: name, capability: grant.capability, has });
    }
    return { grants: left, refused: mergeGrants(vocabulary, refused, taken) };
  });
}

export function changeSettings(name: string, settings: Json, core: Core): Promise<void> {
  return core.alone(name, async () => {
    const entry = entryOf(core, name);
    const version = entry.current ?? entry.held;
    if (version === undefined) return;
    const bytes = await core.store.read(version.sha256);
    const { manifest } = openBundle(bytes, { vocabulary: core.vocabulary });
    checkSettings(name, manifest.settings, settings);
    const before = await core.settings.bytes(name);
    const keep = {
      write: () => core.settings.write(name, settings),
      undo: () => core.settings.restore(name, before),
    };
    await remake(entry, { doing: "change the settings of", state: true, settings, keep }, core);
    tellOf(core, name, { kind: "settings" });
  });
}

/** What the plugin itself made of its settings: it has them already, and goes on as it is. */
export function keepSettings(name: string, settings: Json, core: Core): Promise<void> {
  return core.alone(name, async () => {
    const version = entryOf(core, name).current;
    if (version === undefined) return;
    const bytes = await core.store.read(version.sha256);
    const { manifest } = openBundle(bytes, { vocabulary: core.vocabulary });
    checkSettings(name, manifest.settings, settings);
    await core.settings.write(name, settings);
    tellOf(core, name, { kind: "settings" });
  });
}

function changeGrants(
  name: string,
  told: { readonly kind: "granted" | "revoked"; readonly grants: readonly Grant[] },
  core: Core,
  next: (entry: Entry) => Pick<Entry, "grants" | "refused">,
): Promise<void> {
  return core.alone(name, async () => {
    const before = entryOf(core, name);
    const entry = { ...before, ...next(before) };
    const keep = { write: () => writeEntry(core, entry), undo: () => writeEntry(core, before) };
    await remake(entry, { doing: "change the grants of", state: true, keep }, core);
    tellOf(core, name, told);
  });
}

interface Remaking {
  readonly doing: Doing;
  readonly state: boolean;
  readonly settings?: Json;
  /** What is kept of the change: on disk before anybody serves by it, so that no guest ever has what is not kept. */
  readonly keep?: { write(): Promise<void>; undo(): Promise<void> };
}

async function remake(
  { name, current: version, grants, isEnabled }: Entry,
  { doing, state, settings, keep }: Remaking,
  core: Core,
): Promise<void> {
  if (version === undefined) {
    await keep?.write();
    return;
  }
  const plugin = core.pluginOf(name);
  const startedMs = core.clock.monotonicMs();
  const next = await inStep("prepare", name, () => prepare(core, { name, version, grants, settings }), doing);
  try {
    await keep?.write();
  } catch (error) {
    await next.drain();
    throw error;
  }
  // A plugin that is disabled is made to see whether it can be, and not to run.
  if (!isEnabled) return next.drain();
  let hasState: boolean;
  try {
    hasState = await inStep("hand-over", name, () => plugin.takeOver(next, { state }), doing);
  } catch (error) {
    // When that fails too, the next start begins with what was asked for; why it does not now is the first error.
    await keep?.undo().catch(() => {});
    throw error;
  }
  plugin.settle({ hasProbation: false });
  plugin.countReload();
  const tookMs = core.clock.monotonicMs() - startedMs;
  tellOf(core, name, { kind: "reloaded", version: version.version, tookMs, state: hasState });
}
