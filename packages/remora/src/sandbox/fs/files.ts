/**
 * A guest's open files and folders, and what it can do with a path: the file half of the virtual machine, below
 * both versions of WASI. Every operation on a path passes the gate with the path that it really leads to.
 */

import { type Decision, targetKinds } from "../../policy/index.ts";
import type { Gate } from "../gate.ts";
import { FsError } from "./errno.ts";
import type { FileHow, FolderEntry, NewTimes, OpenFile, OpenFolder, Stat, Volume } from "./volume.ts";
import { isLink, OutsideError, type Place, walk } from "./walk.ts";

const { covers, folded = (path: string) => path } = targetKinds.folder;

/** A folder that a guest finds open when it starts. */
export interface Mount {
  /** As the guest sees it: "/" for its own, "/maps" for a granted one. */
  readonly guestPath: string;
  readonly volume: Volume;
  /** The plugin's own root, under `fs.private`; others are decided by `fs.read` and `fs.write`. */
  readonly isPrivate: boolean;
  /** Guest paths below this one where another folder is open: what this volume has there is not to be had. */
  readonly hidden: readonly string[];
}

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

type Access = "read" | "write";

/** An open file: a volume's file, where it came from, and how it may be used. */
export class FileHandle {
  readonly kind = "file";
  readonly file: OpenFile;
  readonly canRead: boolean;
  readonly canWrite: boolean;
  readonly #gate: Gate;
  readonly #pass: (access: Access) => void;
  #narrowings: number;

  /** @param how What it may be used for, and what passes the gate for it. */
  constructor(
    file: OpenFile,
    how: { read: boolean; write: boolean; gate: Gate; pass: (access: Access) => void },
  ) {
    this.file = file;
    this.#gate = how.gate;
    this.#pass = how.pass;
    this.#narrowings = how.gate.narrowings;
    this.canRead = how.read;
    this.canWrite = how.write;
  }

  read(into: Uint8Array, at: number): number {
    this.#checkGiven();
    if (!this.canRead) throw new FsError("badf");
    return this.file.read(into, at);
  }

  write(from: Uint8Array, at: number): number {
    this.#checkGiven();
    if (!this.canWrite) throw new FsError("badf");
    return this.file.write(from, at);
  }

  setSize(sizeBytes: number): void {
    this.#checkGiven();
    if (!this.canWrite) throw new FsError("badf");
    this.file.setSize(sizeBytes);
  }

  /** Times can be set through a file that is open for reading, as in POSIX; the gate is asked for writing then. */
  setTimes(times: NewTimes): void {
    this.#checkGiven();
    if (!this.canWrite) this.#pass("write");
    this.file.setTimes(times);
  }

  /** What was taken while it is open it has no more. */
  #checkGiven(): void {
    const { narrowings } = this.#gate;
    if (narrowings === this.#narrowings) return;
    if (this.canRead || !this.canWrite) this.#pass("read");
    if (this.canWrite) this.#pass("write");
    this.#narrowings = narrowings;
  }

  close(): void {
    this.file.close();
  }
}

/** An open folder, from which paths start. */
export class FolderHandle {
  readonly kind = "folder";
  readonly folder: OpenFolder;
  readonly mount: Mount;
  readonly #gate: Gate;
  readonly #bounds: FileBounds;
  /** Where it was when it was opened, below the mount: for the gate. */
  readonly #base: string;

