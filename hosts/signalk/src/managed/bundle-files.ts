/**
 * The pages of a bundle: its files below `public/`, each named by the manifest. They are held unpacked, so that a request
 * reads no bundle, and so their sum is bounded.
 */

import type { Bundle } from "remora/bundle";
import { type FileResponse, fileResponse, nameIn, type StaticFiles } from "../http/static-folder.ts";

/** The publisher chooses how large they are. */
export const publicBytesMax = 32 * 1024 * 1024;

const folder = "public/";

export class BundleFiles implements StaticFiles {
  readonly #files: ReadonlyMap<string, Uint8Array>;

  private constructor(files: ReadonlyMap<string, Uint8Array>) {
    this.#files = files;
  }

  /** Undefined where there are none, or where they are too large. @throws bundle/… the bundle was modified */
  static of(bundle: Bundle): BundleFiles | undefined {
    const names = bundle.entries.filter(({ name }) => name.startsWith(folder));
    const sizeBytes = names.reduce((sum, entry) => sum + entry.sizeBytes, 0);
    if (names.length === 0 || sizeBytes > publicBytesMax) return undefined;
    return new BundleFiles(new Map(names.map(({ name }) => [name.slice(folder.length), bundle.read(name)])));
  }

  async find(path: string, known?: unknown): Promise<FileResponse | undefined> {
    const name = nameIn(this.#files, path);
    const bytes = name === undefined ? undefined : this.#files.get(name);
    return name === undefined || bytes === undefined ? undefined : fileResponse(name, bytes, known);
  }
}
