import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { isRemoraError } from "../../base/index.ts";
import {
  errnoOfCall,
  expectErrno,
  readFile,
  request,
  type TestTree,
  type TreeKind,
  withTrees,
  writeFile,
} from "../testing/file-trees.ts";
import { diskVolume } from "./disk-volume.ts";
import { FsError } from "./errno.ts";
import { FolderHandle } from "./folder-handle.ts";
import { Quota } from "./quota.ts";

const onDisk: { readonly kinds: readonly TreeKind[] } = {
  kinds: ["disk", "own disk", "disk without descriptors"],
};

/** Links that the operator's own system put into the folder, or a program before us. */
function plantLinks({ above }: TestTree): void {
  const root = `${above}/root`;
  fs.mkdirSync(`${root}/a/b`, { recursive: true });
  fs.writeFileSync(`${root}/a/f`, "inside");
  const links: Record<string, string> = {
    "abs-file": `${above}/outside/secret`,
    "abs-folder": `${above}/outside`,
    "up-file": "../outside/secret",
    "up-folder": "..",
    "a/up2": "../../outside",
    "a/b/up3": "../../../outside/secret",
    chain: "chain2",
    chain2: "a/chain3",
    "a/chain3": "../up-file",
    "proc-root": "/proc/self/root",
    "proc-cwd": "/proc/self/cwd",
    "proc-fd": "/proc/self/fd",
    slash: "/",
    dots: "./././../outside/./secret",
    "inside-up": "a/../../outside/secret",
    self: "self",
    ping: "pong",
    pong: "ping",
  };
  for (const [name, text] of Object.entries(links)) fs.symlinkSync(text, `${root}/${name}`);
}

const spellings = (above: string): readonly string[] => [
  "..",
  "../",
  "../outside/secret",
  "./../outside/secret",
  "../../../../../../../../etc/passwd",
  "a/../../outside/secret",
  "a/b/../../../outside/secret",
  "a/./../.././outside/secret",
  "a//..//..//outside/secret",
  "./a/b/./../../../outside/secret",
  "a/b/up3",
  "a/up2/secret",
  "a/up2/../outside/secret",
  "up-folder/outside/secret",
  "up-folder/root/up-folder/outside/secret",
  "up-folder/",
  "up-folder/.",
  "up-folder",
  "up-file",
  "abs-file",
  "abs-folder/secret",
  "abs-folder/",
  "abs-folder",
  "chain",
  "chain2",
  "a/chain3",
  "dots",
  "inside-up",
  "proc-root/etc/passwd",
  "proc-cwd/package.json",
  "proc-fd/0",
  "proc-fd/3",
  "slash",
  "slash/etc/passwd",
  "self",
  "self/x",
  "ping",
  "a/f/../../../outside/secret",
  `${above}/outside/secret`,
  "/etc/passwd",
  "/",
  "//",
  "//etc/passwd",
  "/proc/self/environ",
  "/proc/self/fd/3/../outside/secret",
  "/../outside/secret",
  "..\\outside\\secret",
  "a\\..\\..\\outside\\secret",
  "C:\\Windows\\win.ini",
  "\\\\server\\share\\x",
  "a/\0../../outside/secret",
  "../outside/secret\0.txt",
  "..%2foutside%2fsecret",
  "%2e%2e/outside/secret",
  "..;/outside/secret",
  "..\u2215outside\u2215secret",
  "\uff0e\uff0e/outside/secret",
  "..\u0000/outside",
  ". ./outside/secret",
  "../outside/secret/",
  "a/b/../../../root/../outside/secret",
  `${"a/b/../../".repeat(300)}../outside/secret`,
  `${"./".repeat(1_000)}../outside/secret`,
];

