/**
 * Numbers and layouts of `wasi_snapshot_preview1`, as its witx files define them: one flat table to look things up
 * in. Sizes in bytes, rights as bits.
 */

export const sizes = {
  fdstat: 24,
  filestat: 64,
  prestat: 8,
  dirent: 24,
  iovec: 8,
  subscription: 48,
  event: 32,
} as const;

export const filetype = {
  unknown: 0,
  "character-device": 2,
  folder: 3,
  file: 4,
  link: 7,
  other: 0,
} as const;

export const clockid = { realtime: 0, monotonic: 1 } as const;
export const whence = { set: 0, cur: 1, end: 2 } as const;
export const lookupflags = { symlinkFollow: 1 } as const;
export const oflags = { creat: 1, directory: 2, excl: 4, trunc: 8 } as const;
export const fdflags = { append: 1, dsync: 2, nonblock: 4, rsync: 8, sync: 16 } as const;
export const fstflags = { atim: 1, atimNow: 2, mtim: 4, mtimNow: 8 } as const;
export const eventtype = { clock: 0, fdRead: 1, fdWrite: 2 } as const;
export const subclockflags = { abstime: 1 } as const;

const bit = (index: number): bigint => 1n << BigInt(index);

export const rights = {
  fdDatasync: bit(0),
  fdRead: bit(1),
  fdSeek: bit(2),
  fdFdstatSetFlags: bit(3),
  fdSync: bit(4),
  fdTell: bit(5),
  fdWrite: bit(6),
  fdAdvise: bit(7),
  fdAllocate: bit(8),
  pathCreateDirectory: bit(9),
  pathCreateFile: bit(10),
  pathLinkSource: bit(11),
  pathLinkTarget: bit(12),
  pathOpen: bit(13),
  fdReaddir: bit(14),
  pathReadlink: bit(15),
  pathRenameSource: bit(16),
  pathRenameTarget: bit(17),
  pathFilestatGet: bit(18),
  pathFilestatSetSize: bit(19),
  pathFilestatSetTimes: bit(20),
  fdFilestatGet: bit(21),
  fdFilestatSetSize: bit(22),
  fdFilestatSetTimes: bit(23),
  pathSymlink: bit(24),
  pathRemoveDirectory: bit(25),
  pathUnlinkFile: bit(26),
  pollFdReadwrite: bit(27),
} as const;

export type Right = keyof typeof rights;

const union = (...names: readonly Right[]): bigint => names.reduce((all, name) => all | rights[name], 0n);

/** What can be done with a file, whatever it was opened for. */
export const fileRights = union(
  "fdDatasync",
  "fdSeek",
  "fdFdstatSetFlags",
  "fdSync",
  "fdTell",
  "fdAdvise",
  "fdFilestatGet",
  "fdFilestatSetTimes",
  "pollFdReadwrite",
);
/** What comes with writing. */
export const writeRights = union("fdWrite", "fdAllocate", "fdFilestatSetSize");
export const folderRights = union(
  "fdFdstatSetFlags",
  "fdSync",
  "fdDatasync",
  "pathCreateDirectory",
  "pathCreateFile",
  "pathLinkSource",
  "pathLinkTarget",
  "pathOpen",
  "fdReaddir",
  "pathReadlink",
  "pathRenameSource",
  "pathRenameTarget",
  "pathFilestatGet",
  "pathFilestatSetSize",
  "pathFilestatSetTimes",
  "fdFilestatGet",
  "fdFilestatSetTimes",
  "pathSymlink",
  "pathRemoveDirectory",
  "pathUnlinkFile",
);
export const everyRight = folderRights | fileRights | writeRights | rights.fdRead;
export const streamRights = union("fdFdstatSetFlags", "fdFilestatGet", "pollFdReadwrite");
