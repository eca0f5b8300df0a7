/**
 * Which folders a guest finds open: its own root when `fs.private` is granted, and one for each path that `fs.read`
 * or `fs.write` grants. What is not granted is not there.
 */

import * as fs from "node:fs";
import { type Grant, namedTargets, targetKinds } from "../../policy/index.ts";
import { sandboxErrors } from "../errors.ts";
import { keyOf } from "./disk.ts";
import { DiskSyncs } from "./disk-syncs.ts";
import { diskVolume } from "./disk-volume.ts";
import { memoryVolume } from "./memory-volume.ts";
import type { Mount } from "./mount-gate.ts";
import { Quota, type QuotaBounds, type UsageCount } from "./quota.ts";
import { usageOf } from "./usage.ts";
import type { Volume } from "./volume.ts";

export interface FileUsage {
  readonly guestPath: string;
  /** In the plugin's own root: all that is in it. In a granted folder: what the plugin added. */
  readonly bytesUsed: number;
  readonly namesUsed: number;
}

export interface MountOptions {
  readonly grants: readonly Grant[];
  readonly privateFolder?: string;
  readonly folders?: Readonly<Record<string, string>>;
  readonly limits: QuotaBounds;
  readonly nowNs: () => bigint;
  /** Times of files are shown in such steps. */
  readonly timeStepNs: bigint;
}

interface OpenOptions extends MountOptions {
  /** One line for all folders of a plugin. */
  readonly syncs: DiskSyncs;
}

export interface Mounted {
  readonly mount: Mount;
  readonly quota: Quota;
  close(): void;
}

/** The folders of a plugin's own root. */
const ownFolders = ["data", "config", "tmp"];

/**
 * Opens what is granted.
 *
 * @throws sandbox/no-folder when a granted path has no folder of the host's, or that is not there.
 */
export function openMounts(mountOptions: MountOptions): Mounted[] {
  const options = { ...mountOptions, syncs: new DiskSyncs() };
  const mounted: Mounted[] = [];
  try {
    if (options.grants.some((grant) => grant.capability === "fs.private")) mounted.push(openPrivate(options));
    const guestPaths = grantedPaths(options.grants);
    for (const guestPath of guestPaths) mounted.push(openGranted(guestPath, guestPaths, options));
    return mounted;
  } catch (error) {
    for (const each of mounted) each.close();
    throw error;
  }
}

function openPrivate({ privateFolder, limits, nowNs, timeStepNs, syncs }: OpenOptions): Mounted {
  const mountOf = (volume: Volume, quota: Quota, release = () => {}): Mounted => ({
    mount: { guestPath: "/", volume, isPrivate: true, inner: [] },
    quota,
    close() {
      volume.close();
      release();
    },
  });
  if (privateFolder === undefined) {
    const quota = new Quota({ ...limits, filesMax: limits.filesMax + ownFolders.length });
    const volume = memoryVolume({ quota, nowNs });
    for (const name of ownFolders) volume.root.makeFolderAt(name);
    return mountOf(volume, quota);
  }
  const found = fs.lstatSync(privateFolder, { throwIfNoEntry: false });
  if (found?.isDirectory() !== true) {
    throw sandboxErrors["no-folder"]({
      folder: privateFolder,
      found: found === undefined ? "nothing" : "something else",
    });
  }
  for (const name of ownFolders) makeOwnFolder(`${privateFolder}/${name}`);
  const { count, release } = ownCount(privateFolder, limits);
  const quota = new Quota({ ...limits, filesMax: limits.filesMax + ownFolders.length }, count);
  return mountOf(
    diskVolume({ folder: privateFolder, quota, mayHaveDevices: false, timeStepNs, syncs }),
    quota,
    release,
  );
}

/** What the guest has put in its place, a file or a link that leads nowhere, is there for the guest as well. */
function makeOwnFolder(path: string): void {
  if (fs.lstatSync(path, { throwIfNoEntry: false }) === undefined) fs.mkdirSync(path, { mode: 0o700 });
}

/**
 * What is counted in the folders that are open in this thread, and by how many. While a plugin is replaced by its next
 * version both write to one folder, and neither may have room that the other has taken.
 */
const ownCounts = new Map<string, { readonly count: UsageCount; users: number }>();

function ownCount(folder: string, limits: QuotaBounds): { count: UsageCount; release: () => void } {
  const key = keyOf(fs.statSync(folder, { bigint: true }));
  const shared = ownCounts.get(key) ?? { count: usageOf(folder, limits.filesMax), users: 0 };
  shared.users++;
  ownCounts.set(key, shared);
  let isHeld = true;
  const release = (): void => {
    if (isHeld && --shared.users === 0) ownCounts.delete(key);
    isHeld = false;
  };
  return { count: shared.count, release };
}

function openGranted(
  guestPath: string,
  guestPaths: readonly string[],
  { folders = {}, limits, timeStepNs, syncs }: OpenOptions,
): Mounted {
  const folder = folderAt(guestPath, folders);
  const { covers } = targetKinds.folder;
  const inner = guestPaths.filter((other) => {
    if (other === guestPath || !covers(guestPath, other)) return false;
    const sameWay = `${folder}/${other.slice(guestPath === "/" ? 1 : guestPath.length + 1)}`;
    return !isSameFolder(sameWay, folderAt(other, folders));
  });
  const quota = new Quota(limits);
  const volume = diskVolume({ folder, quota, timeStepNs, syncs });
  return { mount: { guestPath, volume, isPrivate: false, inner }, quota, close: () => volume.close() };
}

/** @throws sandbox/no-folder */
function folderAt(guestPath: string, folders: Readonly<Record<string, string>>): string {
  const folder = Object.hasOwn(folders, guestPath) ? folders[guestPath] : undefined;
  if (folder === undefined)
    throw sandboxErrors["no-folder"]({ folder: guestPath, found: "no folder of the host for it" });
  return folder;
}

/** Whether the inner one of two granted folders is what the outer one has there anyway. */
function isSameFolder(one: string, two: string): boolean {
  const [a, b] = [one, two].map((path) => fs.statSync(path, { bigint: true, throwIfNoEntry: false }));
  return a !== undefined && b !== undefined && keyOf(a) === keyOf(b);
}

/** Each once. */
function grantedPaths(grants: readonly Grant[]): string[] {
  return [...new Set([...namedTargets("fs.read", grants), ...namedTargets("fs.write", grants)])];
}
