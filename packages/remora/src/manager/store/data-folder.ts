/**
 * The manager's own folder:
 *
 * ```text
 *   holder.json            who holds the folder, while somebody does
 *   bundles/SHA256.bundle  every bundle that an entry names, by the digest of the file
 *   plugins/NAME.json      one entry a plugin: the version that runs, those before it, what was granted, its settings with
 *                          references in place of secrets
 *   settings/NAME.json     of a plugin that is gone and whose data is not: its last entry, for its settings
 *   data/NAME/             its own files and keys, which only it changes
 *   rewritten/VERSION/SHA256/  of a bundle: its modules after the rewrite and the plan of its component, by the version
 *                          of what made them; may be deleted at any time
 * ```
 *
 * Every change of what the manager believes is one rename. A file is written beside its place, synchronised, renamed,
 * and then its folder is synchronised, so that whoever is killed in between leaves the old file or the new one.
 */

import { randomUUID } from "node:crypto";
import { dirname, join } from "node:path";
import { isRemoraError } from "../../base/index.ts";
import { managerErrors } from "../errors.ts";
import {
  codeOf,
  type FileSystem,
  type FoundFile,
  isFull,
  isMissing,
  type OpenFolder,
} from "./file-system.ts";

/** Between a name and what makes it unique: names of plugins have no dot, digests neither. */
export const draftMark = ".draft-";

/** Of what is made of bundles, and can be made again. */
export const rewrittenFolder = "rewritten";

/** A file that is written and synchronised, and has yet to be put in its place. */
export interface Draft {
  /**
   * In one rename, whole or not at all, and lasting. Once.
   *
   * @throws manager/folder the draft is gone, and what was in its place is there, as far as the disk lets
   */
  place(): Promise<void>;
  /**
   * The same for whoever has other things to do until it lasts, and knows what to do when it does not. Once.
   *
   * @throws manager/folder the draft is gone
   */
  put(): Promise<InPlace>;
  /** For whoever does not place it. One that cannot be removed goes at the next start. */
  discard(): Promise<void>;
}

/** A file that everybody finds, until the power is cut. */
export interface InPlace {
  /** When it would be found after that too. Rejects with manager/folder; nobody has to look. */
  readonly lasts: Promise<void>;
}

export class DataFolder {
  readonly path: string;
  readonly #files: FileSystem;
  /** Folders that were made, and whose own names are not known to last. */
  readonly #made = new Set<string>();

  constructor(path: string, files: FileSystem) {
    this.path = path;
    this.#files = files;
  }

  /** @throws manager/folder */
  async read(...names: readonly string[]): Promise<Uint8Array | undefined> {
    return this.#guarded("read", this.at(...names), (path) => this.#files.read(path));
  }

  /** Names in a folder, without drafts that somebody left. @throws manager/folder */
  async list(...folder: readonly string[]): Promise<readonly string[]> {
    const names = await this.#guarded("list", this.at(...folder), (path) => this.#files.list(path));
    return names.filter((name) => !name.includes(draftMark));
  }

  /** The files in a folder, with drafts. @throws manager/folder */
  async look(...folder: readonly string[]): Promise<readonly FoundFile[]> {
    return this.#guarded("list", this.at(...folder), (path) => this.#files.look(path));
  }

  /** Puts a file in its place, whole or not at all. @throws manager/folder as `Draft.place` */
  async place(bytes: Uint8Array, ...names: readonly string[]): Promise<void> {
    const draft = await this.draft(bytes, ...names);
    await draft.place();
  }

  /** The same for whoever has other things to do until it lasts. @throws manager/folder */
  async put(bytes: Uint8Array, ...names: readonly string[]): Promise<InPlace> {
    const draft = await this.draft(bytes, ...names);
    return draft.put();
  }

