/** A file tree in memory: gone when the plugin's sandbox closes, the same on every machine. */

import { FsError } from "./errno.ts";
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

/** As most file systems: bytes of one name. */
const nameBytesMax = 255;

export interface MemoryVolumeOptions {
  readonly quota: Quota;
  /** Nanoseconds since 1970, for times of files. */
  readonly nowNs: () => bigint;
}

export function memoryVolume(options: MemoryVolumeOptions): Volume {
  const tree = new Tree(options);
  const root = tree.node("folder");
  root.links = 2;
  return { root: new MemoryFolder(tree, root), hasSafeLinks: true, close: () => {} };
}

class Tree {
  readonly quota: Quota;
  readonly nowNs: () => bigint;
  #inode = 1n;

  constructor(options: MemoryVolumeOptions) {
    this.quota = options.quota;
    this.nowNs = options.nowNs;
  }

  node(type: NodeType): Node {
    const now = this.nowNs();
    return {
      type,
      inode: this.#inode++,
      links: 1,
      opens: 0,
      accessedNs: now,
      modifiedNs: now,
      changedNs: now,
      bytes: new Uint8Array(0),
      size: 0,
      text: "",
      children: new Map(),
    };
  }

  touch(node: Node): void {
    node.modifiedNs = this.nowNs();
    node.changedNs = node.modifiedNs;
  }

  /** Gives back what a file held once no name and no handle leads to it. */
  settle(node: Node): void {
    if (node.type !== "file" || node.links > 0 || node.opens > 0) return;
    this.quota.giveBytes(node.size);
    node.bytes = new Uint8Array(0);
    node.size = 0;
  }
}

interface Node {
  readonly type: NodeType;
  readonly inode: bigint;
  links: number;
  opens: number;
  accessedNs: bigint;
  modifiedNs: bigint;
  changedNs: bigint;
  /** Of a file; longer than `size`. */
  bytes: Uint8Array;
  size: number;
  /** Of a link. */
  text: string;
  /** Of a folder. A map, so that a guest's "__proto__" is a name like others. */
  readonly children: Map<string, Node>;
}

class MemoryFile implements OpenFile {
  readonly #tree: Tree;
  readonly #node: Node;
  #isOpen = true;

  constructor(tree: Tree, node: Node) {
    this.#tree = tree;
    this.#node = node;
    node.opens++;
  }

  stat(): Stat {
    return statOf(this.#node);
  }

  read(into: Uint8Array, at: number): number {
    const node = this.#node;
    const count = Math.max(0, Math.min(into.length, node.size - at));
    if (count > 0) into.set(node.bytes.subarray(at, at + count));
    return count;
  }

  write(from: Uint8Array, at: number): number {
    if (from.length === 0) return 0;
    const node = this.#node;
    const end = at + from.length;
    if (end > node.size) this.#resize(end);
    node.bytes.set(from, at);
    this.#tree.touch(node);
    return from.length;
  }

  setSize(sizeBytes: number): void {
    this.#resize(sizeBytes);
    this.#tree.touch(this.#node);
  }

  setTimes(times: NewTimes): void {
    setTimesOf(this.#tree, this.#node, times);
  }

  sync(): void {}

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#node.opens--;
    this.#tree.settle(this.#node);
  }

  #resize(size: number): void {
    const node = this.#node;
    if (size > node.size) {
      this.#tree.quota.takeBytes(size - node.size); // before memory is: the size comes from the guest
      if (size > node.bytes.length) {
        const bytes = new Uint8Array(Math.max(size, Math.min(node.bytes.length * 2, size + 1_048_576)));
        bytes.set(node.bytes.subarray(0, node.size));
        node.bytes = bytes;
      } else {
        node.bytes.fill(0, node.size, size);
      }
    } else {
      this.#tree.quota.giveBytes(node.size - size);
      node.bytes = node.bytes.slice(0, size);
    }
    node.size = size;
  }
}

class MemoryFolder implements OpenFolder {
  readonly #tree: Tree;
  readonly #node: Node;

  constructor(tree: Tree, node: Node) {
    this.#tree = tree;
    this.#node = node;
  }

