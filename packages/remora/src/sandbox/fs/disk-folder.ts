/**
 * An open folder of a directory of the host: a descriptor where the system lets names be looked up in one, else a
 * path that is checked before each use.
 */

import * as fs from "node:fs";
import { checkIsFile, type Disk, guarded, keyOf, typeOf } from "./disk.ts";
import { DiskFile } from "./disk-file.ts";
import { FsError, fsErrorOf } from "./errno.ts";
import type { FileHow, FolderEntry, NewTimes, OpenFile, OpenFolder, Stat } from "./volume.ts";

const {
  O_RDONLY,
  O_WRONLY,
  O_RDWR,
  O_CREAT,
  O_EXCL,
  O_DIRECTORY = 0,
  O_NOFOLLOW = 0,
  O_NONBLOCK = 0,
  O_NOCTTY = 0,
} = fs.constants;

/** Without blocking on a pipe, without making a terminal ours, without following a link. */
const carefully = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;

/** Opens a folder by a path whose last name is no link. */
export function openFolder(disk: Disk, path: string): DiskFolder {
  if (!disk.hasDescriptors) return new DiskFolder(disk, undefined, path);
  const descriptor = fs.openSync(path, O_RDONLY | O_DIRECTORY | carefully);
  return new DiskFolder(disk, descriptor, `/proc/self/fd/${descriptor}`);
}

export class DiskFolder implements OpenFolder {
  readonly #disk: Disk;
  readonly #descriptor: number | undefined;
  readonly #path: string;
  #isOpen = true;

  constructor(disk: Disk, descriptor: number | undefined, path: string) {
    this.#disk = disk;
    this.#descriptor = descriptor;
    this.#path = path;
  }

