/**
 * What all handles on one directory of the host share: the quota, which files are open, and the times that were set.
 * With it the few words that both files and folders need to speak to the system.
 */

import type { BigIntStats } from "node:fs";
import { DiskReleases } from "./disk-releases.ts";
import type { DiskSyncs } from "./disk-syncs.ts";
import { FsError, fsErrorOf } from "./errno.ts";
import type { Quota } from "./quota.ts";
import type { NewTimes, NodeType, Stat } from "./volume.ts";

/** Files that are open, by what they are: a file without a name is charged until its last handle is closed. */
export interface OpenInode {
  readonly key: string;
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

export class Disk {
  readonly quota: Quota;
  readonly hasDescriptors: boolean;
  readonly mayHaveDevices: boolean;
  readonly syncs: DiskSyncs;
  readonly #releases: DiskReleases;
  readonly #timeStepNs: bigint;
  readonly #times = new Map<string, { accessed?: SetTime; modified?: SetTime }>();
  readonly #inodes = new Map<string, OpenInode>();

  constructor(options: {
    quota: Quota;
    hasDescriptors: boolean;
    mayHaveDevices: boolean;
    timeStepNs: bigint;
    syncs: DiskSyncs;
  }) {
    this.quota = options.quota;
    this.syncs = options.syncs;
    this.#releases = new DiskReleases(options.quota.fileBytesMax);
    this.#timeStepNs = options.timeStepNs;
    this.hasDescriptors = options.hasDescriptors;
    this.mayHaveDevices = options.mayHaveDevices;
  }

  /**
   * Sets times. Node takes seconds as floating point, exact to a quarter of a microsecond only: what was wanted is
   * remembered for as long as the file still has what came of it.
   */
  setTimes(
    times: NewTimes,
    stat: () => BigIntStats,
    set: (accessed: number, modified: number) => void,
  ): void {
    const before = stat();
    const accessedNs = times.accessedNs ?? before.atimeNs;
    const modifiedNs = times.modifiedNs ?? before.mtimeNs;
    set(Number(accessedNs) / 1e9, Number(modifiedNs) / 1e9);
    const after = stat();
    const known = this.#times.get(keyOf(after));
    const keep = (time: SetTime | undefined, nowNs: bigint): bigint =>
      time !== undefined && time.foundNs === nowNs ? time.wantedNs : this.#inSteps(nowNs);
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

  statOf(stat: BigIntStats): Stat {
    const known = this.#times.size === 0 ? undefined : this.#times.get(keyOf(stat));
    const { accessed, modified } = known ?? {};
    return {
      type: typeOf(stat),
      device: stat.dev,
      inode: stat.ino,
      links: stat.nlink,
      sizeBytes: stat.size,
      accessedNs: accessed?.foundNs === stat.atimeNs ? accessed.wantedNs : this.#inSteps(stat.atimeNs),
      modifiedNs: modified?.foundNs === stat.mtimeNs ? modified.wantedNs : this.#inSteps(stat.mtimeNs),
      changedNs: this.#inSteps(stat.ctimeNs),
    };
  }

  /** Whoever writes a file and looks at its times has a clock. */
  #inSteps(ns: bigint): bigint {
    return ns - (ns % this.#timeStepNs);
  }

  /** @returns What `closed` wants to know again. */
  opened(stat: BigIntStats): OpenInode {
    const key = keyOf(stat);
    const inode = this.#inodes.get(key) ?? { key, opens: 0, isNameless: false };
    if (inode.opens++ === 0) this.#inodes.set(key, inode);
    return inode;
  }

  /**
   * @param sizeBytes Asked for only when it matters.
   * @returns         What is freed with its descriptor: for `release`.
   */
  closed(inode: OpenInode, sizeBytes: () => number): number {
    if (--inode.opens > 0) return 0;
    this.#inodes.delete(inode.key);
    if (!inode.isNameless) return 0;
    const freedBytes = sizeBytes();
    this.quota.giveBytes(freedBytes);
    return freedBytes;
  }

  /** Closes a descriptor that nobody needs any more. */
  release(descriptor: number, freedBytes: number): void {
    this.#releases.close(descriptor, freedBytes);
  }

  /** Acts so that a file loses a name, perhaps its last; `path` leads to it, and `stat` is from before. */
  unname(path: string, stat: BigIntStats, act: () => void): void {
    // Elsewhere a file that is open may not lose its name.
    if (this.hasDescriptors) this.#releases.unname(path, stat, act);
    else act();
    this.#unnamed(stat);
  }

  #unnamed(stat: BigIntStats): void {
    this.quota.giveName();
    if (!stat.isFile() || stat.nlink > 1n) return;
    const inode = this.#inodes.get(keyOf(stat));
    if (inode === undefined) this.quota.giveBytes(Number(stat.size));
    else inode.isNameless = true;
  }
}

/** Runs a file operation; what the host's system says becomes an errno without the host's paths. */
export function guarded<Result>(act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    throw fsErrorOf(error);
  }
}

export function keyOf(stat: BigIntStats): string {
  return `${stat.dev}:${stat.ino}`;
}

export function typeOf(stat: Pick<BigIntStats, "isFile" | "isDirectory" | "isSymbolicLink">): NodeType {
  if (stat.isFile()) return "file";
  if (stat.isDirectory()) return "folder";
  return stat.isSymbolicLink() ? "link" : "other";
}

/** @throws FsError for whatever is not a plain file */
export function checkIsFile(stat: BigIntStats): void {
  if (stat.isSymbolicLink()) throw new FsError("loop");
  if (stat.isDirectory()) throw new FsError("isdir");
  if (!stat.isFile()) throw new FsError("nxio"); // pipes, sockets and devices are not files of a guest
}
