/** What guests hold of files when it is taken: every function of both versions of WASI stops answering by it. */

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { ComponentError } from "../component/index.ts";
import type { Grant } from "../policy/index.ts";
import { errno } from "./fs/errno.ts";
import { eventtype, everyRight, folderRights, oflags } from "./preview1/layout.ts";
import type { Descriptor, preopens } from "./preview2/filesystem.ts";
import type { Sandbox } from "./sandbox-imports.ts";
import { guestOf, interfaceOf, testSandbox } from "./testing/sandboxes.ts";

const base: Grant = { capability: "wasi.base" };
const own: Grant = { capability: "fs.private" };
const reads = (...paths: string[]): Grant => ({ capability: "fs.read", paths });
const writes = (...paths: string[]): Grant => ({ capability: "fs.write", paths });

/** A sandbox in which each granted path has a folder of its own, with files "a" and "b", whose text is the path. */
function opened(t: TestContext, grants: readonly Grant[], below: readonly string[] = []) {
  const above = mkdtempSync(join(tmpdir(), "remora-narrowed-"));
  const paths = new Set(grants.flatMap(({ paths = [] }) => paths as readonly string[])); // as `reads` makes them
  const folders = Object.fromEntries([...paths].map((path, index) => [path, join(above, `${index}`)]));
  for (const [path, folder] of Object.entries(folders)) {
    mkdirSync(folder);
    for (const name of ["a", "b"]) writeFileSync(join(folder, name), path);
  }
  for (const path of below) {
    mkdirSync(join(folders["/maps"] ?? "", path), { recursive: true });
    writeFileSync(join(folders["/maps"] ?? "", path, "a"), `below ${path}`);
  }
  const tested = testSandbox({ grants: [base, ...grants], folders });
  t.after(() => {
    tested.sandbox.close();
    rmSync(above, { recursive: true });
  });
  return tested;
}

type Numbers = readonly (number | bigint)[];

/** Where a test puts things in the guest's memory: "ab" at 0, for two names. */
const places = { iovec: 8, result: 16, buffer: 1_024, events: 2_048 };
const { iovec, result, buffer, events } = places;

class Preview1Guest {
  readonly view: DataView;
  readonly #functions: NonNullable<ReturnType<ReturnType<Sandbox["forInstance"]>["core"]>>;

  constructor(sandbox: Sandbox) {
    const bytes = new Uint8Array(65_536);
    this.#functions = sandbox.forInstance(guestOf(bytes)).core("wasi_snapshot_preview1") ?? {};
    bytes.set(new TextEncoder().encode("ab"), 0);
    this.view = new DataView(bytes.buffer);
    this.view.setUint32(iovec, buffer, true);
    this.view.setUint32(iovec + 4, 10, true);
  }

