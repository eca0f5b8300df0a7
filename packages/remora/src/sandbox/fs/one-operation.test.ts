/** How long one operation of a guest may hold the host: what it makes the host ask of the system is counted, not timed. */

import assert from "node:assert/strict";
import fs, { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Grant } from "../../policy/index.ts";
import type { SandboxLimits } from "../limits.ts";
import { expectErrno, openFile } from "../testing/file-trees.ts";
import { testSandbox } from "../testing/sandboxes.ts";
import { diskVolume } from "./disk-volume.ts";
import { FolderHandle } from "./folder-handle.ts";
import { MountGate } from "./mount-gate.ts";
import { Quota } from "./quota.ts";
import { usageOf } from "./usage.ts";

const hasDescriptors = fs.existsSync("/proc/self/fd");

function folderWith(t: TestContext, names: number): string {
  const folder = mkdtempSync(join(tmpdir(), "remora-one-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (let at = 0; at < names; at++) writeFileSync(join(folder, `${at}`), "");
  return folder;
}

/** Counts calls of a function of `node:fs` while something runs. */
function counted(t: TestContext, name: "lstatSync" | "fsyncSync", act: () => void): number {
  const mock = t.mock.method(fs, name);
  syncBuiltinESMExports();
  try {
    act();
    return mock.mock.callCount();
  } finally {
    mock.mock.restore();
    syncBuiltinESMExports();
  }
}

function treeOn(
  t: TestContext,
  folder: string,
  limits: Partial<SandboxLimits> = {},
  quota = new Quota({ fileBytesMax: 1e9, filesMax: 1e6 }),
) {
  const { sandbox } = testSandbox({ grants: [{ capability: "fs.private" }], limits });
  const volume = diskVolume({ folder, quota });
  t.after(() => volume.close());
  t.after(() => sandbox.close());
  const mount = { guestPath: "/", volume, isPrivate: true, inner: [] };
  const gate = new MountGate(mount, sandbox.gate);
  return new FolderHandle({ folder: volume.root, gate, bounds: sandbox.limits });
}

test("a listing looks at no file, and one that is too long ends where it becomes so", (t) => {
  const folder = folderWith(t, 3_000);
  const root = treeOn(t, folder);
  assert.equal(
    counted(t, "lstatSync", () => assert.equal(root.entries().length, 3_000)),
    0,
  );
  const { reads } = countedReads(t, () =>
    expectErrno("overflow", () => treeOn(t, folder, { folderEntriesMax: 100 }).entries()),
  );
  assert.equal(reads, 101);
});

/** Entries that were read of folders. */
function countedReads(t: TestContext, act: () => void): { reads: number } {
  const mock = t.mock.method(fs.Dir.prototype, "readSync");
  act();
  mock.mock.restore();
  return { reads: mock.mock.callCount() };
}

test("a call that lists for preview 1 looks at so many files for their numbers, and gives 0 for the others", (t) => {
  const folder = folderWith(t, 0);
  mkdirSync(join(folder, "data"));
  for (let at = 0; at < 2_000; at++) writeFileSync(join(folder, "data", `${at}`), "");
  const grants: Grant[] = [{ capability: "fs.private" }, { capability: "wasi.base" }];
  const { instance, bytes, sandbox } = testSandbox({ grants, privateFolder: folder });
  t.after(() => sandbox.close());
  const wasi = instance.core("wasi_snapshot_preview1");
  assert.ok(wasi !== undefined);
  bytes.set(new TextEncoder().encode("data"), 0);
  const rights = 1n << 14n; // to list it
  assert.equal(wasi.path_open?.(3, 1, 0, 4, 2, rights, rights, 0, 16), 0);
  const view = new DataView(bytes.buffer);
  const descriptor = view.getUint32(16, true);
  const looks = counted(t, "lstatSync", () => {
    assert.equal(wasi.fd_readdir?.(descriptor, 64, 65_000, 0n, 20), 0);
  });
  assert.equal(looks, 1_024);
  const inodes: bigint[] = [];
  for (let at = 64; at + 24 < 64 + view.getUint32(20, true); at += 24 + view.getUint32(at + 16, true)) {
    inodes.push(view.getBigUint64(at + 8, true));
  }
  assert.ok(inodes.length > 1_500);
  assert.ok(inodes.slice(0, 2 + 1_024).every((inode) => inode !== 0n));
  assert.ok(inodes.slice(2 + 1_024).every((inode) => inode === 0n));
});

test("what a plugin has is counted up to what it may have, in one folder as in many", (t) => {
  const folder = folderWith(t, 3_000);
  assert.equal(
    counted(t, "lstatSync", () => void usageOf(folder, 50)),
    101,
  );
});

const openDescriptors = () => readdirSync("/proc/self/fd").length;

test("a file that is to be on the disk is not waited for, and stays open for the system until it is", async (t) => {
  const folder = folderWith(t, 0);
  const root = treeOn(t, folder);
  const waited = counted(t, "fsyncSync", () => {
    const file = openFile(root, "f", { write: true, create: true });
    file.write(new Uint8Array(1_000_000), 0);
    file.sync();
    file.sync();
    file.close();
    root.sync();
  });
  assert.equal(waited, 0);
  expectErrno("badf", () => {
    const closed = openFile(root, "f");
    closed.close();
    closed.sync();
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(fs.readFileSync(join(folder, "f")).length, 1_000_000);
});

test("what goes wrong when the system has put a closed file on the disk ends nothing", async (t) => {
  if (!hasDescriptors) return t.skip("this system does not tell open descriptors");
  const root = treeOn(t, folderWith(t, 0));
  const before = openDescriptors();
  const file = openFile(root, "f", { write: true, create: true });
  file.sync();
  root.sync();
  file.close();
  const fails = (): never => {
    throw Object.assign(new Error("EIO"), { code: "EIO" });
  };
  const mock = t.mock.method(fs, "closeSync", fails);
  syncBuiltinESMExports();
  const thrown: unknown[] = [];
  const note = (error: unknown) => thrown.push(error);
  process.on("uncaughtException", note);
  for (let turn = 0; turn < 2_000 && thrown.length === 0 && openDescriptors() > before; turn++)
    await new Promise((resolve) => setImmediate(resolve));
  process.off("uncaughtException", note);
  mock.mock.restore();
  syncBuiltinESMExports();
  assert.deepEqual(thrown, []);
  assert.ok(openDescriptors() <= before); // of the test before, too, one may have been on its way
});

test("a file that the system still puts on the disk keeps its room, though it is closed and removed", async (t) => {
  const quota = new Quota({ fileBytesMax: 10_000, filesMax: 100 });
  const root = treeOn(t, folderWith(t, 0), {}, quota);
  const file = openFile(root, "f", { write: true, create: true });
  file.write(new Uint8Array(6_000), 0);
  file.sync();
  file.close();
  root.removeFileAt("f");
  assert.deepEqual([quota.bytesUsed, quota.namesUsed], [6_000, 0]);
  while (quota.bytesUsed > 0) await new Promise((resolve) => setImmediate(resolve));
});

test("a guest that asks for it again and again makes the host hold no more than so many files open", async (t) => {
  if (!hasDescriptors) return t.skip("this system does not tell open descriptors");
  const root = treeOn(t, folderWith(t, 0));
  const before = openDescriptors();
  let refused = 0;
  for (let at = 0; at < 1_000; at++) {
    const file = openFile(root, `${at % 100}`, { write: true, create: true });
    try {
      file.sync();
      root.sync();
    } catch {
      refused++;
    }
    file.close();
  }
  assert.ok(openDescriptors() <= before + 66, `${openDescriptors() - before}`);
  assert.ok(refused > 800);
  while (openDescriptors() > before) await new Promise((resolve) => setImmediate(resolve));
});

test("a large file that loses its last name is let go of in the background, up to a quota's worth, and its room is there at once", (t) => {
  if (!hasDescriptors) return t.skip("a file that is open may not lose its name on this system");
  const folder = folderWith(t, 0);
  const fileBytesMax = 8 * 1024 * 1024;
  const quota = new Quota({ fileBytesMax, filesMax: 100 });
  const root = treeOn(t, folder, {}, quota);
  const half = new Uint8Array(fileBytesMax / 2);
  const write = (name: string, bytes = half) => {
    const file = openFile(root, name, { write: true, create: true });
    file.write(bytes, 0);
    return file;
  };
  const pending: (() => void)[] = [];
  const close = fs.close;
  const mock = t.mock.method(fs, "close", (descriptor: number, done: () => void) => {
    pending.push(() => close(descriptor, done));
  });
  syncBuiltinESMExports();
  try {
    write("small", new Uint8Array(1_000)).close();
    root.removeFileAt("small");
    assert.equal(pending.length, 0);
    write("removed").close();
    root.removeFileAt("removed");
    assert.deepEqual([pending.length, quota.bytesUsed], [1, 0]);
    write("replaced").close();
    write("other", new Uint8Array(1_000)).close();
    root.renameAt("other", root, "replaced");
    assert.deepEqual([pending.length, quota.bytesUsed], [2, 1_000]);
    const open = write("open");
    root.removeFileAt("open");
    assert.equal(quota.bytesUsed, 1_000 + half.length);
    open.close();
    assert.deepEqual([pending.length, quota.bytesUsed], [2, 1_000], "no more than a quota's worth waits");
  } finally {
    mock.mock.restore();
    syncBuiltinESMExports();
    for (const finish of pending) finish();
  }
});
