import assert from "node:assert/strict";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { wasiCapability } from "../policy/wasi-capability.ts";
import { type ErrnoName, errno } from "./fs/errno.ts";
import { type SandboxOptions, sandboxOffers } from "./sandbox-imports.ts";
import { expectEnded, type TestSandbox, testSandbox } from "./testing/sandboxes.ts";

/** Calls preview 1 as a guest would, with a path at 1000 and results at 0. */
function caller({ instance, bytes }: TestSandbox) {
  const functions = instance.core("wasi_snapshot_preview1") ?? {};
  const view = new DataView(bytes.buffer);
  return {
    view,
    open(fd: number, path: string, oflags: number, rights: bigint): ErrnoName | number {
      const encoded = new TextEncoder().encode(path);
      bytes.set(encoded, 1_000);
      const found = functions.path_open?.(fd, 1, 1_000, encoded.length, oflags, rights, 0n, 0, 0);
      return found === 0 ? view.getUint32(0, true) : nameOf(found);
    },
    call: (name: string, ...params: (number | bigint)[]) => nameOf(functions[name]?.(...params)),
  };
}

function nameOf(found: unknown): ErrnoName {
  const name = Object.entries(errno).find(([, number]) => number === found)?.[0];
  return name as ErrnoName; // all errnos come from the table
}

