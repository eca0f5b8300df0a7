/**
 * A file tree on a directory of the host. On Linux each open folder is a descriptor, and a name in it is reached as
 * `/proc/self/fd/N/name`: what `openat` does, which Node does not offer. Nobody can then put something else between
 * the check and the use. Elsewhere a folder is its path, checked before each use: links that lead upwards cannot be
 * made by a guest, but another process of the host's that renames folders at the same moment is not defended
 * against. Nothing is ever opened through a link, and nothing but files and folders is opened at all.
 */

import * as fs from "node:fs";
import { sandboxErrors } from "../errors.ts";
import { FsError, fsErrorOf } from "./errno.ts";
import type { Quota } from "./quota.ts";
import type {
  FileHow,
  FolderEntry,
  NewTimes,
  NodeType,
  OpenFile,
  OpenFolder,
  Stat,
  Volume,
} from "./volume.ts";

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

export interface DiskVolumeOptions {
  /** An existing folder; what it is inside the guest is not its business. */
  readonly folder: string;
  readonly quota: Quota;
  /** Whether folders are held as descriptors; found out when it is left out. */
  readonly hasDescriptors?: boolean;
}

/**
 * Opens a folder of the host's.
 *
 * @throws sandbox/no-folder when it is not there, is no folder or is a symbolic link.
 */
export function diskVolume(options: DiskVolumeOptions): Volume {
  const { folder } = options;
  const found = describeFolder(folder);
  if (found !== "a folder") throw sandboxErrors["no-folder"]({ folder, found });
  const hasDescriptors = options.hasDescriptors ?? canNameDescriptors();
  const disk = new Disk(options.quota, hasDescriptors);
  const root = disk.openFolder(fs.realpathSync(folder));
  return { root, hasSafeLinks: hasDescriptors, close: () => root.close() };
}

/** What a folder holds already, for a quota that counts from there. */
export function usageOf(folder: string, namesMax: number): { bytes: number; names: number } {
  const used = { bytes: 0, names: 0 };
  const pending = [folder];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    for (const name of fs.readdirSync(path)) {
      const stat = fs.lstatSync(`${path}/${name}`);
      used.names++;
      if (stat.isFile()) used.bytes += stat.size;
      if (stat.isDirectory()) pending.push(`${path}/${name}`);
    }
    // Over the bound already: nothing more can be made, however much more there is.
    if (used.names > 2 * namesMax) break;
  }
  return used;
}

function describeFolder(folder: string): string {
  const stat = fs.lstatSync(folder, { throwIfNoEntry: false });
  if (stat === undefined) return "nothing";
  if (stat.isSymbolicLink()) return "a symbolic link";
  return stat.isDirectory() ? "a folder" : "something else";
}

function canNameDescriptors(): boolean {
  return O_NOFOLLOW !== 0 && O_DIRECTORY !== 0 && fs.existsSync("/proc/self/fd");
}

/** Files that are open, by what they are: a file without a name is charged until its last handle is closed. */
interface OpenInode {
  opens: number;
  isNameless: boolean;
}

/** A time as it was set, beside what the disk made of it. */
interface SetTime {
  readonly wantedNs: bigint;
  readonly foundNs: bigint;
}

/** Files whose times were set lately, at most. */
const setTimesMax = 1_024;

class Disk {
  readonly quota: Quota;
  readonly hasDescriptors: boolean;
  readonly #times = new Map<string, { accessed?: SetTime; modified?: SetTime }>();
  readonly #inodes = new Map<string, OpenInode>();

  constructor(quota: Quota, hasDescriptors: boolean) {
    this.quota = quota;
    this.hasDescriptors = hasDescriptors;
  }

  openFolder(path: string): DiskFolder {
    if (!this.hasDescriptors) return new DiskFolder(this, undefined, path);
    const descriptor = fs.openSync(path, O_RDONLY | O_DIRECTORY | carefully);
    return new DiskFolder(this, descriptor, `/proc/self/fd/${descriptor}`);
  }

