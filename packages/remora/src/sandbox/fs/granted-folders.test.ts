import assert from "node:assert/strict";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isRemoraError } from "../../base/index.ts";
import type { Grant } from "../../policy/index.ts";
import { type AuditLog, auditLog } from "../audit.ts";
import { Gate } from "../gate.ts";
import { defaultSandboxLimits } from "../limits.ts";
import { errnoOfCall, expectErrno, openFile, readFile, request, writeFile } from "../testing/file-trees.ts";
import { FolderHandle } from "./folder-handle.ts";
import { MountGate } from "./mount-gate.ts";
import { openMounts } from "./mounts.ts";

interface Setting {
  readonly grants: readonly Grant[];
  readonly denials?: readonly Grant[];
  /** Folders of the host by guest path, below the test's own folder. */
  readonly folders: Readonly<Record<string, string>>;
  /** Files of the host before it begins, below the same. */
  readonly files: Readonly<Record<string, string>>;
}

interface Granted {
  readonly audit: AuditLog;
  /** On the host. */
  readonly above: string;
  readonly gate: Gate;
  at(guestPath: string): FolderHandle;
}

/** Opens what is granted as an instance finds it. */
function withGranted(
  { grants, denials = [], folders, files }: Setting,
  visit: (found: Granted) => void,
): void {
  const above = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "remora-granted-")));
  for (const [path, text] of Object.entries(files)) {
    fs.mkdirSync(join(above, path, ".."), { recursive: true });
    fs.writeFileSync(join(above, path), text);
  }
  const hostFolders = Object.fromEntries(
    Object.entries(folders).map(([guestPath, path]) => [guestPath, join(above, path)]),
  );
  const audit = auditLog();
  const gate = new Gate({ plugin: "p", rules: { grants, denials }, audit, nowMs: () => 0 });
  const mounted = openMounts({
    grants,
    folders: hostFolders,
    limits: defaultSandboxLimits,
    nowNs: () => 0n,
    timeStepNs: 1n,
  });
  const handles = mounted.map(
    ({ mount }) =>
      new FolderHandle({
        folder: mount.volume.root,
        gate: new MountGate(mount, gate),
        bounds: defaultSandboxLimits,
      }),
  );
  const at = (guestPath: string): FolderHandle => {
    const found = handles.find(({ mount }) => mount.guestPath === guestPath);
    assert.ok(found, guestPath);
    return found;
  };
  try {
    visit({ audit, above, gate, at });
  } finally {
    for (const each of mounted) each.close();
    fs.rmSync(above, { recursive: true });
  }
}

const reads = (...paths: string[]): Grant => ({ capability: "fs.read", paths });
const writes = (...paths: string[]): Grant => ({ capability: "fs.write", paths });
const writable = { write: true } as const;

test("who may write and not read gets no handle that reads, whatever else it is for", () => {
  const setting = { folders: { "/maps": "maps" }, files: { "maps/f": "map", "maps/secret/f": "SECRET" } };
  withGranted({ ...setting, grants: [writes("/maps")] }, ({ at }) => {
    const maps = at("/maps");
    for (const how of [{}, writable, { create: true }, { ...writable, create: true, truncate: true }])
      expectErrno("acces", () => maps.openAt(request("f", how)), JSON.stringify(how));
    const file = openFile(maps, "f", { ...writable, read: false });
    expectErrno("badf", () => file.read(new Uint8Array(3), 0));
    file.close();
  });
  const denials = [reads("/maps/secret")];
  withGranted({ ...setting, grants: [reads("/maps"), writes("/maps")], denials }, ({ at }) => {
    assert.equal(readFile(at("/maps"), "f"), "map");
    expectErrno("acces", () => at("/maps").openAt(request("secret/f", writable)));
    expectErrno("acces", () => at("/maps").openAt(request("secret/f", { create: true })));
  });
});