  stat(): Stat {
    return guarded(() => this.#disk.statOf(this.#stat()));
  }

  setTimes(times: NewTimes): void {
    guarded(() =>
      this.#disk.setTimes(
        times,
        () => this.#stat(),
        (accessed, modified) => {
          if (this.#descriptor === undefined) fs.lutimesSync(this.#path, accessed, modified);
          else fs.futimesSync(this.#descriptor, accessed, modified);
        },
      ),
    );
  }

  sync(): void {
    this.#mustBeOpen();
    if (this.#descriptor === undefined) return;
    guarded(() => {
      // One of its own, which stays until the disk is ready; its failure is nobody's, since folders are not written to.
      const descriptor = fs.openSync(`${this.#path}/.`, O_RDONLY | O_DIRECTORY);
      const close = () => fs.close(descriptor, () => {});
      if (this.#disk.syncs.ask(descriptor, close)) return;
      close();
      throw new FsError("again");
    });
  }

  entries(entriesMax: number): FolderEntry[] {
    this.#mustBeOpen();
    return guarded(() => {
      const folder = fs.opendirSync(this.#path, { bufferSize: 1_024 });
      try {
        const entries: FolderEntry[] = [];
        for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) {
          // A name that is no UTF-8 cannot be said in WASI: it is not there for a guest.
          if (entry.name.includes("\ufffd")) continue;
          if (entries.length >= entriesMax) throw new FsError("overflow");
          entries.push({ name: entry.name, type: typeOf(entry), inode: undefined });
        }
        return entries;
      } finally {
        folder.closeSync();
      }
    });
  }

  again(): OpenFolder {
    this.#mustBeOpen();
    return guarded(() =>
      openFolder(this.#disk, this.#descriptor === undefined ? this.#path : `${this.#path}/.`),
    );
  }

  folderAt(name: string): OpenFolder {
    const path = this.#at(name);
    return guarded(() => {
      if (this.#disk.hasDescriptors) {
        try {
          return openFolder(this.#disk, path);
        } catch (error) {
          // O_DIRECTORY with O_NOFOLLOW answers ENOTDIR for a link, too.
          if (fsErrorOf(error).errno === "notdir" && this.#lstat(name).isSymbolicLink())
            throw new FsError("loop");
          throw error;
        }
      }
      const stat = this.#lstat(name);
      if (stat.isSymbolicLink()) throw new FsError("loop");
      if (!stat.isDirectory()) throw new FsError("notdir");
      if (fs.realpathSync(path) !== path) throw new FsError("loop");
      return openFolder(this.#disk, path);
    });
  }

  fileAt(name: string, how: FileHow): OpenFile {
    return guarded(() => {
      const { quota } = this.#disk;
      // Truncating takes a writable descriptor, even where the guest may not write through it.
      const access = how.write || how.truncate ? (how.read ? O_RDWR : O_WRONLY) : O_RDONLY;
      if (!(how.create && how.exclusive)) {
        const file = this.#openExisting(name, access, how.truncate);
        if (file !== undefined) return file;
        if (!how.create) throw new FsError("noent");
      }
      return quota.withName(() => {
        const descriptor = fs.openSync(this.#at(name), access | O_CREAT | O_EXCL | carefully, 0o600);
        return this.#file(descriptor);
      });
    });
  }

  statAt(name: string): Stat {
    return guarded(() => this.#disk.statOf(this.#lstat(name)));
  }

  setTimesAt(name: string, times: NewTimes): void {
    guarded(() =>
      this.#disk.setTimes(
        times,
        () => this.#lstat(name),
        (accessed, modified) => fs.lutimesSync(this.#at(name), accessed, modified),
      ),
    );
  }

  linkTextAt(name: string): string {
    return guarded(() => {
      const text = fs.readlinkSync(this.#at(name));
      if (text.includes("\ufffd")) throw new FsError("ilseq");
      return text;
    });
  }

  makeFolderAt(name: string): void {
    guarded(() => this.#disk.quota.withName(() => fs.mkdirSync(this.#at(name), 0o700)));
  }

  makeLinkAt(name: string, text: string): void {
    guarded(() => this.#disk.quota.withName(() => fs.symlinkSync(text, this.#at(name))));
  }

  linkAt(name: string, target: OpenFolder, targetName: string): void {
    const to = this.#sameDisk(target);
    guarded(() => this.#disk.quota.withName(() => fs.linkSync(this.#at(name), to.#at(targetName))));
  }

  removeFolderAt(name: string): void {
    guarded(() => {
      fs.rmdirSync(this.#at(name));
      this.#disk.quota.giveName();
    });
  }

  removeFileAt(name: string): void {
    guarded(() => {
      const before = this.#lstat(name);
      if (before.isDirectory()) throw new FsError("isdir");
      const path = this.#at(name);
      this.#disk.unname(path, before, () => fs.unlinkSync(path));
    });
  }

  renameAt(name: string, target: OpenFolder, targetName: string): void {
    const to = this.#sameDisk(target);
    guarded(() => {
      const source = this.#lstat(name);
      const [from, path] = [this.#at(name), to.#at(targetName)];
      const before = fs.lstatSync(path, { bigint: true, throwIfNoEntry: false });
      const rename = (): void => fs.renameSync(from, path);
      if (before === undefined || keyOf(before) === keyOf(source)) rename();
      else this.#disk.unname(path, before, rename);
    });
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false; // from now on its path is whatever the system gives the number to
    const descriptor = this.#descriptor;
    if (descriptor !== undefined) guarded(() => fs.closeSync(descriptor));
  }

  /** Undefined when there is nothing of that name. */
  #openExisting(name: string, access: number, isTruncated: boolean): OpenFile | undefined {
    const { hasDescriptors, mayHaveDevices } = this.#disk;
    let before: fs.BigIntStats | undefined;
    // Looked at first where opening could do something already, as with a device; and again after in any case,
    // since this was a name.
    if (mayHaveDevices || !hasDescriptors) {
      before = fs.lstatSync(this.#at(name), { bigint: true, throwIfNoEntry: false });
      if (before === undefined) return undefined;
      checkIsFile(before);
    }
    const descriptor = openOrNot(this.#at(name), access | carefully);
    if (descriptor === undefined) return undefined;
    const file = this.#file(descriptor, hasDescriptors ? undefined : before);
    if (isTruncated) file.setSize(0);
    return file;
  }

  #file(descriptor: number, expected?: fs.BigIntStats): DiskFile {
    try {
      const stat = fs.fstatSync(descriptor, { bigint: true });
      checkIsFile(stat);
      if (expected !== undefined && keyOf(expected) !== keyOf(stat)) throw new FsError("loop");
      return new DiskFile(this.#disk, descriptor, stat);
    } catch (error) {
      fs.closeSync(descriptor);
      throw error;
    }
  }

  #stat(): fs.BigIntStats {
    this.#mustBeOpen();
    return this.#descriptor === undefined
      ? fs.lstatSync(this.#path, { bigint: true })
      : fs.fstatSync(this.#descriptor, { bigint: true });
  }

  #lstat(name: string): fs.BigIntStats {
    return fs.lstatSync(this.#at(name), { bigint: true });
  }

  /** A name, never a path: the walk has split it. Where "\" separates too, it is refused. */
  #at(name: string): string {
    this.#mustBeOpen();
    const isName =
      name !== "" && name !== "." && name !== ".." && !name.includes("/") && !name.includes("\0");
    if (!isName) throw new FsError("inval");
    if (!this.#disk.hasDescriptors) {
      if (/[\\:]/.test(name)) throw new FsError("inval");
      if (fs.realpathSync(this.#path) !== this.#path) throw new FsError("loop"); // a link was put in its way
    }
    return `${this.#path}/${name}`;
  }

  #mustBeOpen(): void {
    if (!this.#isOpen) throw new FsError("badf");
  }

  #sameDisk(target: OpenFolder): DiskFolder {
    if (!(target instanceof DiskFolder) || target.#disk !== this.#disk) throw new FsError("xdev");
    return target;
  }
}

/** Undefined when there is nothing of that name. */
function openOrNot(path: string, flags: number): number | undefined {
  try {
    return fs.openSync(path, flags);
  } catch (error) {
    if (fsErrorOf(error).errno === "noent") return undefined;
    throw error;
  }
}
