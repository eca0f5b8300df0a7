/**
 * Hot reload while a plugin is written: its file or folder is watched, and each change of it is installed as any other
 * version is. A version that cannot take over is told, and the one that runs goes on.
 */

import { statSync, watch } from "node:fs";
import { basename, dirname } from "node:path";
import type { ManagerClock } from "../clock.ts";

/** A compiler writes a file in several steps: this long after the last of them, in milliseconds, it is whole. */
const quietMs = 40;

export interface WatchOptions {
  readonly clock: ManagerClock;
  /** Takes what is there now; called again when something changed meanwhile, and never twice at once. */
  readonly take: () => Promise<void>;
  /** What `take` or the watching itself failed with. */
  readonly onError: (error: unknown) => void;
}

/**
 * Watches until what it gives back is called. Nothing is taken before the first change.
 *
 * @param path A file, which may be replaced by another one of its name, or a folder with all that is in it.
 * @throws the error of the file system when there is nothing at that path
 */
export function watchPath(path: string, { clock, take, onError }: WatchOptions): () => void {
  const isFolder = statSync(path).isDirectory();
  let isTaking = false;
  let isStale = false;
  let isEnded = false;
  let cancel = () => {};
  const takeAll = async () => {
    isStale = true;
    if (isTaking) return;
    isTaking = true;
    while (isStale && !isEnded) {
      isStale = false;
      await take().catch(onError);
    }
    isTaking = false;
  };
  // A file is watched through its folder: editors and compilers replace it rather than write into it.
  const watcher = watch(
    isFolder ? path : dirname(path),
    { recursive: isFolder, persistent: false },
    (_, name) => {
      if (!isFolder && name !== basename(path)) return;
      cancel();
      cancel = clock.after(quietMs, () => void takeAll());
    },
  );
  watcher.on("error", onError);
  return () => {
    isEnded = true;
    cancel();
    watcher.close();
  };
}