test("a denied folder tells nothing of what is in it, also to whoever walks on through it", () => {
  const setting: Setting = {
    grants: [reads("/maps"), writes("/maps/box")],
    denials: [reads("/maps/secret", "/maps/box")],
    folders: { "/maps": "maps", "/maps/box": "maps/box" },
    files: {
      "maps/secret/a/f": "SECRET",
      "maps/secret/b": "SECRET",
      "maps/f": "map",
      "maps/box/a/f": "SECRET",
    },
  };
  withGranted(setting, ({ at, above, audit }) => {
    fs.symlinkSync("../f", join(above, "maps/secret/link"));
    fs.symlinkSync("secret/link", join(above, "maps/link"));
    const maps = at("/maps");
    for (const path of [
      ...["secret/a/x", "secret/b/x", "secret/none/x", "secret/a/../../f", "secret/none/../../f"],
      ...["secret/../f", "secret/link", "link", "secret/link/x"],
    ])
      expectErrno("acces", () => maps.openAt(request(path)), path);
    assert.equal(readFile(maps, "f"), "map");
    openFile(maps, "box/a/new", { ...writable, read: false, create: true }).close();
    assert.ok(audit.entries().some(({ target, answer }) => target === "/maps/secret" && answer === "denied"));
  });
});

test("a file that is open for both is read no more when reading is taken", () => {
  const setting = { folders: { "/maps": "maps" }, files: { "maps/f": "map" } };
  withGranted({ ...setting, grants: [reads("/maps"), writes("/maps")] }, ({ at, gate }) => {
    const file = openFile(at("/maps"), "f", writable);
    gate.narrow([writes("/maps")]);
    expectErrno("acces", () => file.read(new Uint8Array(3), 0));
    file.close();
  });
});

test("nothing is moved or linked to where other rules hold for it, nor a folder that rules speak of inside", () => {
  const setting: Setting = {
    grants: [reads("/maps/open", "/maps/out"), reads("/maps/a"), writes("/maps")],
    denials: [reads("/maps/out/secret"), reads("/maps/a/b/secret")],
    folders: { "/maps": "maps", "/maps/open": "maps/open", "/maps/out": "maps/out", "/maps/a": "maps/a" },
    files: {
      "maps/closed/f": "SECRET",
      "maps/open/f": "open",
      "maps/out/secret/f": "SECRET",
      "maps/a/b/secret/f": "SECRET",
      "maps/a/d/f": "free",
    },
  };
  withGranted(setting, ({ at, audit }) => {
    const maps = at("/maps");
    expectErrno("acces", () => maps.openAt(request("closed/f")));
    const ways: readonly [from: string, to: string][] = [
      ["closed/f", "open/g"],
      ["closed", "open/g"],
      ["out/secret/f", "out/g"],
      ["out/secret", "out/g"],
      ["out", "g"],
      ["a/b", "a/c"],
      ["a", "g"],
      // What comes to lie below a rule is that rule's from then on, and what lay there before is not any more.
      ["a/d", "a/b"],
      ["closed", "a"],
    ];
    for (const [from, to] of ways) {
      expectErrno("xdev", () => maps.renameAt(from, maps, to), `${from} to ${to}`);
    }
    for (const [from, to] of [
      ["closed/f", "open/g"],
      ["out/secret/f", "out/g"],
    ] as const) {
      expectErrno("xdev", () => maps.linkAt(from, false, maps, to), `${from} to ${to}`);
    }
    const closed = maps.openAt(request("open", { folder: true })) as FolderHandle;
    expectErrno("xdev", () => maps.renameAt("closed/f", closed, "g"));
    closed.close();
    maps.renameAt("a/d", maps, "a/e");
    maps.linkAt("a/e/f", false, maps, "a/g");
    maps.renameAt("open/f", maps, "open/g");
    assert.equal(readFile(maps, "a/g"), "free");
    const refused = audit.entries().filter(({ answer }) => answer === "denied");
    assert.ok(
      refused.some(({ target, rule }) => target === "/maps/open/g" && rule.includes("/maps/closed/f")),
    );
  });
});

