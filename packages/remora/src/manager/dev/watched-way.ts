/**
 * The way to a file or a folder: each folder in which the next name is looked up, links followed, and at its end the folder
 * with all that is in it. The system watches what a name stood for, not the name: when a build makes its folder anew, or a
 * link leads elsewhere, only the folder around it tells, and the rest of the way is watched anew.
 */

import { existsSync, type FSWatcher, readlinkSync, statSync, watch } from "node:fs";
import { dirname, join, parse, resolve, sep } from "node:path";
import { codeOf } from "../store/file-system.ts";

/** As Linux has it: more of them are a circle. */
const linksMax = 40;

interface WatchedFolder {
  readonly watcher: FSWatcher;
  /** Names in it that are on the way; undefined when all that is in it counts. */
  readonly names: Set<string> | undefined;
}

/** One of these is open until it is closed. */
export class WatchedWay {
  readonly #path: string;
  readonly #onChange: () => void;
  readonly #onError: (error: unknown) => void;
  /** By the folder, with links followed; the one at the end, which is watched with all that is in it, with a `sep` behind. */
  readonly #folders = new Map<string, WatchedFolder>();

  /**
   * @param onChange Something on the way changed, or at its end: whoever is called follows it again, when it is quiet.
   * @param onError  What the system says of a folder that is there, and that it does not watch any more, or not all of it.
   */
  constructor(path: string, onChange: () => void, onError: (error: unknown) => void) {
    this.#path = resolve(path);
    this.#onChange = onChange;
    this.#onError = onError;
  }

  /**
   * Watches the way as it is now; what is on it already stays watched. Where a name is missing, the folder around it tells
   * when it comes.
   *
   * @throws the error of the file system when the end of the way is there and cannot be watched
   */
  follow(): void {
    const { root } = parse(this.#path);
    const wanted = new Set<string>();
    const rest = this.#path.slice(root.length).split(sep);
    let at = root;
    let links = 0;
    // From the outside in: what changes behind a name after it was looked up is told by its folder.
    for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
      if (name === "" || name === ".") continue;
      if (name === "..") {
        at = dirname(at);
        continue;
      }
      this.#watch(at, { name, isLast: rest.length === 0 });
      wanted.add(at);
      const target = links < linksMax ? linkAt(join(at, name)) : undefined;
      if (target === undefined) {
        at = join(at, name);
        continue;
      }
      links++;
      const from = parse(target).root;
      rest.unshift(...target.slice(from.length).split(sep));
      if (from !== "") at = from;
    }
    if (isFolder(at)) {
      this.#watch(at, { isLast: true });
      wanted.add(at + sep);
    }
    this.#forget((folder) => !wanted.has(folder));
  }

  close(): void {
    this.#forget(() => true);
  }

  /** @param name Without it, all that is in the folder. */
  #watch(folder: string, { name, isLast }: { readonly name?: string; readonly isLast: boolean }): void {
    const key = name === undefined ? folder + sep : folder;
    const known = this.#folders.get(key);
    if (name !== undefined) known?.names?.add(name);
    if (known !== undefined) return;
    const names = name === undefined ? undefined : new Set([name]);
    try {
      const options = { recursive: name === undefined, persistent: false };
      const watcher = watch(folder, options, (kind, changed) => {
        if (changed !== null && names?.has(changed) === false) return;
        // Another one may have its name now.
        if (changed !== null && kind === "rename") this.#forgetBelow(join(folder, changed));
        this.#onChange();
      });
      watcher.on("error", (error) => {
        if (existsSync(folder)) return this.#onError(error);
        // As Windows tells that it has gone.
        this.#forget((each) => each === key);
        this.#onChange();
      });
      this.#folders.set(key, { watcher, names });
    } catch (error) {
      // What is not there is told by the folder around it; and which of the outer ones may be watched is not ours to choose.
      const isMissing = codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR";
      if (isLast && !isMissing) throw error;
    }
  }

  #forgetBelow(place: string): void {
    this.#forget((folder) => folder === place || folder.startsWith(place + sep));
  }

  #forget(isMeant: (folder: string) => boolean): void {
    for (const [key, { watcher }] of this.#folders) {
      if (!isMeant(key)) continue;
      watcher.close();
      this.#folders.delete(key);
    }
  }
}

function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    // No link, or nothing: both are the end of this name.
    return undefined;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
