/** File trees for tests: the same guest folder in memory, on a directory, and on one without descriptors. */

import assert from "node:assert/strict";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { auditLog } from "../audit.ts";
import { diskVolume } from "../fs/disk-volume.ts";
import { type ErrnoName, FsError } from "../fs/errno.ts";
import type { FileHandle } from "../fs/file-handle.ts";
import { FolderHandle, type OpenRequest } from "../fs/folder-handle.ts";
import { memoryVolume } from "../fs/memory-volume.ts";
import { MountGate } from "../fs/mount-gate.ts";
import { Quota } from "../fs/quota.ts";
import type { Volume } from "../fs/volume.ts";
import { Gate } from "../gate.ts";
import { defaultSandboxLimits } from "../limits.ts";

/** "Own disk" is a folder that only guests write to: a plugin's own root. */
export type TreeKind = "memory" | "disk" | "own disk" | "disk without descriptors";
const hasDescriptors = fs.existsSync("/proc/self/fd");
export const treeKinds: readonly TreeKind[] = ["memory", "disk", "own disk", "disk without descriptors"];

export interface TestTree {
  readonly folder: FolderHandle;
  readonly quota: Quota;
  readonly volume: Volume;
  readonly audit: ReturnType<typeof auditLog>;
  /** On disk: the folder above the guest's, with `root` and `outside` in it. */
  readonly above: string;
}

/** Calls with a tree of each kind, or of those named, and removes what was made. */
export function withTrees(
  visit: (tree: TestTree, kind: TreeKind) => void,
  options: { kinds?: readonly TreeKind[]; fileBytesMax?: number; filesMax?: number } = {},
): void {
  for (const kind of options.kinds ?? treeKinds) {
    if (/^(own )?disk$/.test(kind) && !hasDescriptors) continue; // there is no such tree on this system
    const above = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "remora-tree-")));
    fs.mkdirSync(`${above}/root`);
    fs.mkdirSync(`${above}/outside`);
    fs.writeFileSync(`${above}/outside/secret`, "SECRET");
    const quota = new Quota({
      fileBytesMax: options.fileBytesMax ?? 1_000_000,
      filesMax: options.filesMax ?? 1_000,
    });
    const volume =
      kind === "memory"
        ? memoryVolume({ quota, nowNs: () => 1n })
        : diskVolume({
            folder: `${above}/root`,
            quota,
            hasDescriptors: kind !== "disk without descriptors",
            mayHaveDevices: kind !== "own disk",
          });
    const audit = auditLog();
    const gate = new Gate({
      plugin: "tree",
      rules: { grants: [{ capability: "fs.private" }] },
      audit,
      nowMs: () => 0,
    });
    const mount = { guestPath: "/", volume, isPrivate: true, inner: [] };
    const folder = new FolderHandle({
      folder: volume.root,
      gate: new MountGate(mount, gate),
      bounds: defaultSandboxLimits,
    });
    try {
      visit({ folder, quota, volume, audit, above }, kind);
    } finally {
      volume.close();
      fs.rmSync(above, { recursive: true });
    }
  }
}

export function request(path: string, options: Partial<OpenRequest> = {}): OpenRequest {
  return {
    path,
    follow: true,
    read: true,
    write: false,
    create: false,
    exclusive: false,
    truncate: false,
    folder: false,
    append: false,
    ...options,
  };
}

export function openFile(folder: FolderHandle, path: string, options: Partial<OpenRequest> = {}): FileHandle {
  const handle = folder.openAt(request(path, options));
  assert.ok(handle.kind === "file", path);
  return handle;
}

export function writeFile(folder: FolderHandle, path: string, text: string): void {
  const file = openFile(folder, path, { write: true, create: true, truncate: true });
  try {
    file.write(new TextEncoder().encode(text), 0);
  } finally {
    file.close();
  }
}

export function readFile(folder: FolderHandle, path: string): string {
  const file = openFile(folder, path);
  const into = new Uint8Array(1_000);
  const count = file.read(into, 0);
  file.close();
  return new TextDecoder().decode(into.subarray(0, count));
}

export function errnoOfCall(call: () => unknown): ErrnoName | "none" {
  try {
    call();
  } catch (error) {
    if (error instanceof FsError) return error.errno;
    throw error;
  }
  return "none";
}

export function expectErrno(expected: ErrnoName, call: () => unknown, what = ""): void {
  assert.equal(errnoOfCall(call), expected, what);
}