  /**
   * Sets times. Node takes seconds as floating point, exact to a quarter of a microsecond only: what was wanted is
   * remembered for as long as the file still has what came of it.
   */
  setTimes(
    times: NewTimes,
    stat: () => fs.BigIntStats,
    set: (accessed: number, modified: number) => void,
  ): void {
    const before = stat();
    const accessedNs = times.accessedNs ?? before.atimeNs;
    const modifiedNs = times.modifiedNs ?? before.mtimeNs;
    set(Number(accessedNs) / 1e9, Number(modifiedNs) / 1e9);
    const after = stat();
    const known = this.#times.get(keyOf(after));
    const keep = (time: SetTime | undefined, nowNs: bigint): bigint =>
      time !== undefined && time.foundNs === nowNs ? time.wantedNs : nowNs;
    if (this.#times.size >= setTimesMax) this.#times.clear();
    this.#times.set(keyOf(after), {
      accessed: {
        wantedNs: times.accessedNs ?? keep(known?.accessed, before.atimeNs),
        foundNs: after.atimeNs,
      },
      modified: {
        wantedNs: times.modifiedNs ?? keep(known?.modified, before.mtimeNs),
        foundNs: after.mtimeNs,
      },
    });
  }

  statOf(stat: fs.BigIntStats): Stat {
    const known = this.#times.size === 0 ? undefined : this.#times.get(keyOf(stat));
    const { accessed, modified } = known ?? {};
    return {
      type: typeOf(stat),
      device: stat.dev,
      inode: stat.ino,
      links: stat.nlink,
      sizeBytes: stat.size,
      accessedNs: accessed?.foundNs === stat.atimeNs ? accessed.wantedNs : stat.atimeNs,
      modifiedNs: modified?.foundNs === stat.mtimeNs ? modified.wantedNs : stat.mtimeNs,
      changedNs: stat.ctimeNs,
    };
  }

  opened(stat: fs.BigIntStats): void {
    const inode = this.#inodes.get(keyOf(stat));
    if (inode === undefined) this.#inodes.set(keyOf(stat), { opens: 1, isNameless: false });
    else inode.opens++;
  }

  closed(stat: fs.BigIntStats): void {
    const inode = this.#inodes.get(keyOf(stat));
    if (inode === undefined || --inode.opens > 0) return;
    this.#inodes.delete(keyOf(stat));
    if (inode.isNameless) this.quota.giveBytes(Number(stat.size));
  }

  /** A name of this file is gone; `stat` is from before. */
  unnamed(stat: fs.BigIntStats): void {
    this.quota.giveName();
    if (!stat.isFile() || stat.nlink > 1n) return;
    const inode = this.#inodes.get(keyOf(stat));
    if (inode === undefined) this.quota.giveBytes(Number(stat.size));
    else inode.isNameless = true;
  }
}

class DiskFile implements OpenFile {
  readonly #disk: Disk;
  /** Undefined once it is closed: the system gives the number to the next file. */
  #descriptor: number | undefined;

  constructor(disk: Disk, descriptor: number, stat: fs.BigIntStats) {
    this.#disk = disk;
    this.#descriptor = descriptor;
    disk.opened(stat);
  }

