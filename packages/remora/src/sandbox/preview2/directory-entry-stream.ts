/** `wasi:filesystem/types` 0.2: listings. */

import { FsError } from "../fs/errno.ts";
import type { FolderHandle } from "../fs/folder-handle.ts";
import type { FolderEntry } from "../fs/volume.ts";
import type { Machine } from "../machine/machine.ts";
import { inCodes, types } from "./file-terms.ts";

/** The resource `directory-entry-stream`: a listing as it was when it began, for as long as the folder may be listed. */
export class DirectoryEntryStream {
  readonly #machine: Machine;
  readonly #folder: FolderHandle;
  readonly #entries: readonly FolderEntry[];
  #next = 0;
  #isClosed = false;

  constructor(machine: Machine, folder: FolderHandle) {
    const entries = folder.entries();
    this.#machine = machine;
    this.#folder = folder;
    this.#entries = entries;
    if (!machine.holdEntries(entries.length)) throw new FsError("nomem");
    if (machine.hold(this)) return;
    machine.releaseEntries(entries.length);
    throw new FsError("mfile");
  }

  readDirectoryEntry(): { type: string; name: string } | undefined {
    inCodes(() => this.#folder.checkListed());
    const entry = this.#entries[this.#next++];
    return entry === undefined ? undefined : { type: types[entry.type], name: entry.name };
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#machine.releaseEntries(this.#entries.length);
    this.#machine.release(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