  stat(): Stat {
    return statOf(this.#node);
  }

  setTimes(times: NewTimes): void {
    setTimesOf(this.#tree, this.#node, times);
  }

  sync(): void {}

  entries(entriesMax: number): FolderEntry[] {
    if (this.#node.children.size > entriesMax) throw new FsError("overflow");
    return [...this.#node.children].map(([name, node]) => ({ name, type: node.type, inode: node.inode }));
  }

  again(): OpenFolder {
    return new MemoryFolder(this.#tree, this.#node);
  }

  folderAt(name: string): OpenFolder {
    const node = this.#child(name);
    if (node.type === "link") throw new FsError("loop");
    if (node.type !== "folder") throw new FsError("notdir");
    return new MemoryFolder(this.#tree, node);
  }

  fileAt(name: string, how: FileHow): OpenFile {
    let node = this.#node.children.get(name);
    if (node !== undefined && how.create && how.exclusive) throw new FsError("exist");
    if (node?.type === "link") throw new FsError("loop");
    if (node?.type === "folder") throw new FsError("isdir");
    if (node === undefined) {
      if (!how.create) throw new FsError("noent");
      node = this.#add(name, "file");
    }
    const file = new MemoryFile(this.#tree, node);
    if (how.truncate && node.size > 0) file.setSize(0);
    return file;
  }

  statAt(name: string): Stat {
    return statOf(this.#child(name));
  }

  setTimesAt(name: string, times: NewTimes): void {
    setTimesOf(this.#tree, this.#child(name), times);
  }

  linkTextAt(name: string): string {
    const node = this.#child(name);
    if (node.type !== "link") throw new FsError("inval");
    return node.text;
  }

  makeFolderAt(name: string): void {
    this.#add(name, "folder").links = 2;
    this.#node.links++;
  }

  makeLinkAt(name: string, text: string): void {
    this.#add(name, "link").text = text;
  }

  linkAt(name: string, target: OpenFolder, targetName: string): void {
    const to = this.#sameTree(target);
    const node = this.#child(name);
    if (node.type === "folder") throw new FsError("perm");
    if (to.#node.children.has(targetName)) throw new FsError("exist");
    to.#mustTakeNames();
    checkName(targetName);
    this.#tree.quota.takeName();
    node.links++;
    node.changedNs = this.#tree.nowNs();
    to.#node.children.set(targetName, node);
    this.#tree.touch(to.#node);
  }

  removeFolderAt(name: string): void {
    const node = this.#child(name);
    if (node.type !== "folder") throw new FsError("notdir");
    if (node.children.size > 0) throw new FsError("notempty");
    this.#drop(name, node);
  }

  removeFileAt(name: string): void {
    const node = this.#child(name);
    if (node.type === "folder") throw new FsError("isdir");
    this.#drop(name, node);
  }

  renameAt(name: string, target: OpenFolder, targetName: string): void {
    const to = this.#sameTree(target);
    const node = this.#child(name);
    const old = to.#node.children.get(targetName);
    if (old === node) return;
    if (node.type === "folder") {
      if (isWithin(node, to.#node)) throw new FsError("inval");
      if (old !== undefined && old.type !== "folder") throw new FsError("notdir");
      if (old !== undefined && old.children.size > 0) throw new FsError("notempty");
    } else if (old?.type === "folder") {
      throw new FsError("isdir");
    }
    checkName(targetName);
    if (old === undefined) to.#mustTakeNames();
    else to.#drop(targetName, old);
    this.#node.children.delete(name);
    to.#node.children.set(targetName, node);
    if (node.type === "folder") {
      this.#node.links--;
      to.#node.links++;
    }
    this.#tree.touch(this.#node);
    this.#tree.touch(to.#node);
    node.changedNs = this.#tree.nowNs();
  }

  close(): void {}

  #child(name: string): Node {
    const node = this.#node.children.get(name);
    if (node === undefined) throw new FsError("noent");
    return node;
  }

  #add(name: string, type: NodeType): Node {
    if (this.#node.children.has(name)) throw new FsError("exist");
    this.#mustTakeNames();
    checkName(name);
    this.#tree.quota.takeName();
    const node = this.#tree.node(type);
    this.#node.children.set(name, node);
    this.#tree.touch(this.#node);
    return node;
  }

  /** A folder that was removed while open takes no more names: they could never be given back. */
  #mustTakeNames(): void {
    if (this.#node.links === 0) throw new FsError("noent");
  }

  #drop(name: string, node: Node): void {
    this.#node.children.delete(name);
    this.#tree.quota.giveName();
    if (node.type === "folder") {
      node.links = 0;
      this.#node.links--;
    } else {
      node.links--;
      node.changedNs = this.#tree.nowNs();
    }
    this.#tree.touch(this.#node);
    this.#tree.settle(node);
  }

  #sameTree(target: OpenFolder): MemoryFolder {
    if (!(target instanceof MemoryFolder) || target.#tree !== this.#tree) throw new FsError("xdev");
    return target;
  }
}

/** Whether `inner` is `outer` or below it. The tree has at most as many nodes as the quota has names. */
function isWithin(outer: Node, inner: Node): boolean {
  const pending = [outer];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (node === inner) return true;
    for (const child of node.children.values()) if (child.type === "folder") pending.push(child);
  }
  return false;
}

function checkName(name: string): void {
  if (name.length > nameBytesMax || new TextEncoder().encode(name).length > nameBytesMax) {
    throw new FsError("nametoolong");
  }
}

function setTimesOf(tree: Tree, node: Node, times: NewTimes): void {
  if (times.accessedNs !== undefined) node.accessedNs = times.accessedNs;
  if (times.modifiedNs !== undefined) node.modifiedNs = times.modifiedNs;
  node.changedNs = tree.nowNs();
}

function statOf(node: Node): Stat {
  return {
    type: node.type,
    device: 1n,
    inode: node.inode,
    links: BigInt(node.links),
    sizeBytes: BigInt(node.type === "link" ? new TextEncoder().encode(node.text).length : node.size),
    accessedNs: node.accessedNs,
    modifiedNs: node.modifiedNs,
    changedNs: node.changedNs,
  };
}
