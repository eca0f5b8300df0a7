/**
 * What a manager finds at its start after the last one was killed, and how each plugin comes out of it: in its old
 * state or in its new one, never between. Nothing here needs the plugin's code.
 */

import { isRemoraError } from "../../base/index.ts";
import type { Rewrites } from "../rewrites.ts";
import type { BundleStore } from "./bundle-store.ts";
import type { DataFolder } from "./data-folder.ts";
import { type Entries, type Entry, type Operation, usedBundles } from "./entry.ts";
import type { Holder } from "./holder.ts";

/** An operation that a killed manager was in, or had just finished. */
export interface Recovered {
  readonly plugin: string;
  readonly operation: Operation;
  /** The version before; empty for none. */
  readonly from: string;
  /** The version after; empty for a removal. */
  readonly to: string;
  /** `old`: it had not taken over, and is as if it had never begun. `new`: it had, and is complete now. */
  readonly found: "old" | "new";
}

/** For people: what was interrupted, and what it is now. */
export function recoveredText({ operation, from, to, found }: Omit<Recovered, "plugin">): string {
  const now = found === "old" ? from : to;
  return `${operation} ${from || "none"} → ${to || "none"} was interrupted: found in its ${found} state, ${now || "not installed"}`;
}

/**
 * Drops what was half done and finishes what was decided. To be killed in here does no harm.
 *
 * @param killed Who held the folder and was killed; undefined when the last one closed it.
 * @returns      The entries as they are now, and what happened to each operation.
 */
export async function recover(
  entries: ReadonlyMap<string, Entry>,
  {
    folder,
    store,
    rewrites,
    files,
    killed,
  }: {
    readonly folder: DataFolder;
    readonly store: BundleStore;
    readonly rewrites: Rewrites;
    readonly files: Entries;
    readonly killed: Holder | undefined;
  },
): Promise<{ readonly entries: Map<string, Entry>; readonly recovered: readonly Recovered[] }> {
  const recovered: Recovered[] = [];
  const kept = new Map<string, Entry>();
  const dropped: Entry[] = [];
  for (const entry of entries.values()) {
    const { name, candidate, current, last } = entry;
    const from = current?.version ?? "";
    if (entry.isRemoved) {
      await finishRemoval(entry, folder, files);
      recovered.push({ plugin: name, operation: "remove", from, to: "", found: "new" });
      continue;
    }
    if (candidate !== undefined) {
      const { operation, version } = candidate;
      recovered.push({ plugin: name, operation, from, to: version, found: "old" });
      if (current === undefined && entry.held === undefined) await files.remove(name);
      else {
        const old = { ...entry, candidate: undefined };
        dropped.push(old);
        kept.set(name, old);
      }
      continue;
    }
    kept.set(name, entry);
    if (killed !== undefined && last?.run === killed.run && last.operation !== "remove") {
      recovered.push({ plugin: name, operation: last.operation, from: last.from, to: from, found: "new" });
    }
  }
  const used = usedBundles(kept.values());
  await store.keepOnly(used.kept);
  await rewrites.trim(used);
  // Only now, when a disk that was full has room for it. Where it has none, the next start does this again.
  for (const old of dropped) await files.write(old).catch(unlessFolder);
  return { entries: kept, recovered };
}

function unlessFolder(error: unknown): void {
  if (!isRemoraError(error, "manager/folder")) throw error;
}

/** The entry goes last: while it is there, somebody knows that there is more to remove. */
export async function finishRemoval(entry: Entry, folder: DataFolder, files: Entries): Promise<void> {
  if (!entry.removesData) return files.removeAndLeave(entry);
  await files.forgetLeft(entry.name);
  await folder.remove("data", entry.name);
  await files.remove(entry.name);
}