/** Whatever is done with such a path, it fails, and outside everything is as it was. */
function expectNoWayOut(tree: TestTree, path: string, kind: string): void {
  const { folder, above } = tree;
  const what = `${kind}: ${path.slice(0, 60)}`;
  for (const options of [
    {},
    { follow: false },
    { write: true },
    { write: true, create: true },
    { write: true, truncate: true },
    { create: true, exclusive: true, write: true },
    { folder: true },
  ]) {
    try {
      const handle = folder.openAt(request(path, options));
      // Some spellings are odd names, and a new file of such a name inside is harmless.
      const name = fs.readdirSync(`${above}/outside`).join();
      assert.ok("create" in options && handle.kind === "file" && name === "secret", what);
      handle.close();
      folder.removeFileAt(path);
    } catch (error) {
      assert.ok(error instanceof FsError, `${what}: ${String(error)}`);
    }
  }
  const before = errnoOfCall(() => folder.statAt(path, true));
  assert.notEqual(before, "none", what);
  writeFile(folder, "own", "own");
  for (const call of [
    () => folder.renameAt("own", folder, `${path}/own`),
    () => folder.linkAt("own", false, folder, `${path}/own`),
    () => folder.makeFolderAt(`${path}/made`),
    () => folder.setTimesAt(path, true, { modifiedNs: 1n }),
    () => folder.linkAt(path.endsWith("/") ? path : `${path}/secret`, false, folder, "stolen"),
  ]) {
    assert.notEqual(errnoOfCall(call), "none", what);
  }
  assert.deepEqual(fs.readdirSync(`${above}/outside`), ["secret"], what);
  assert.equal(fs.readFileSync(`${above}/outside/secret`, "utf8"), "SECRET", what);
  assert.deepEqual(fs.readdirSync(above).sort(), ["outside", "root"], what);
}

test("no spelling of a path leads out of the folder, for any operation", () => {
  withTrees((tree, kind) => {
    plantLinks(tree);
    const list = spellings(tree.above);
    assert.ok(list.length >= 60);
    for (const path of list) expectNoWayOut(tree, path, kind);
    assert.equal(readFile(tree.folder, "a/f"), "inside");
    assert.equal(readFile(tree.folder, "a/b/../f"), "inside");
  }, onDisk);
});

test("a way out is refused, and told to the operator", () => {
  withTrees((tree) => {
    plantLinks(tree);
    expectErrno("perm", () => readFile(tree.folder, "a/../../outside/secret"));
    const entry = tree.audit.entries().find((one) => one.answer === "denied");
    assert.equal(entry?.rule, "leads outside its folder");
    assert.ok(entry.target?.includes("outside/secret"));
  }, onDisk);
});

test("from a folder that was opened, the way up to its own parent is closed too", () => {
  withTrees(({ folder }) => {
    folder.makeFolderAt("a");
    writeFile(folder, "f", "x");
    const inner = folder.openAt(request("a", { folder: true }));
    assert.ok(inner.kind === "folder");
    expectErrno("perm", () => readFile(inner, "../f"));
    inner.close();
  });
});

test("a folder that is swapped for a link between check and use is never followed", () => {
  withTrees(({ volume, above }, kind) => {
    fs.mkdirSync(`${above}/root/d`);
    fs.writeFileSync(`${above}/root/d/secret`, "inside");
    const held = volume.root.folderAt("d");
    fs.renameSync(`${above}/root/d`, `${above}/root/moved`);
    fs.symlinkSync(`${above}/outside`, `${above}/root/d`);
    const how = { read: true, write: false, create: false, exclusive: false, truncate: false };
    if (kind !== "disk without descriptors") {
      const file = held.fileAt("secret", how);
      const into = new Uint8Array(10);
      assert.equal(new TextDecoder().decode(into.subarray(0, file.read(into, 0))), "inside");
      file.close();
    } else {
      expectErrno("loop", () => held.fileAt("secret", how));
    }
    held.close();
  }, onDisk);
});

test("a file that is swapped for a link is not opened through it", () => {
  withTrees(({ volume, above }) => {
    fs.symlinkSync(`${above}/outside/secret`, `${above}/root/f`);
    const how = { read: true, write: true, create: true, exclusive: false, truncate: true };
    expectErrno("loop", () => volume.root.fileAt("f", how));
    expectErrno("loop", () => volume.root.folderAt("f"));
    assert.equal(fs.readFileSync(`${above}/outside/secret`, "utf8"), "SECRET");
  }, onDisk);
});

test("names with separators or dots never reach the system, whatever calls for them", () => {
  withTrees(({ volume }) => {
    for (const name of ["", ".", "..", "a/b", "../outside/secret", "a\0b"]) {
      expectErrno("inval", () => volume.root.statAt(name), name);
      expectErrno("inval", () => volume.root.folderAt(name), name);
      expectErrno("inval", () => volume.root.makeFolderAt(name), name);
      expectErrno("inval", () => volume.root.removeFileAt(name), name);
    }
  }, onDisk);
});

