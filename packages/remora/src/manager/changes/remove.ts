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
    const entry = entryOf(core, name);
    checkUnneeded(name, "remove", core.entries);
    const removed = { ...entry, isRemoved: true, removesData: data, candidate: undefined };
    try {
      await core.files.write(removed);
    } catch (error) {
      // Without its data it takes one step more, which needs no room on a disk that is full.
      if (data || !isRemoraError(error) || !isFull(error.cause)) throw error;
    }
    core.entries.delete(name);
    await core.plugins.get(name)?.stop();
    core.plugins.delete(name);
    await finishRemoval(removed, core.folder, core.files);
    await collectBundles(core);
    const from = entry.current?.version ?? "";
    tellOf(core, name, { kind: "changed", operation: "remove", from, to: "", origin: "" });
  });
}