  /** All of `place` that takes time, for whoever has other things to do before it. @throws manager/folder */
  async draft(bytes: Uint8Array, ...names: readonly string[]): Promise<Draft> {
    const at = this.at(...names);
    const draft = `${at}${draftMark}${randomUUID()}`;
    const folder = dirname(at);
    const remove = () => this.#files.remove(draft).catch(() => {});
    /** What went wrong first is what is told. */
    const whole = async (act: () => Promise<void>) => {
      try {
        await act();
      } catch (error) {
        await remove();
        throw error;
      }
    };
    const holding = await this.#guarded("write", at, () => this.#withRoom(() => this.#opened(folder)));
    // Nobody waits for it, and there is nothing that it could lose.
    const close = () => void holding.close().catch(() => {});
    const write = () => this.#withRoom(() => whole(() => this.#files.writeNew(draft, bytes)));
    try {
      await this.#guarded("write", at, write);
    } catch (error) {
      close();
      throw error;
    }
    const put = async () => {
      try {
        await whole(() => this.#withRoom(() => this.#files.rename(draft, at)));
      } catch (error) {
        close();
        throw error;
      }
      const lasts = this.#guarded("write", at, () => holding.sync()).finally(close);
      lasts.catch(() => {});
      return { lasts };
    };
    const discard = async () => {
      close();
      await remove();
    };
    const guarded = () => this.#guarded("write", at, put);
    const place = async () => {
      let before: Uint8Array | undefined;
      try {
        before = await this.read(...names);
      } catch (error) {
        await discard();
        throw error;
      }
      const { lasts } = await guarded();
      try {
        await lasts;
      } catch (error) {
        await this.#putBack(before, names);
        throw error;
      }
    };
    return { discard, place, put: guarded };
  }

  /** Whoever is told that a file could not be written must not find it at the next start. */
  async #putBack(bytes: Uint8Array | undefined, names: readonly string[]): Promise<void> {
    try {
      if (bytes === undefined) return await this.remove(...names);
      const { lasts } = await this.put(bytes, ...names);
      await lasts;
    } catch {
      // The disk that stopped the change may refuse this too, and why it stopped that is what is told.
    }
  }

  /** A folder is nearly always there: only one that is not is made, and its name is to last before anything in it is kept. */
  async #opened(folder: string): Promise<OpenFolder> {
    const opened = await this.#openedOrMade(folder);
    if (!this.#made.has(folder)) return opened;
    try {
      await this.#syncNames(dirname(folder));
    } catch (error) {
      await opened.close();
      throw error;
    }
    this.#made.delete(folder);
    return opened;
  }

  async #openedOrMade(folder: string): Promise<OpenFolder> {
    try {
      return await this.#files.openFolder(folder);
    } catch (error) {
      if (!isMissing(error)) throw error;
      await this.#files.makeFolder(folder);
      this.#made.add(folder);
      return this.#files.openFolder(folder);
    }
  }

  async #syncNames(folder: string): Promise<void> {
    const opened = await this.#files.openFolder(folder);
    try {
      await opened.sync();
    } finally {
      await opened.close();
    }
  }

  /** On a full disk, what only saves time goes before an operator can remove no plugin. */
  async #withRoom<Result>(act: () => Promise<Result>): Promise<Result> {
    try {
      return await act();
    } catch (error) {
      if (!isFull(error)) throw error;
      await this.#makeRoom(error);
      return act();
    }
  }

  async #makeRoom(full: unknown): Promise<void> {
    try {
      await this.#files.remove(this.at(rewrittenFolder));
    } catch {
      throw full;
    }
  }

  /** @throws manager/folder */
  async remove(...names: readonly string[]): Promise<void> {
    await this.#guarded("remove", this.at(...names), (path) => this.#files.remove(path));
  }

  /** In one rename, which needs no room. Of what is not there, nothing is done. @throws manager/folder */
  async move(from: readonly string[], to: readonly string[]): Promise<void> {
    const [before, after] = [this.at(...from), this.at(...to)];
    await this.#guarded("write", after, async () => {
      const holding = await this.#withRoom(() => this.#opened(dirname(after)));
      try {
        await this.#files.rename(before, after);
        await holding.sync();
      } catch (error) {
        if (!isMissing(error)) throw error;
      } finally {
        await holding.close();
      }
    });
  }

  /** @throws manager/folder */
  async makeFolder(...names: readonly string[]): Promise<string> {
    const path = this.at(...names);
    await this.#guarded("make", path, (folder) => this.#files.makeFolder(folder));
    return path;
  }

  /** Removes the drafts of whoever was killed while writing. @throws manager/folder */
  async sweep(...folder: readonly string[]): Promise<void> {
    const names = await this.#guarded("list", this.at(...folder), (path) => this.#files.list(path));
    for (const name of names) if (name.includes(draftMark)) await this.remove(...folder, name);
  }

  at(...names: readonly string[]): string {
    return join(this.path, ...names);
  }

  async #guarded<Result>(
    doing: string,
    path: string,
    act: (path: string) => Promise<Result>,
  ): Promise<Result> {
    try {
      return await act(path);
    } catch (error) {
      if (isRemoraError(error)) throw error;
      throw managerErrors.folder({ doing, path, reason: codeOf(error) ?? "unknown" }, error);
    }
  }
}