test("pipes, sockets and devices are not opened, and opening one does not block", () => {
  withTrees(({ folder, above }) => {
    execFileSync("mkfifo", [`${above}/root/pipe`]);
    for (const options of [{}, { write: true }, { write: true, truncate: true }]) {
      expectErrno("nxio", () => folder.openAt(request("pipe", options)));
    }
    assert.equal(folder.statAt("pipe", true).type, "other");
  }, onDisk);
});

test("a guest cannot make an absolute link, nor one upwards where ways cannot be held", () => {
  withTrees(({ folder }, kind) => {
    expectErrno("perm", () => folder.makeLinkAt("/etc/passwd", "l"));
    const isSafe = kind !== "disk without descriptors";
    assert.equal(
      errnoOfCall(() => folder.makeLinkAt("../../etc/passwd", "l")),
      isSafe ? "none" : "perm",
    );
    if (isSafe) expectErrno("perm", () => readFile(folder, "l"));
  });
});

test("a link upwards stays harmless when its folder is moved upwards", () => {
  withTrees(
    ({ folder }) => {
      folder.makeFolderAt("a");
      folder.makeFolderAt("a/b");
      folder.makeLinkAt("../../outside/secret", "a/b/l");
      folder.renameAt("a/b", folder, "b");
      expectErrno("perm", () => readFile(folder, "b/l"));
    },
    { kinds: ["disk"] },
  );
});

test("no second name or move leads from one mount into another", () => {
  withTrees((one) => {
    withTrees((two) => {
      writeFile(one.folder, "f", "x");
      expectErrno("xdev", () => one.folder.linkAt("f", false, two.folder, "f"));
      expectErrno("xdev", () => one.folder.renameAt("f", two.folder, "f"));
      // Under the handles, volumes check again.
      expectErrno("xdev", () => one.volume.root.linkAt("f", two.volume.root, "f"));
      expectErrno("xdev", () => one.volume.root.renameAt("f", two.volume.root, "f"));
    });
  });
});

test("links are followed forty times and no more, however they multiply", () => {
  withTrees(({ folder }) => {
    writeFile(folder, "f", "x");
    folder.makeLinkAt("f", "l1");
    for (let i = 2; i <= 41; i++) folder.makeLinkAt(`l${i - 1}`, `l${i}`);
    assert.equal(readFile(folder, "l40"), "x");
    expectErrno("loop", () => readFile(folder, "l41"));
    folder.makeFolderAt("d");
    folder.makeLinkAt("d/./".repeat(900), "wide");
    assert.notEqual(
      errnoOfCall(() => folder.statAt("wide", true)),
      "none",
    );
  });
});

test("a folder of the host that is missing, a file or a link is an error with a code", () => {
  withTrees(
    ({ above }) => {
      fs.symlinkSync(`${above}/outside`, `${above}/link`);
      for (const folder of [`${above}/none`, `${above}/outside/secret`, `${above}/link`]) {
        const quota = new Quota({ fileBytesMax: 0, filesMax: 0 });
        assert.throws(
          () => diskVolume({ folder, quota }),
          (error) => isRemoraError(error, "sandbox/no-folder"),
        );
      }
      fs.unlinkSync(`${above}/link`);
    },
    { kinds: ["disk"] },
  );
});

test("random paths over a tree with hostile links never read the secret and never throw anything else", () => {
  withTrees((tree, kind) => {
    plantLinks(tree);
    const part = fc.constantFrom(
      "..",
      ".",
      "",
      "a",
      "b",
      "f",
      "up2",
      "up3",
      "up-folder",
      "up-file",
      "abs-folder",
      "outside",
      "secret",
      "root",
      "proc-root",
      "slash",
      "self",
      "dots",
    );
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), (parts) => {
        const path = parts.join("/");
        try {
          const handle = tree.folder.openAt(request(path));
          if (handle.kind === "file") {
            const into = new Uint8Array(16);
            assert.equal(
              new TextDecoder().decode(into.subarray(0, handle.read(into, 0))),
              "inside",
              `${kind} ${path}`,
            );
          } else {
            assert.ok(handle instanceof FolderHandle);
            assert.ok(!handle.entries().some((entry) => entry.name === "secret"), `${kind} ${path}`);
          }
          handle.close();
        } catch (error) {
          if (!(error instanceof FsError)) throw error;
        }
      }),
      { numRuns: 300 },
    );
  }, onDisk);
});
