/**
 * Hot reload while a plugin is written: its file or folder is watched, and each change of it is installed as any other
 * version is. A version that cannot take over is told, and the one that runs goes on.
 */

import { statSync } from "node:fs";
import type { ManagerClock } from "../clock.ts";
import { WatchedWay } from "./watched-way.ts";

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
 * @param path A file or a folder with all that is in it. It may be replaced by another one, and so may what it lies in, and
 *             what links lead to.
 * @throws the error of the file system when there is nothing at that path, or it cannot be watched
 */
export function watchPath(path: string, { clock, take, onError }: WatchOptions): () => void {
  statSync(path);
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
  const followAndTake = () => {
    // Before it is taken: what is written after that is seen.
    try {
      way.follow();
    } catch (error) {
      onError(error);
    }
    void takeAll();
  };
  const onChange = () => {
    cancel();
    cancel = clock.after(quietMs, followAndTake);
  };
  const way = new WatchedWay(path, onChange, onError);
  way.follow();
  return () => {
    isEnded = true;
    cancel();
    way.close();
  };
}
