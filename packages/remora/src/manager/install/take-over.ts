/**
 * Steps 7 to 9 of an install, for whatever brings another version: it is made, takes over, and is written down; or all is
 * as it was before.
 */

import { isRemoraError } from "../../base/index.ts";
import type { Bundle } from "../../bundle/index.ts";
import type { Artifact } from "../../engine/index.ts";
import { type Core, collectBundles, draftEntry, prepare, tellOf } from "../core.ts";
import { type Doing, inStep } from "../errors.ts";
import type { ManagedPlugin } from "../managed-plugin.ts";
import type { RunningVersion } from "../running-version.ts";
import type { Draft } from "../store/data-folder.ts";
import type { Entry, Operation } from "../store/entry.ts";
import { replacedBy } from "./keep-version.ts";

/** A candidate that is in its place; the entry without it is what to go back to. */
export interface Placed {
  readonly entry: Entry & { readonly candidate: NonNullable<Entry["candidate"]> };
  /** What was there; undefined for a first install. */
  readonly before: Entry | undefined;
  /** When all that it needs would be found after a power cut. Default: it would be. */
  readonly lasting?: Promise<unknown>;
}

/**
 * Of an install, an update, a rollback.
 *
 * @throws manager/prepare manager/hand-over manager/swap the version that ran goes on, on disk too
 */
export async function change(
  placed: Placed,
  core: Core,
  how: Parameters<typeof carryOut>[2],
): Promise<ManagedPlugin> {
  const { name, candidate } = placed.entry;
  const tellReturns = core.events.holdReturns(name, candidate.version);
  try {
    return await carryOut(placed, core, how);
  } finally {
    tellReturns();
  }
}

async function carryOut(
  { entry, before, lasting }: Placed,
  core: Core,
  {
    state,
    ...opened
  }: {
    /** Of the candidate, where it is open already. */
    readonly bundle?: Bundle;
    readonly artifact?: Artifact | undefined;
    readonly state: boolean;
  },
): Promise<ManagedPlugin> {
  const { name, candidate } = entry;
  const { operation, isEnabled, grants, refused: _, settings, ...version } = candidate;
  const doing = doingOf[operation];
  const way = { from: before?.current?.version ?? "", to: version.version };
  const plugin = core.pluginOf(name);
  // While the version is made, so that the swap waits for a rename alone.
  const drafted = draftEntry(core, takenOver(entry, core));
  // Whoever swaps is told.
  drafted.catch(() => {});
  let hasStarted = false;
  let served: RunningVersion | undefined;
  try {
    const making = { name, version, grants, settings, ...opened };
    if (isEnabled && !plugin.hasStarted) {
      hasStarted = true;
      await inStep("prepare", name, () => plugin.start(() => prepare(core, making)), doing);
    } else {
      const next = await inStep("prepare", name, () => prepare(core, making), doing);
      // A plugin that is disabled is made to see whether it can be, and not to run.
      if (!isEnabled) await next.drain();
      else await inStep("hand-over", name, () => plugin.takeOver(next, { state }), doing);
      if (isEnabled) served = next;
    }
    const swap = async () => {
      const draft = await drafted;
      await lasting;
      await draft.place();
    };
    await inStep("swap", name, swap, doing);
  } catch (error) {
    if (served !== undefined) plugin.takeBack(served, error);
    if (hasStarted) await plugin.stop();
    await discard(drafted);
    await undo(name, before, core);
    if (isRemoraError(error)) {
      const { code, message: reason } = error;
      tellOf(core, name, { kind: "failed", operation, ...way, code, reason });
    }
    throw error;
  }
  if (isEnabled) plugin.settle();
  else await plugin.stop();
  tellOf(core, name, { kind: "changed", operation, ...way, origin: version.origin });
  if (before?.current !== undefined && before.isEnabled !== isEnabled) {
    tellOf(core, name, { kind: isEnabled ? "enabled" : "disabled" });
  }
  return plugin;
}

const doingOf: Readonly<Record<Operation, Doing>> = {
  install: "install",
  update: "update",
  rollback: "roll back",
  remove: "remove",
};

/** Nobody places it, whether it was written or not. */
export async function discard(drafted: Promise<Draft>): Promise<void> {
  await drafted.then(
    (draft) => draft.discard(),
    () => {},
  );
}

function takenOver(entry: Placed["entry"], core: Core): Entry {
  const { operation, isEnabled, grants, refused, settings, ...current } = entry.candidate;
  const before = entry.current;
  const others = entry.previous.filter(
    ({ digest }) => digest !== current.digest && digest !== before?.digest,
  );
  // The same version with other settings is nothing to go back to.
  const isAnother = before !== undefined && before.digest !== current.digest;
  const previous = [...(isAnother ? [replacedBy(settings, before, entry)] : []), ...others];
  return {
    ...entry,
    isEnabled,
    grants,
    refused,
    settings,
    current,
    candidate: undefined,
    // The one that waited is this one, or was asked for before it.
    held: operation === "rollback" ? entry.held : undefined,
    previous: previous.slice(0, core.policy.versionsKept ?? 5),
    last: { operation, from: before?.version ?? "", run: core.run },
  };
}

/** What is written goes back to what was; calls do already. */
async function undo(name: string, before: Entry | undefined, core: Core): Promise<void> {
  if (before?.current === undefined) core.state.deleteAllOf(name);
  if (before === undefined) {
    core.plugins.delete(name);
    core.entries.delete(name);
  } else core.entries.set(name, before);
  // Before anything is written: a disk that is full has room again without the bundle that was brought.
  // The disk that stopped the change may refuse all of this too. A candidate is dropped by whoever opens the folder next.
  await collectBundles(core).catch(() => {});
  await (before === undefined ? core.files.remove(name) : core.files.write(before)).catch(() => {});
}
