/**
 * A guest's open folders, and what it can do with a path: the file half of the virtual machine, below both versions of
 * WASI. Every operation on a path passes the gate with the path that it really leads to.
 */

import { FsError } from "./errno.ts";
import { FileHandle } from "./file-handle.ts";
import type { Access, Mount, MountGate } from "./mount-gate.ts";
import type { FileHow, FolderEntry, NewTimes, OpenFolder, Stat } from "./volume.ts";
import { isLink, OutsideError, type Place, walk } from "./walk.ts";

export interface FileBounds {
  readonly pathBytesMax: number;
  readonly folderEntriesMax: number;
  readonly transferBytesMax: number;
}

export interface OpenRequest extends FileHow {
  readonly path: string;
  readonly follow: boolean;
  /** It must be a folder. */
  readonly folder: boolean;
  readonly append: boolean;
}

/** An open folder, from which paths start. */
export class FolderHandle {
  readonly kind = "folder";
  readonly #folder: OpenFolder;
  readonly #gate: MountGate;
  readonly #bounds: FileBounds;
  /** Where it was when it was opened, below the mount: for the gate. */
  readonly #base: string;
  readonly #narrowings: number;

  constructor(options: { folder: OpenFolder; gate: MountGate; bounds: FileBounds; base?: string }) {
    this.#folder = options.folder;
    this.#gate = options.gate;
    this.#bounds = options.bounds;
    this.#base = options.base ?? "";
    this.#narrowings = options.gate.narrowings;
  }

  get mount(): Mount {
    return this.#gate.mount;
  }