function withFolder(visit: (folder: string) => void): void {
  const folder = fs.mkdtempSync(join(tmpdir(), "remora-sandbox-"));
  try {
    visit(folder);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

const base = { capability: "wasi.base" } as const;

test("the own root has its three folders, on disk and in memory, and its usage is told", () => {
  withFolder((privateFolder) => {
    for (const options of [{}, { privateFolder }]) {
      const tested = testSandbox({ ...options, grants: [base, { capability: "fs.private" }] });
      const guest = caller(tested);
      for (const name of ["data", "config", "tmp"]) assert.equal(typeof guest.open(3, name, 2, 0n), "number");
      assert.equal(typeof guest.open(3, "data/f", 1, 0x42n), "number");
      guest.view.setUint32(8, 2_000, true);
      guest.view.setUint32(12, 500, true);
      assert.equal(guest.call("fd_write", 7, 8, 1, 16), "success");
      assert.deepEqual(tested.sandbox.usage(), [{ guestPath: "/", bytesUsed: 500, namesUsed: 4 }]);
      tested.sandbox.close();
    }
    assert.equal(fs.statSync(`${privateFolder}/data/f`).size, 500);
    const again = testSandbox({ privateFolder, grants: [base, { capability: "fs.private" }] });
    assert.deepEqual(again.sandbox.usage(), [{ guestPath: "/", bytesUsed: 500, namesUsed: 4 }]);
    again.sandbox.close();
  });
});

test("instances of one plugin share its files and its quota; handles are an instance's own", () => {
  const options = { grants: [base, { capability: "fs.private" }], limits: { fileBytesMax: 100 } } as const;
  const tested = testSandbox(options);
  const one = caller(tested);
  const two = caller({ ...tested, instance: tested.sandbox.forInstance(guestFor(tested)) });
  assert.equal(one.open(3, "data/f", 1, 0x42n), 4);
  assert.equal(two.open(3, "data/f", 0, 0x42n), 4);
  one.view.setUint32(8, 2_000, true);
  one.view.setUint32(12, 60, true);
  assert.equal(one.call("fd_write", 4, 8, 1, 16), "success");
  assert.equal(two.open(3, "data/g", 1, 0x42n), 5);
  assert.equal(two.call("fd_write", 5, 8, 1, 16), "dquot");
  assert.equal(one.call("fd_close", 5), "badf");
});

function guestFor({ bytes }: TestSandbox) {
  return {
    memory: { view: () => bytes },
    abort: (error: Error): never => {
      throw error;
    },
  };
}

test("two sandboxes on one folder, as while a plugin is replaced, share one quota", () => {
  withFolder((privateFolder) => {
    const options = {
      privateFolder,
      grants: [base, { capability: "fs.private" }],
      limits: { fileBytesMax: 1_000, filesMax: 3 },
    } as const;
    const [old, next] = [testSandbox(options), testSandbox(options)];
    const [one, two] = [caller(old), caller(next)];
    const fill = (guest: typeof one, fd: number) => guest.call("fd_allocate", fd, 0n, 600n);
    assert.equal(typeof one.open(3, "data/a", 1, 0x42n), "number");
    assert.equal(typeof two.open(3, "data/b", 1, 0x42n), "number");
    assert.deepEqual([fill(one, 4), fill(two, 4)], ["success", "dquot"]);
    assert.equal(typeof two.open(3, "data/c", 1, 0x42n), "number");
    assert.equal(one.open(3, "data/d", 1, 0x42n), "dquot");
    old.sandbox.close();
    old.sandbox.close();
    assert.equal(fill(two, 4), "dquot");
    next.sandbox.close();
    fs.rmSync(`${privateFolder}/data/a`);
    const again = testSandbox(options);
    assert.deepEqual(again.sandbox.usage(), [{ guestPath: "/", bytesUsed: 0, namesUsed: 5 }]);
    again.sandbox.close();
  });
});

test("a granted folder is read-only unless writing is granted too", () => {
  withFolder((folder) => {
    fs.writeFileSync(`${folder}/f`, "map");
    const open = (grants: SandboxOptions["grants"]) => {
      const tested = testSandbox({ grants: [base, ...grants], folders: { "/maps": folder } });
      return { ...caller(tested), tested };
    };
    const reading = open([{ capability: "fs.read", paths: ["/maps"] }]);
    assert.equal(reading.open(3, "f", 0, 2n), 4);
    assert.equal(reading.open(3, "f", 0, 0x42n), "rofs");
    assert.equal(reading.open(3, "new", 1, 0x42n), "rofs");
    assert.equal(reading.open(3, "f", 8, 2n), "rofs");
    assert.equal(reading.call("path_unlink_file", 3, 1_000, 1), "rofs");
    assert.equal(reading.call("path_create_directory", 3, 1_000, 1), "rofs");
    assert.equal(reading.call("path_rename", 3, 1_000, 1, 3, 1_000, 1), "rofs");
    assert.equal(reading.call("path_filestat_set_times", 3, 1, 1_000, 1, 0n, 0n, 2), "rofs");
    assert.equal(reading.call("fd_filestat_set_times", 4, 0n, 0n, 2), "rofs");
    assert.equal(reading.call("fd_filestat_set_times", 3, 0n, 0n, 2), "rofs");
    assert.equal(reading.call("fd_filestat_set_size", 4, 0n), "notcapable");
    assert.equal(fs.readFileSync(`${folder}/f`, "utf8"), "map");
    const writing = open([{ capability: "fs.write", paths: ["/maps"] }]);
    assert.equal(writing.open(3, "f", 0, 2n), "acces");
    assert.equal(typeof writing.open(3, "new", 1, 0x40n), "number");
    reading.tested.sandbox.close();
    writing.tested.sandbox.close();
  });
});

test("the audit names the folder that was really reached, and a denial below a granted folder holds", () => {
  withFolder((folder) => {
    fs.mkdirSync(`${folder}/secret`);
    fs.writeFileSync(`${folder}/secret/f`, "x");
    fs.symlinkSync("secret", `${folder}/link`);
    const tested = testSandbox({
      grants: [base, { capability: "fs.read", paths: ["/maps"] }],
      denials: [{ capability: "fs.read", paths: ["/maps/secret"] }],
      folders: { "/maps": folder },
    });
    const guest = caller(tested);
    assert.equal(guest.open(3, "secret/f", 0, 2n), "acces");
    assert.equal(guest.open(3, "link/f", 0, 2n), "acces");
    assert.equal(guest.open(3, "link", 2, 0n), "acces");
    const denied = tested.audit.entries().filter((entry) => entry.answer === "denied");
    assert.deepEqual(
      denied.map((entry) => [entry.target, entry.times]),
      [["/maps/secret", 3]],
    );
    tested.sandbox.close();
  });
});

test("a folder that is given but not granted is not there; one that is granted but not given is an error", () => {
  withFolder((folder) => {
    const tested = testSandbox({ grants: [base], folders: { "/maps": folder } });
    assert.equal(caller(tested).call("fd_prestat_get", 3, 0), "badf");
    const grants = [base, { capability: "fs.read", paths: ["/maps"] }] as const;
    expectEnded("sandbox/no-folder", () => testSandbox({ grants }));
    expectEnded("sandbox/no-folder", () => testSandbox({ grants, folders: { "/maps": `${folder}/none` } }));
    expectEnded("sandbox/no-folder", () =>
      testSandbox({ grants: [{ capability: "fs.private" }], privateFolder: `${folder}/none` }),
    );
  });
});

test("closing an instance closes what it left open", () => {
  withFolder((privateFolder) => {
    const count = () => (fs.existsSync("/proc/self/fd") ? fs.readdirSync("/proc/self/fd").length : 0);
    const before = count();
    const tested = testSandbox({ privateFolder, grants: [base, { capability: "fs.private" }] });
    const guest = caller(tested);
    for (let i = 0; i < 50; i++) guest.open(3, `data/${i}`, 1, 0x42n);
    tested.instance.close();
    assert.equal(guest.open(3, "data/x", 1, 0x42n), "badf");
    tested.sandbox.close();
    assert.equal(count(), before);
  });
});

test("a limit that does not exist, or is no number, is refused", () => {
  assert.throws(() => testSandbox({ limits: { handleMax: 1 } as object }), RangeError);
  assert.throws(() => testSandbox({ limits: { handlesMax: -1 } }), RangeError);
  assert.throws(() => testSandbox({ limits: { handlesMax: Number.NaN } }), RangeError);
});

test("the capability that an error names for an import of WASI is the one by which it is offered", () => {
  for (const offer of sandboxOffers.filter((one) => one.import.startsWith("wasi"))) {
    const [from = "", item] = offer.import.includes(":") ? [offer.import] : offer.import.split(".");
    assert.equal(
      wasiCapability(item === undefined ? { from } : { from, item }),
      offer.capability,
      offer.import,
    );
  }
});
