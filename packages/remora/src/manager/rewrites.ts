/**
 * Rewritten modules and plans of components, a folder a bundle: what belongs to no version that is kept goes with it, and all
 * together have a bound. Nothing depends on these files: what is not there is made again, so a removal that ends halfway
 * leaves what it had not come to, and the next one goes on.
 */

import { CompileCache, keptVersion, type RewriteStore } from "../engine/index.ts";
import { RewriteFolder } from "./rewrite-folder.ts";
import { type DataFolder, draftMark, rewrittenFolder as folderName } from "./store/data-folder.ts";
import type { UsedBundles } from "./store/entry.ts";

/** Some thirty times the largest plugin that we know, in each of the versions that are kept. */
export const rewrittenBytesMaxDefault = 512 * 1024 * 1024;

/** Bundles that are looked at before others get their turn: some two milliseconds. */
const looksInTurn = 32;

export class Rewrites {
  readonly #folder: DataFolder;
  readonly #bytesMax: number;
  readonly #shared = new CompileCache();
  readonly #caches = new Map<string, CompileCache>();
  /** All that is kept, as it was last measured and with what was written since. */
  #bytes = 0;

  /**
   * @param bytesMax Of all files together; what would go beyond is not kept.
   * @throws RangeError it is no number from 0 on
   */
  constructor(folder: DataFolder, bytesMax: number) {
    if (!(bytesMax >= 0)) throw new RangeError(`rewrittenBytesMax must be 0 or more, and is ${bytesMax}`);
    this.#folder = folder;
    this.#bytesMax = bytesMax;
  }

  /** The compiled modules of all plugins, with the files of one bundle. */
  cacheOf(sha256: string): CompileCache {
    let cache = this.#caches.get(sha256);
    if (cache === undefined) {
      cache = this.#shared.keptIn(this.#storeOf(sha256));
      this.#caches.set(sha256, cache);
    }
    return cache;
  }

  /** Resolves when all that was made until now is written, or could not be. */
  async settled(): Promise<void> {
    await Promise.all(Array.from(this.#caches.values(), (cache) => cache.settled()));
  }

  /**
   * Removes what another version of us made, what belongs to no bundle that is kept, drafts, and, while all together have
   * more bytes than they may, the files of the bundle that was written to longest ago.
   *
   * @throws manager/folder
   */
  async trim({ kept, inUse }: UsedBundles): Promise<void> {
    for (const sha256 of this.#caches.keys()) if (!kept.has(sha256)) await this.#forget(sha256);
    for (const name of await this.#folder.list(folderName)) {
      if (name !== keptVersion) await this.#folder.remove(folderName, name);
    }
    const left: { readonly name: string; readonly bytes: number; readonly changedAtMs: number }[] = [];
    for (const name of await this.#folder.list(folderName, keptVersion)) {
      if (!kept.has(name)) {
        await this.#folder.remove(folderName, keptVersion, name);
        continue;
      }
      left.push({ name, ...(await this.#swept(name)) });
      // A look does not wait for anything: others get their turn.
      if (left.length % looksInTurn === 0) await new Promise(setImmediate);
    }
    this.#bytes = left.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { name, bytes } of left.toSorted((one, other) => one.changedAtMs - other.changedAtMs)) {
      if (this.#bytes <= this.#bytesMax) return;
      if (inUse.has(name)) continue;
      await this.#folder.remove(folderName, keptVersion, name);
      this.#bytes -= bytes;
    }
  }

  /** Removes what was made of one bundle. @throws manager/folder */
  async remove(sha256: string): Promise<void> {
    await this.#forget(sha256);
    const { bytes } = await this.#swept(sha256);
    await this.#folder.remove(folderName, keptVersion, sha256);
    this.#bytes -= bytes;
  }

  async #forget(sha256: string): Promise<void> {
    // Else what is on its way would be there again behind the removal.
    await this.#caches.get(sha256)?.settled();
    this.#caches.delete(sha256);
  }

  /** What the files of a bundle have; without drafts, unless somebody writes them now. */
  async #swept(bundle: string): Promise<{ readonly bytes: number; readonly changedAtMs: number }> {
    let [bytes, changedAtMs] = [0, 0];
    for (const file of await this.#folder.look(folderName, keptVersion, bundle)) {
      if (!this.#caches.has(bundle) && file.name.includes(draftMark)) {
        await this.#folder.remove(folderName, keptVersion, bundle, file.name);
        continue;
      }
      bytes += file.bytes;
      changedAtMs = Math.max(changedAtMs, file.changedAtMs);
    }
    return { bytes, changedAtMs };
  }

  #storeOf(sha256: string): RewriteStore {
    const files = new RewriteFolder(this.#folder.at(folderName, keptVersion, sha256));
    return {
      read: (name) => files.read(name),
      write: async (name, pieces) => {
        const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
        if (this.#bytes + bytes > this.#bytesMax) return;
        this.#bytes += bytes;
        await files.write(name, pieces);
      },
    };
  }
}