  constructor(options: { folder: OpenFolder; mount: Mount; gate: Gate; bounds: FileBounds; base?: string }) {
    this.folder = options.folder;
    this.mount = options.mount;
    this.#gate = options.gate;
    this.#bounds = options.bounds;
    this.#base = options.base ?? "";
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
        const { resolved } = place;
        const pass = (access: Access) => this.#pass(access, { resolved });
        const file = place.folder.fileAt(place.name, request);
        return new FileHandle(file, { read, write, gate: this.#gate, pass });
      } catch (error) {
        if (!(error instanceof FsError) || error.errno !== "isdir") throw error;
        if (request.write || request.truncate || request.create) throw error;
        return this.#openFolder(place);
      }
    });
  }

  /** Whether anything in here may be changed at all; each change passes the gate nevertheless. */
  get canChange(): boolean {
    return this.mount.isPrivate || this.#gate.has("fs.write");
  }

  stat(): Stat {
    return this.folder.stat();
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
    this.#pass("write", { resolved: "" });
    this.folder.setTimes(times);
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
    this.#pass("read", { resolved: "" });
    return this.folder.entries(this.#bounds.folderEntriesMax);
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
        this.#checkSameRules(from, target, to);
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
        this.#checkSameRules(from, target, to);
        from.folder.renameAt(from.name, to.folder, to.name);
      }),
    );
  }

  close(): void {
    this.folder.close();
  }

  #openFolder(place: Place): FolderHandle {
    const folder = place.name === "" ? place.folder.again() : place.folder.folderAt(place.name);
    const base = this.#below(place.resolved);
    return new FolderHandle({ folder, mount: this.mount, gate: this.#gate, bounds: this.#bounds, base });
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
    this.#checkLength(path);
    try {
      return walk(this.folder, { path, follow, passing: this.#passing() }, visit);
    } catch (error) {
      if (error instanceof OutsideError) this.#refused(path, "leads outside its folder");
      throw error;
    }
  }

  /**
   * What is denied or hidden is not walked through either: whether the way goes on there would tell what is in it. Whoever may
   * write to what is denied can tell that anyway.
   */
  #passing(): ((resolved: string) => void) | undefined {
    const { isPrivate, hidden } = this.mount;
    const hasDenials = this.#gate.hasDenials("fs.read");
    if (isPrivate || (hidden.length === 0 && !hasDenials)) return undefined;
    return (resolved) => {
      const path = this.#guestPath({ resolved });
      const isForbidden =
        hasDenials && this.#gate.forbids("fs.read", path) && !this.#gate.gives("fs.write", path);
      if (isForbidden || this.#isHidden(path)) this.#pass("read", { resolved });
    };
  }

  #isHidden(path: string): boolean {
    const { hidden } = this.mount;
    if (hidden.length === 0) return false;
    const asked = folded(path);
    return hidden.some((other) => covers(folded(other), asked));
  }

  #checkLength(path: string): void {
    const { pathBytesMax } = this.#bounds;
    // A UTF-16 unit takes one to three bytes: only what may be too long is measured.
    if (path.length * 3 <= pathBytesMax) return;
    if (path.length > pathBytesMax || Buffer.byteLength(path) > pathBytesMax)
      throw new FsError("nametoolong");
  }

  /** Passes the gate for what a path led to, or throws the errno of a refusal. */
  #pass(access: Access, place: { readonly resolved: string }): void {
    if (this.mount.isPrivate) {
      this.#gate.act("fs.private", undefined, nothing, refuseAccess);
      return;
    }
    const path = this.#guestPath(place);
    const capability = access === "read" ? "fs.read" : "fs.write";
    if (this.#isHidden(path)) {
      refuseAccess(this.#gate.refuse(capability, path, "another folder is open there"));
    }
    this.#gate.act(capability, path, nothing, access === "read" ? refuseAccess : refuseWriting);
  }

  /**
   * What is moved, or gets a second name, is from then on what the rules of the new place say, and all that is in it. Between
   * places with different rules it would be a way around them: they are as far from each other as two file systems.
   */
  #checkSameRules(from: Place, target: FolderHandle, to: Place): void {
    if (this.mount.isPrivate) return;
    const [source, destination] = [this.#guestPath(from), target.#guestPath(to)];
    const areSame = (["fs.read", "fs.write"] as const).every((capability) =>
      this.#gate.decidesAlike(capability, source, destination),
    );
    if (areSame) return;
    this.#gate.refuse("fs.write", destination, `other rules hold for ${source}`);
    throw new FsError("xdev");
  }

  /** As the guest sees it, for the gate. */
  #guestPath({ resolved }: { readonly resolved: string }): string {
    const { guestPath } = this.mount;
    return `${guestPath === "/" ? "" : guestPath}/${this.#below(resolved)}`;
  }

  #refused(path: string, rule: string): void {
    const capability = this.mount.isPrivate ? "fs.private" : "fs.read";
    this.#gate.refuse(capability, `${this.mount.guestPath}: ${path}`, rule);
  }

  #below(resolved: string): string {
    if (this.#base === "") return resolved;
    return resolved === "" ? this.#base : `${this.#base}/${resolved}`;
  }
}

function nothing(): void {}

function refuseAccess(_denial: Decision): never {
  throw new FsError("acces");
}

function refuseWriting(_denial: Decision): never {
  throw new FsError("rofs");
}
