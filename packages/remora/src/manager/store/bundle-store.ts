/** Bundles by the SHA-256 of their files. What is here was checked before, and is checked again when it is read. */

import { hash } from "node:crypto";
import { managerErrors } from "../errors.ts";
import type { DataFolder, InPlace } from "./data-folder.ts";

const folderName = "bundles";
const ending = ".bundle";

export class BundleStore {
  readonly #folder: DataFolder;
  /** Those that are in their place and would perhaps not be found after a power cut. */
  readonly #unsure = new Set<string>();

  constructor(folder: DataFolder) {
    this.#folder = folder;
  }

  /**
   * Keeps a bundle; one that is there already stays, if it is whole.
   *
   * @param sha256 Its own.
   * @returns      That.
   * @throws manager/folder
   */
  async keep(bytes: Uint8Array, sha256 = sha256Of(bytes)): Promise<string> {
    const { lasts } = await this.put(bytes, sha256);
    await lasts;
    return sha256;
  }

  /** The same for whoever has other things to do until it lasts. @throws manager/folder */
  async put(bytes: Uint8Array, sha256: string): Promise<InPlace> {
    // What the disk would not make lasting is there all the same: whoever brings it again has to hear of that too.
    if (!this.#unsure.has(sha256) && (await this.isWhole(sha256))) return { lasts: Promise.resolve() };
    const inPlace = await this.#folder.put(bytes, folderName, `${sha256}${ending}`);
    this.#unsure.add(sha256);
    inPlace.lasts.then(
      () => this.#unsure.delete(sha256),
      () => {},
    );
    return inPlace;
  }

  /** Whether it is there as it was kept. @throws manager/folder */
  async isWhole(sha256: string): Promise<boolean> {
    const bytes = await this.#folder.read(folderName, `${sha256}${ending}`);
    return bytes !== undefined && sha256Of(bytes) === sha256;
  }

  /**
   * @throws manager/store-damaged it is gone, or somebody changed it
   * @throws manager/folder
   */
  async read(sha256: string): Promise<Uint8Array> {
    const bytes = await this.#folder.read(folderName, `${sha256}${ending}`);
    const found = bytes === undefined ? "no file" : sha256Of(bytes);
    if (bytes === undefined || found !== sha256) {
      throw managerErrors["store-damaged"]({
        path: this.#folder.at(folderName, `${sha256}${ending}`),
        found: bytes === undefined ? found : `the SHA-256 ${found}`,
      });
    }
    return bytes;
  }

  /** @throws manager/folder */
  async remove(sha256: string): Promise<void> {
    await this.#folder.remove(folderName, `${sha256}${ending}`);
  }

  /** Removes all that nobody names, and drafts. @throws manager/folder */
  async keepOnly(used: ReadonlySet<string>): Promise<void> {
    await this.#folder.sweep(folderName);
    for (const name of await this.#folder.list(folderName)) {
      if (!used.has(name.slice(0, -ending.length))) await this.#folder.remove(folderName, name);
    }
  }
}

export function sha256Of(bytes: Uint8Array): string {
  return hash("sha256", bytes);
}