  stat(): Stat {
    return guarded(() => this.#disk.statOf(this.#stat()));
  }

  read(into: Uint8Array, at: number): number {
    return guarded(() => fs.readSync(this.#open(), into, 0, into.length, at));
  }

  write(from: Uint8Array, at: number): number {
    if (from.length === 0) return 0;
    return guarded(() => {
      const growth = Math.max(0, at + from.length - Number(this.#stat().size));
      if (growth > 0) this.#disk.quota.takeBytes(growth);
      let written = 0;
      try {
        written = fs.writeSync(this.#open(), from, 0, from.length, at);
      } finally {
        const unused = Math.min(growth, from.length - written);
        if (unused > 0) this.#disk.quota.giveBytes(unused);
      }
      return written;
    });
  }

  setSize(sizeBytes: number): void {
    guarded(() => {
      const before = Number(this.#stat().size);
      if (sizeBytes > before) this.#disk.quota.takeBytes(sizeBytes - before);
      fs.ftruncateSync(this.#open(), sizeBytes);
      if (sizeBytes < before) this.#disk.quota.giveBytes(before - sizeBytes);
    });
  }

  setTimes(times: NewTimes): void {
    guarded(() =>
      this.#disk.setTimes(
        times,
        () => this.#stat(),
        (accessed, modified) => fs.futimesSync(this.#open(), accessed, modified),
      ),
    );
  }

  sync(): void {
    guarded(() => fs.fsyncSync(this.#open()));
  }

  close(): void {
    const descriptor = this.#descriptor;
    if (descriptor === undefined) return;
    guarded(() => {
      this.#disk.closed(this.#stat());
      this.#descriptor = undefined;
      fs.closeSync(descriptor);
    });
  }

  #open(): number {
    if (this.#descriptor === undefined) throw new FsError("badf");
    return this.#descriptor;
  }

  #stat(): fs.BigIntStats {
    return fs.fstatSync(this.#open(), { bigint: true });
  }
}

class DiskFolder implements OpenFolder {
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
    const descriptor = this.#descriptor;
    if (descriptor !== undefined) guarded(() => fs.fsyncSync(descriptor));
  }

  entries(entriesMax: number): FolderEntry[] {
    this.#mustBeOpen();
    return guarded(() => {
      const folder = fs.opendirSync(this.#path, { bufferSize: 256 });
      try {
        const entries: FolderEntry[] = [];
        for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) {
          // A name that is no UTF-8 cannot be said in WASI: it is not there for a guest.
          if (entry.name.includes("\ufffd")) continue;
          if (entries.length >= entriesMax) throw new FsError("overflow");
          const stat = fs.lstatSync(this.#at(entry.name), { bigint: true, throwIfNoEntry: false });
          if (stat !== undefined) entries.push({ name: entry.name, type: typeOf(stat), inode: stat.ino });
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
      this.#disk.openFolder(this.#descriptor === undefined ? this.#path : `${this.#path}/.`),
    );
  }

  folderAt(name: string): OpenFolder {
    const path = this.#at(name);
    return guarded(() => {
      if (this.#disk.hasDescriptors) {
        try {
          return this.#disk.openFolder(path);
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
      return this.#disk.openFolder(path);
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
      fs.unlinkSync(this.#at(name));
      this.#disk.unnamed(before);
    });
  }

  renameAt(name: string, target: OpenFolder, targetName: string): void {
    const to = this.#sameDisk(target);
    guarded(() => {
      const source = this.#lstat(name);
      const before = fs.lstatSync(to.#at(targetName), { bigint: true, throwIfNoEntry: false });
      fs.renameSync(this.#at(name), to.#at(targetName));
      const isSame = before !== undefined && keyOf(before) === keyOf(source);
      if (before !== undefined && !isSame) this.#disk.unnamed(before);
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
    const before = fs.lstatSync(this.#at(name), { bigint: true, throwIfNoEntry: false });
    if (before === undefined) return undefined;
    // Looked at first, since opening a device can do something already; and again after, since this was a name.
    checkIsFile(before);
    const descriptor = fs.openSync(this.#at(name), access | carefully);
    const file = this.#file(descriptor, this.#disk.hasDescriptors ? undefined : before);
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

function checkIsFile(stat: fs.BigIntStats): void {
  if (stat.isSymbolicLink()) throw new FsError("loop");
  if (stat.isDirectory()) throw new FsError("isdir");
  if (!stat.isFile()) throw new FsError("nxio"); // pipes, sockets and devices are not files of a guest
}

/** Runs a file operation; what the host's system says becomes an errno without the host's paths. */
function guarded<Result>(act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    throw fsErrorOf(error);
  }
}

function keyOf(stat: fs.BigIntStats): string {
  return `${stat.dev}:${stat.ino}`;
}

function typeOf(stat: fs.BigIntStats): NodeType {
  if (stat.isFile()) return "file";
  if (stat.isDirectory()) return "folder";
  return stat.isSymbolicLink() ? "link" : "other";
}
