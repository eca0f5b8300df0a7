/**
 * What a file tree must be able to do. There are two: in memory and on a directory. Every function takes one name,
 * never a path, and none follows a link: finding the way is `walk.ts`, in one place for both.
 */

export type NodeType = "file" | "folder" | "link" | "other";

export interface Stat {
  readonly type: NodeType;
  readonly device: bigint;
  readonly inode: bigint;
  readonly links: bigint;
  readonly sizeBytes: bigint;
  /** Nanoseconds since 1970. */
  readonly accessedNs: bigint;
  readonly modifiedNs: bigint;
  readonly changedNs: bigint;
}

export interface FolderEntry {
  readonly name: string;
  readonly type: NodeType;
  /** Undefined where it takes a look at each: `statAt` takes that look. */
  readonly inode: bigint | undefined;
}

/** New times; what is absent stays as it is. Nanoseconds since 1970. */
export interface NewTimes {
  readonly accessedNs?: bigint;
  readonly modifiedNs?: bigint;
}

export interface FileHow {
  readonly read: boolean;
  readonly write: boolean;
  /** Make it when it is not there. */
  readonly create: boolean;
  /** With `create`: it must not be there. */
  readonly exclusive: boolean;
  readonly truncate: boolean;
}

/** All of these throw `FsError`. Offsets and sizes are whole numbers below 2^53. */
export interface OpenFile {
  stat(): Stat;
  /** Reads at most `into.length` bytes; 0 at the end. */
  read(into: Uint8Array, at: number): number;
  /** Writes all of `from`, within the quota; fewer bytes only when the disk says so. */
  write(from: Uint8Array, at: number): number;
  setSize(sizeBytes: number): void;
  setTimes(times: NewTimes): void;
  /** Has what was written put on the disk, some time soon. `again` when too much waits for that. */
  sync(): void;
  close(): void;
}

export interface OpenFolder {
  stat(): Stat;
  setTimes(times: NewTimes): void;
  sync(): void;
  /** At most `entriesMax`; more is the error `overflow`. */
  entries(entriesMax: number): FolderEntry[];
  /** Another handle on the same folder. */
  again(): OpenFolder;
  /** `loop` when the name is a link. */
  folderAt(name: string): OpenFolder;
  /** `loop` when the name is a link, `isdir` for a folder, `nxio` for what is neither file nor folder. */
  fileAt(name: string, how: FileHow): OpenFile;
  statAt(name: string): Stat;
  setTimesAt(name: string, times: NewTimes): void;
  /** `inval` when it is no link. */
  linkTextAt(name: string): string;
  makeFolderAt(name: string): void;
  makeLinkAt(name: string, text: string): void;
  /** A second name, in a folder of the same volume, for a file that is no folder. */
  linkAt(name: string, target: OpenFolder, targetName: string): void;
  removeFolderAt(name: string): void;
  removeFileAt(name: string): void;
  renameAt(name: string, target: OpenFolder, targetName: string): void;
  close(): void;
}

/** A whole tree. */
export interface Volume {
  readonly root: OpenFolder;
  /** Whether a link that leads upwards may be made: where the way cannot be found safely against other threads, not. */
  readonly hasSafeLinks: boolean;
  close(): void;
}
