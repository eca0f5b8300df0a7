/** A plugin goes: from one rename on, whatever happens to what follows. */

import { isRemoraError } from "../../base/index.ts";
import { type Core, collectBundles, entryOf, tellOf } from "../core.ts";
import { checkUnneeded } from "../install/dependencies.ts";
import { isFull } from "../store/file-system.ts";
import { finishRemoval } from "../store/recover.ts";

export function remove(
  name: string,
  { data = false }: { readonly data?: boolean },
  core: Core,
): Promise<void> {
  return core.alone(name, async () => {
    if (core.removals.has(name)) return removeRest(name, core);
    const entry = entryOf(core, name);
    checkUnneeded(name, "remove", core.entries);
    const removed = { ...entry, isRemoved: true, removesData: data, candidate: undefined };
    try {
      await core.files.write(removed);
    } catch (error) {
      if (data || !isRemoraError(error) || !isFull(error.cause)) throw error;
      // Without its data that is all, and needs no room on a disk that is full.
      await core.files.removeAndLeave(entry);
    }
    core.entries.delete(name);
    core.removals.set(name, removed);
    await core.plugins.get(name)?.stop();
    core.plugins.delete(name);
    core.state.deleteAllOf(name);
    const from = entry.current?.version ?? "";
    tellOf(core, name, { kind: "changed", operation: "remove", from, to: "", origin: "" });
    await removeRest(name, core);
  });
}

/**
 * What is left in the folder of a plugin that is gone: for whoever removes it once more, and whoever comes under its name, who
 * must find nothing that was to go.
 *
 * @throws manager/folder some of it is still there
 */
export async function removeRest(name: string, core: Core): Promise<void> {
  const removed = core.removals.get(name);
  if (removed === undefined) return;
  await finishRemoval(removed, core.folder, core.files);
  await collectBundles(core);
  core.removals.delete(name);
}
