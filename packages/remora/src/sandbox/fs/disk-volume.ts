/**
 * A file tree on a directory of the host. On Linux each open folder is a descriptor, and a name in it is reached as
 * `/proc/self/fd/N/name`: what `openat` does, which Node does not offer. Nobody can then put something else between
 * the check and the use. Elsewhere a folder is its path, checked before each use: links that lead upwards cannot be
 * made by a guest, but another process of the host's that renames folders at the same moment is not defended
 * against. Nothing is ever opened through a link, and nothing but files and folders is opened at all.
 */

import * as fs from "node:fs";
import { sandboxErrors } from "../errors.ts";
import { Disk } from "./disk.ts";
import { openFolder } from "./disk-folder.ts";
import { DiskSyncs } from "./disk-syncs.ts";
import type { Quota } from "./quota.ts";
import type { Volume } from "./volume.ts";

export interface DiskVolumeOptions {
  /** An existing folder; what it is inside the guest is not its business. */
  readonly folder: string;
  readonly quota: Quota;
  /** Whether somebody other than guests may put devices and pipes there. Default: yes. */
  readonly mayHaveDevices?: boolean;
  /** Times that the disk gives are shown in such steps. Default: as they are. */
  readonly timeStepNs?: bigint;
  /** In which line its files wait to be on the disk. Default: one of its own. */
  readonly syncs?: DiskSyncs;
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
  const disk = new Disk({
    quota: options.quota,
    hasDescriptors,
    mayHaveDevices: options.mayHaveDevices ?? true,
    timeStepNs: options.timeStepNs ?? 1n,
    syncs: options.syncs ?? new DiskSyncs(),
  });
  const root = openFolder(disk, fs.realpathSync(folder));
  return { root, hasSafeLinks: hasDescriptors, close: () => root.close() };
}

function describeFolder(folder: string): string {
  const stat = fs.lstatSync(folder, { throwIfNoEntry: false });
  if (stat === undefined) return "nothing";
  if (stat.isSymbolicLink()) return "a symbolic link";
  return stat.isDirectory() ? "a folder" : "something else";
}

function canNameDescriptors(): boolean {
  const { O_NOFOLLOW = 0, O_DIRECTORY = 0 } = fs.constants;
  return O_NOFOLLOW !== 0 && O_DIRECTORY !== 0 && fs.existsSync("/proc/self/fd");
}