  /** Whether nothing was taken since it was opened; what it led to then it leads to still. */
  get #isAsOpened(): boolean {
    return this.#gate.narrowings === this.#narrowings;
  }

  /** Of what was taken while it is open it tells nothing, and nothing begins there. @throws FsError `acces` */
  checkGiven(): void {
    if (!this.#isAsOpened) this.#gate.checkLeads(this.#base);
  }

  /** For whoever keeps what was listed: it is told only as long as it could be listed again. @throws FsError `acces` */
  checkListed(): void {
    if (!this.#isAsOpened) this.#gate.checkStill("read", this.#base);
  }

  /** Opens a file or a folder, makes a file. */
  openAt(request: OpenRequest): FileHandle | FolderHandle {
    const isWriting = request.write || request.create || request.truncate;
    return this.#walk(request.path, request.follow, (place) => {
      const isFolder = request.folder || place.mustBeFolder || place.name === "";
      if (isFolder && (request.create || request.truncate)) {
        throw new FsError(request.create && request.folder ? "inval" : "isdir");
      }
      if (isFolder && request.write) throw new FsError("isdir");
      if (isFolder || request.read || !isWriting) this.#pass("read", place);
      if (isFolder) return this.#openFolder(place);
      if (isWriting) this.#pass("write", place);
      try {
        const { read, write } = request;
        const file = place.folder.fileAt(place.name, request);
        return new FileHandle(file, { read, write, gate: this.#gate, below: this.#below(place) });
      } catch (error) {
        if (!(error instanceof FsError) || error.errno !== "isdir") throw error;
        if (request.write || request.truncate || request.create) throw error;
        return this.#openFolder(place);
      }
    });
  }

  /** Whether anything in here may be changed at all; each change passes the gate nevertheless. */
  get canChange(): boolean {
    return this.#gate.canChange;
  }

  stat(): Stat {
    this.#checkItself();
    return this.#folder.stat();
  }

  sync(): void {
    this.#checkItself();
    this.#folder.sync();
  }

  statAt(path: string, follow: boolean): Stat {
    return this.#walk(path, follow, (place) => {
      this.#pass("read", place);
      if (place.name === "") return place.folder.stat();
      const stat = place.folder.statAt(place.name);
      if (stat.type === "link" && (follow || place.mustBeFolder)) return isLink;
      if (place.mustBeFolder && stat.type !== "folder") throw new FsError("notdir");
      return stat;
    });
  }

  setTimes(times: NewTimes): void {
    this.#gate.pass("write", this.#base);
    this.#folder.setTimes(times);
  }

  setTimesAt(path: string, follow: boolean, times: NewTimes): void {
    this.#walk(path, follow, (place) => {
      this.#pass("write", place);
      if (place.name === "") return place.folder.setTimes(times);
      const { type } = place.folder.statAt(place.name);
      if (type === "link" && (follow || place.mustBeFolder)) return isLink;
      if (place.mustBeFolder && type !== "folder") throw new FsError("notdir");
      return place.folder.setTimesAt(place.name, times);
    });
  }

  entries(): FolderEntry[] {
    this.#gate.pass("read", this.#base);
    return this.#folder.entries(this.#bounds.folderEntriesMax);
  }

  /** The number of a file that was listed; 0 when it is gone by now. */
  inodeOf(name: string): bigint {
    this.checkListed();
    try {
      return this.#folder.statAt(name).inode;
    } catch (error) {
      if (error instanceof FsError) return 0n;
      throw error;
    }
  }

  linkTextAt(path: string): string {
    return this.#walk(path, false, (place) => {
      this.#pass("read", place);
      if (place.name === "" || place.mustBeFolder) throw new FsError("inval");
      const text = place.folder.linkTextAt(place.name);
      // What the host's operator linked to outside is none of the guest's business.
      if (text.startsWith("/")) throw new OutsideError();
      return text;
    });
  }

  makeFolderAt(path: string): void {
    this.#walk(path, false, (place) => {
      this.#pass("write", place);
      if (place.name === "") throw new FsError("exist");
      place.folder.makeFolderAt(place.name);
    });
  }

  makeLinkAt(text: string, path: string): void {
    this.#checkLength(text);
    if (text === "") throw new FsError("noent");
    if (text.includes("\0")) throw new FsError("inval");
    // An absolute link leads nowhere in here, but somewhere for whoever else looks into the folder.
    if (text.startsWith("/")) throw new FsError("perm");
    const leadsUp = text.split(/[\\/]/).includes("..");
    if (leadsUp && !this.mount.volume.hasSafeLinks) throw new FsError("perm");
    this.#walk(path, false, (place) => {
      this.#pass("write", place);
      if (place.name === "") throw new FsError("exist");
      if (place.mustBeFolder) throw new FsError(this.#has(place) ? "exist" : "noent");
      place.folder.makeLinkAt(place.name, text);
    });
  }

  linkAt(path: string, follow: boolean, target: FolderHandle, targetPath: string): void {
    // A second name is as good as the first: one mount's files get none in another, which may allow more.
    if (target.mount !== this.mount) throw new FsError("xdev");
    if (follow) throw new FsError("inval");
    this.#walk(path, false, (from) =>
      target.#walk(targetPath, false, (to) => {
        this.#pass("write", from);
        target.#pass("write", to);
        if (from.name === "") throw new FsError("perm");
        if (to.name === "") throw new FsError("exist");
        if (from.mustBeFolder)
          throw new FsError(from.folder.statAt(from.name).type === "folder" ? "perm" : "notdir");
        if (to.mustBeFolder) throw new FsError(target.#has(to) ? "exist" : "noent");
        this.#gate.checkSameRules(this.#below(from), target.#below(to));
        from.folder.linkAt(from.name, to.folder, to.name);
      }),
    );
  }

  removeFolderAt(path: string): void {
    this.#walk(path, false, (place) => {
      this.#pass("write", place);
      if (place.name === "") throw new FsError("inval");
      if (place.folder.statAt(place.name).type !== "folder") throw new FsError("notdir");
      place.folder.removeFolderAt(place.name);
    });
  }

  removeFileAt(path: string): void {
    this.#walk(path, false, (place) => {
      this.#pass("write", place);
      if (place.name === "") throw new FsError("isdir");
      if (place.mustBeFolder) {
        throw new FsError(place.folder.statAt(place.name).type === "folder" ? "isdir" : "notdir");
      }
      place.folder.removeFileAt(place.name);
    });
  }

  renameAt(path: string, target: FolderHandle, targetPath: string): void {
    if (target.mount !== this.mount) throw new FsError("xdev");
    this.#walk(path, false, (from) =>
      target.#walk(targetPath, false, (to) => {
        this.#pass("write", from);
        target.#pass("write", to);
        if (from.name === "" || to.name === "") throw new FsError("busy");
        if (from.mustBeFolder || to.mustBeFolder) {
          if (from.folder.statAt(from.name).type !== "folder") throw new FsError("notdir");
        }
        this.#gate.checkSameRules(this.#below(from), target.#below(to));
        from.folder.renameAt(from.name, to.folder, to.name);
      }),
    );
  }

  close(): void {
    this.#folder.close();
  }

  #openFolder(place: Place): FolderHandle {
    const folder = place.name === "" ? place.folder.again() : place.folder.folderAt(place.name);
    const base = this.#below(place);
    return new FolderHandle({ folder, gate: this.#gate, bounds: this.#bounds, base });
  }

  #has(place: Place): boolean {
    try {
      place.folder.statAt(place.name);
      return true;
    } catch (error) {
      if (error instanceof FsError && error.errno === "noent") return false;
      throw error;
    }
  }

  #walk<Result>(path: string, follow: boolean, visit: (place: Place) => Result | typeof isLink): Result {
    this.checkGiven();
    this.#checkLength(path);
    const pass = this.#gate.passing;
    const passing = pass === undefined ? undefined : (resolved: string) => pass(this.#below({ resolved }));
    try {
      return walk(this.#folder, { path, follow, passing }, visit);
    } catch (error) {
      if (error instanceof OutsideError) this.#gate.refuseOutside(path);
      throw error;
    }
  }

  #checkLength(path: string): void {
    const { pathBytesMax } = this.#bounds;
    // A UTF-16 unit takes one to three bytes: only what may be too long is measured.
    if (path.length * 3 <= pathBytesMax) return;
    if (path.length > pathBytesMax || Buffer.byteLength(path) > pathBytesMax)
      throw new FsError("nametoolong");
  }

  #checkItself(): void {
    if (!this.#isAsOpened) this.#gate.checkAny(this.#base);
  }

  #pass(access: Access, place: Pick<Place, "resolved">): void {
    this.#gate.pass(access, this.#below(place));
  }

  /** The names from the mount to a place. */
  #below({ resolved }: Pick<Place, "resolved">): string {
    if (this.#base === "") return resolved;
    return resolved === "" ? this.#base : `${this.#base}/${resolved}`;
  }
}