test("a denial holds however the system that has the file would spell its name", () => {
  const setting: Setting = {
    grants: [reads("/maps"), writes("/maps")],
    denials: [reads("/maps/a/straße"), reads("/maps/caf\u00e9")],
    folders: { "/maps": "maps" },
    files: {
      "maps/A/STRASSE/f": "SECRET",
      "maps/cafe\u0301": "SECRET",
      "maps/a/f": "map",
      "maps/caf\u00e9. ": "SECRET",
    },
  };
  withGranted(setting, ({ at }) => {
    expectErrno("acces", () => at("/maps").openAt(request("A/STRASSE/f")));
    expectErrno("acces", () => at("/maps").openAt(request("cafe\u0301")));
    expectErrno("acces", () => at("/maps").openAt(request("caf\u00e9. ")));
    expectErrno("xdev", () => at("/maps").renameAt("A", at("/maps"), "b"));
    assert.equal(readFile(at("/maps"), "a/f"), "map");
  });
});

test("a granted folder that the host has not leaves no other one open", (t) => {
  if (!fs.existsSync("/proc/self/fd")) return t.skip("this system does not tell open descriptors");
  const folder = fs.mkdtempSync(join(tmpdir(), "remora-granted-"));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const openDescriptors = () => fs.readdirSync("/proc/self/fd").length;
  const before = openDescriptors();
  const options = {
    grants: [reads("/maps", "/maps/out")],
    folders: { "/maps": folder },
    limits: defaultSandboxLimits,
    nowNs: () => 0n,
    timeStepNs: 1n,
  };
  assert.throws(
    () => openMounts(options),
    (error) => isRemoraError(error, "sandbox/no-folder"),
  );
  assert.equal(openDescriptors(), before);
});

test("a folder that is open inside of another one hides what that has there", () => {
  const setting: Setting = {
    grants: [reads("/maps", "/maps/out"), writes("/maps/out")],
    folders: { "/maps": "maps", "/maps/out": "elsewhere" },
    files: {
      "maps/out/f": "the operator's",
      "maps/out/inner/f": "the operator's",
      "maps/OUT/f": "the operator's",
      "maps/outer/f": "map",
      "elsewhere/f": "the plugin's",
    },
  };
  withGranted(setting, ({ at, above, audit }) => {
    const maps = at("/maps");
    for (const how of [{}, writable, { write: true, create: true, truncate: true }])
      expectErrno("acces", () => maps.openAt(request("out/f", how)), JSON.stringify(how));
    expectErrno("acces", () => maps.openAt(request("out", { folder: true })));
    expectErrno("acces", () => maps.removeFileAt("out/f"));
    expectErrno("acces", () => maps.makeFolderAt("out/new"));
    expectErrno("acces", () => maps.statAt("outer/../out/f", true));
    for (const path of ["out/inner/../../outer/f", "out/none/../../outer/f", "OUT/f"])
      expectErrno("acces", () => maps.statAt(path, true), path);
    assert.equal(readFile(maps, "outer/f"), "map");
    assert.equal(readFile(at("/maps/out"), "f"), "the plugin's");
    writeFile(at("/maps/out"), "f", "changed");
    assert.equal(fs.readFileSync(join(above, "maps/out/f"), "utf8"), "the operator's");
    const rules = audit.entries().map((entry) => entry.rule);
    assert.ok(rules.includes("another folder is open there"));
  });
  const nested = { ...setting, folders: { "/maps": "maps", "/maps/out": "maps/out" } };
  withGranted(nested, ({ at }) => {
    writeFile(at("/maps"), "out/f", "by the one way");
    assert.equal(readFile(at("/maps/out"), "f"), "by the one way");
    assert.equal(
      errnoOfCall(() => writeFile(at("/maps"), "f", "x")),
      "rofs",
    );
  });
});