  call(name: string, ...args: Numbers): number {
    return Number(this.#functions[name]?.(...args));
  }

  /** Opens "a", or the folder itself. */
  open(kind: "file" | "folder"): number {
    const dot = this.view.byteLength - 1;
    this.view.setUint8(dot, ".".charCodeAt(0));
    const [path, how] = kind === "file" ? [0, oflags.creat] : [dot, oflags.directory];
    const wanted = kind === "file" ? everyRight : folderRights;
    assert.equal(this.call("path_open", 3, 1, path, 1, how, wanted, everyRight, 0, result), 0);
    return this.view.getUint32(result, true);
  }
}

/** All that a guest can ask of an open file and of an open folder. */
const asked = (file: number, folder: number): Readonly<Record<string, Numbers>> => ({
  fd_advise: [file, 0n, 0n, 0],
  fd_allocate: [file, 0n, 100n],
  fd_datasync: [file],
  fd_fdstat_get: [file, buffer],
  fd_fdstat_set_flags: [file, 1],
  fd_fdstat_set_rights: [file, 0n, 0n],
  fd_filestat_get: [file, buffer],
  fd_filestat_set_size: [file, 1n],
  fd_filestat_set_times: [file, 0n, 0n, 2],
  fd_pread: [file, iovec, 1, 0n, result],
  fd_pwrite: [file, iovec, 1, 0n, result],
  fd_read: [file, iovec, 1, result],
  fd_seek: [file, 0n, 2, result],
  fd_sync: [file],
  fd_tell: [file, result],
  fd_write: [file, iovec, 1, result],
  path_create_directory: [folder, 0, 1],
  path_filestat_get: [folder, 0, 0, 1, buffer],
  path_filestat_set_times: [folder, 0, 0, 1, 0n, 0n, 2],
  path_link: [folder, 0, 0, 1, folder, 1, 1],
  path_open: [folder, 0, 0, 1, 0, everyRight, everyRight, 0, result],
  path_readlink: [folder, 0, 1, buffer, 10, result],
  path_remove_directory: [folder, 0, 1],
  path_rename: [folder, 0, 1, folder, 1, 1],
  path_symlink: [0, 1, folder, 1, 1],
  path_unlink_file: [folder, 0, 1],
  "fd_readdir from the beginning": [folder, buffer, 1_000, 0n, result],
  "fd_readdir of what was read": [folder, buffer, 1_000, 1n, result],
  "fd_filestat_get of the folder": [folder, buffer],
  "fd_sync of the folder": [folder],
});

for (const [what, grants] of [
  ["a granted folder", [reads("/maps"), writes("/maps")]],
  ["the plugin's own root", [own]],
] as const) {
  test(`nothing of ${what} that a guest of preview 1 has open answers when it is taken, and all can be closed`, (t) => {
    const { sandbox } = opened(t, grants);
    const guest = new Preview1Guest(sandbox);
    const [file, folder] = [guest.open("file"), guest.open("folder")];
    const isListed = (fd: number) => assert.equal(guest.call("fd_readdir", fd, buffer, 1_000, 0n, result), 0);
    for (const fd of [3, folder]) isListed(fd);
    sandbox.narrow([base]);
    for (const from of [3, folder]) {
      for (const [name, args] of Object.entries(asked(file, from))) {
        const answer = guest.call(name.split(" ")[0] ?? "", ...args);
        assert.ok(answer === errno.acces || answer === errno.rofs, `${name}: ${answer}`);
      }
    }
    const { view } = guest;
    view.setUint8(buffer + 8, eventtype.fdRead);
    view.setUint32(buffer + 16, file, true);
    assert.equal(guest.call("poll_oneoff", buffer, events, 1, result), 0);
    assert.equal(view.getUint16(events + 8, true), errno.acces);
    // The names of the folders were told when it started, and libraries end a program that they are not told again.
    assert.equal(guest.call("fd_prestat_get", 3, buffer), 0);
    assert.equal(guest.call("fd_prestat_dir_name", 3, buffer, 100), 0);
    assert.equal(guest.call("fd_renumber", file, 3), 0);
    for (const fd of [3, folder]) assert.equal(guest.call("fd_close", fd), 0);
    sandbox.narrow([base, ...grants]);
    assert.equal(guest.call("fd_close", 3), errno.badf);
  });
}

test("a folder that may still be written to is looked at, and its listing is told no more", (t) => {
  const { sandbox } = opened(t, [reads("/maps"), writes("/maps")]);
  const guest = new Preview1Guest(sandbox);
  assert.equal(guest.call("fd_readdir", 3, buffer, 1_000, 0n, result), 0);
  sandbox.narrow([base, writes("/maps")]);
  assert.equal(guest.call("fd_readdir", 3, buffer, 1_000, 1n, result), errno.acces);
  assert.equal(guest.call("path_filestat_get", 3, 0, 0, 1, buffer), errno.acces);
  assert.equal(guest.call("fd_filestat_get", 3, buffer), 0);
  assert.equal(guest.call("path_unlink_file", 3, 0, 1), 0);
});

for (const [what, grants] of [
  ["a granted folder", [reads("/maps"), writes("/maps")]],
  ["the plugin's own root", [own]],
] as const) {
  test(`an operation in ${what} passes the gate as often when something else was taken as before`, (t) => {
    const passages = (sandbox: Sandbox, act: () => void): number => {
      const count = () =>
        Object.values(sandbox.gate.counts()).reduce(
          (sum, { allowed, refused }) => sum + allowed + refused,
          0,
        );
      const before = count();
      act();
      return count() - before;
    };
    const clock: Grant = { capability: "clock.read" };
    const counted = (isNarrowed: boolean) => {
      const { sandbox } = opened(t, [clock, ...grants]);
      const guest = new Preview1Guest(sandbox);
      const [file, folder] = [guest.open("file"), guest.open("folder")];
      const component = preview2(sandbox).folder;
      const listing = component.readDirectory();
      if (isNarrowed) sandbox.narrow([base, ...grants]);
      return Object.fromEntries([
        ...Object.entries(asked(file, folder)).map(([name, args]) => [
          name,
          passages(sandbox, () => guest.call(name.split(" ")[0] ?? "", ...args)),
        ]),
        ["readDirectoryEntry", passages(sandbox, () => listing.readDirectoryEntry())],
        ["statAt", passages(sandbox, () => component.statAt(follow, "."))],
      ]) as Readonly<Record<string, number>>;
    };
    const before = counted(false);
    assert.equal(before.path_filestat_get, 1);
    assert.deepEqual(counted(true), before);
  });
}

interface Preview2 {
  readonly folder: Descriptor;
  readonly getDirectories: ReturnType<typeof preopens>["getDirectories"];
}

function preview2(sandbox: Sandbox, at = 0): Preview2 {
  const instance = sandbox.forInstance(guestOf(new Uint8Array(0)));
  const { getDirectories } = interfaceOf<ReturnType<typeof preopens>>(
    instance,
    "wasi:filesystem/preopens@0.2.0",
  );
  const [folder] = getDirectories()[at] ?? [];
  assert.ok(folder !== undefined);
  return { folder, getDirectories };
}

const follow = { symlinkFollow: false };
const noOpen = { create: false, directory: false, exclusive: false, truncate: false };
const noSync = { fileIntegritySync: false, dataIntegritySync: false, requestedWriteSync: false };
const now = { tag: "now" } as const;

const openForReading = (folder: Descriptor, path = "a") =>
  folder.openAt(follow, path, noOpen, { read: true, write: false, mutateDirectory: false, ...noSync });

const openFile = (folder: Descriptor, how: Partial<typeof noOpen> = {}) =>
  folder.openAt(
    follow,
    "a",
    { ...noOpen, ...how },
    { read: true, write: true, mutateDirectory: false, ...noSync },
  );

for (const [what, grants] of [
  ["a granted folder", [reads("/maps"), writes("/maps")]],
  ["the plugin's own root", [own]],
] as const) {
  test(`nothing of ${what} that a component has open answers when it is taken, and all can be dropped`, (t) => {
    const { sandbox } = opened(t, grants);
    const { folder, getDirectories } = preview2(sandbox);
    const file = openFile(folder, { create: true });
    file.write(Uint8Array.of(1, 2, 3), 0n);
    const listing = folder.readDirectory();
    const [input, exhausted] = [file.readViaStream(0n), file.readViaStream(100n)];
    const [output, appending] = [file.writeViaStream(0n), file.appendViaStream()];
    output.checkWrite();
    assert.equal(file.isSameObject(file), true);
    sandbox.narrow([base]);
    const refused: Readonly<Record<string, () => unknown>> = {
      readViaStream: () => file.readViaStream(0n),
      writeViaStream: () => file.writeViaStream(0n),
      appendViaStream: () => file.appendViaStream(),
      advise: () => file.advise(0n, 0n, "normal"),
      syncData: () => file.syncData(),
      getFlags: () => file.getFlags(),
      getType: () => file.getType(),
      setSize: () => file.setSize(0n),
      setTimes: () => file.setTimes(now, now),
      read: () => file.read(1n, 0n),
      write: () => file.write(Uint8Array.of(1), 0n),
      stat: () => file.stat(),
      metadataHash: () => file.metadataHash(),
      sync: () => folder.sync(),
      "stat of a folder": () => folder.stat(),
      "flags of a folder": () => folder.getFlags(),
      "hash of a folder": () => folder.metadataHash(),
      readDirectory: () => folder.readDirectory(),
      readDirectoryEntry: () => listing.readDirectoryEntry(),
      createDirectoryAt: () => folder.createDirectoryAt("x"),
      statAt: () => folder.statAt(follow, "a"),
      setTimesAt: () => folder.setTimesAt(follow, "a", now, now),
      linkAt: () => folder.linkAt(follow, "a", folder, "x"),
      openAt: () => openFile(folder),
      readlinkAt: () => folder.readlinkAt("a"),
      removeDirectoryAt: () => folder.removeDirectoryAt("a"),
      renameAt: () => folder.renameAt("a", folder, "x"),
      symlinkAt: () => folder.symlinkAt("a", "x"),
      unlinkFileAt: () => folder.unlinkFileAt("a"),
      metadataHashAt: () => folder.metadataHashAt(follow, "a"),
    };
    for (const [name, act] of Object.entries(refused)) {
      const isDenied = (error: unknown) =>
        error instanceof ComponentError && /^(access|read-only)$/.test(String(error.payload));
      assert.throws(act, isDenied, name);
    }
    assert.equal(file.isSameObject(file), false);
    assert.deepEqual(getDirectories(), []);
    // A poll says that they are ready, and then they fail.
    const failing: readonly (() => unknown)[] = [
      () => input.read(1n),
      () => exhausted.read(1n),
      () => output.checkWrite(),
      () => output.write(Uint8Array.of(1)),
      () => output.flush(),
      () => appending.checkWrite(),
    ];
    for (const act of failing) {
      const isFailed = (error: unknown) =>
        error instanceof ComponentError && (error.payload as { tag: string }).tag === "last-operation-failed"; // a stream-error
      assert.throws(act, isFailed, String(act));
    }
    for (const stream of [input, output]) assert.equal(stream.subscribe().ready(), true);
    for (const held of [input, exhausted, output, appending, listing, file, folder]) held[Symbol.dispose]();
  });
}

/** What the file says; undefined when it is refused. */
function textAt(folder: Descriptor, path: string): string | undefined {
  try {
    return new TextDecoder().decode(openForReading(folder, path).read(100n, 0n)[0]);
  } catch (error) {
    assert.ok(error instanceof ComponentError && error.payload === "access", String(error));
    return undefined;
  }
}

test("a folder that hid another one's is gone when it is taken, though what is around it stays, and hides nothing", (t) => {
  const [all, out, pub] = ["/maps", "/maps/out", "/maps/out/pub"].map((path) => reads(path)) as [
    Grant,
    Grant,
    Grant,
  ]; // as many as paths
  const { sandbox } = opened(t, [all, out, pub], ["out", "out/pub"]);
  const [maps, outer, inner] = [0, 1, 2].map((at) => preview2(sandbox, at).folder) as [
    Descriptor,
    Descriptor,
    Descriptor,
  ]; // they were opened in this order
  const held = openForReading(outer);
  const seen = () => ({
    maps: textAt(maps, "a"),
    below: textAt(maps, "out/a"),
    belowPub: textAt(maps, "out/pub/a"),
    outer: textAt(outer, "a"),
    inner: textAt(inner, "a"),
  });
  const whole = { maps: "/maps", outer: "/maps/out", inner: "/maps/out/pub" };
  assert.deepEqual(seen(), { ...whole, below: undefined, belowPub: undefined });
  const isRefused = (error: unknown) => error instanceof ComponentError && error.payload === "access";

  sandbox.narrow([base, all, pub]);
  assert.deepEqual(seen(), { ...whole, below: "below out", belowPub: undefined, outer: undefined });
  assert.throws(() => held.read(1n, 0n), isRefused);
  assert.throws(() => outer.readDirectory(), isRefused);
  assert.throws(() => outer.statAt(follow, "pub/nothing"), isRefused);
  const named = () =>
    preview2(sandbox)
      .getDirectories()
      .map(([, path]) => path);
  assert.deepEqual(named(), ["/maps", "/maps/out/pub"]);

  sandbox.narrow([base, all]);
  const left = { maps: "/maps", below: "below out", belowPub: "below out/pub" };
  assert.deepEqual(seen(), { ...left, outer: undefined, inner: undefined });

  sandbox.narrow([base, out]);
  const alone = { maps: undefined, below: undefined, belowPub: undefined };
  assert.deepEqual(seen(), { ...alone, outer: "/maps/out", inner: undefined });
  assert.deepEqual(named(), ["/maps/out"]);
});

test("of a folder of which a part is left, that part is had through it", (t) => {
  const { sandbox } = opened(t, [reads("/maps")], ["out", "other"]);
  const { folder } = preview2(sandbox);
  sandbox.narrow([base, reads("/maps/out")]);
  assert.deepEqual(
    ["a", "out/a", "other/a"].map((path) => textAt(folder, path)),
    [undefined, "below out", undefined],
  );
});
