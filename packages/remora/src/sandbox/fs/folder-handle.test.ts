import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import {
  expectErrno,
  openFile,
  readFile,
  request,
  type TreeKind,
  withTrees,
  writeFile,
} from "../testing/file-trees.ts";

test("files, folders and links behave the same in memory and on disk", () => {
  withTrees(({ folder }) => {
    folder.makeFolderAt("a");
    folder.makeFolderAt("a/b/");
    writeFile(folder, "a/b/f", "one");
    folder.makeLinkAt("b/f", "a/link");
    assert.equal(readFile(folder, "a/link"), "one");
    assert.equal(folder.linkTextAt("a/link"), "b/f");
    assert.equal(folder.statAt("a/link", false).type, "link");
    assert.equal(folder.statAt("a/link", true).type, "file");
    folder.renameAt("a/b", folder, "c");
    expectErrno("noent", () => readFile(folder, "a/link"));
    assert.equal(readFile(folder, "c/f"), "one");
    folder.linkAt("c/f", false, folder, "hard");
    assert.equal(folder.statAt("hard", false).links, 2n);
    expectErrno("notempty", () => folder.removeFolderAt("c"));
    expectErrno("isdir", () => folder.removeFileAt("c"));
    expectErrno("notdir", () => folder.removeFolderAt("hard"));
    folder.removeFileAt("c/f");
    assert.equal(readFile(folder, "hard"), "one");
    folder.removeFolderAt("c/");
    assert.deepEqual(
      folder
        .entries()
        .map((entry) => [entry.name, entry.type])
        .sort(),
      [
        ["a", "folder"],
        ["hard", "file"],
      ],
    );
  });
});

test("what cannot be done is said in the same errno everywhere", () => {
  withTrees(({ folder }, kind) => {
    folder.makeFolderAt("d");
    writeFile(folder, "f", "x");
    folder.makeLinkAt("nowhere", "dangling");
    const rows: [Parameters<typeof expectErrno>[0], () => unknown][] = [
      ["noent", () => folder.openAt(request("none"))],
      ["noent", () => folder.openAt(request("none/x", { create: true, write: true }))],
      ["notdir", () => folder.openAt(request("f/x"))],
      ["notdir", () => folder.openAt(request("f", { folder: true }))],
      ["notdir", () => folder.openAt(request("f/"))],
      ["isdir", () => folder.openAt(request("d", { write: true }))],
      ["isdir", () => folder.openAt(request("d", { create: true, write: true }))],
      ["exist", () => folder.openAt(request("f", { create: true, exclusive: true, write: true }))],
      [
        "exist",
        () =>
          folder.openAt(request("dangling", { create: true, exclusive: true, write: true, follow: false })),
      ],
      ["loop", () => folder.openAt(request("dangling", { follow: false }))],
      ["noent", () => folder.openAt(request("dangling"))],
      ["exist", () => folder.makeFolderAt("d")],
      ["exist", () => folder.makeFolderAt(".")],
      ["exist", () => folder.makeLinkAt("x", "f")],
      ["noent", () => folder.makeLinkAt("", "l")],
      ["inval", () => folder.linkTextAt("f")],
      ["noent", () => folder.removeFileAt("none")],
      ["notdir", () => folder.removeFileAt("f/")],
      ["inval", () => folder.removeFolderAt(".")],
      ["notdir", () => folder.renameAt("f/", folder, "g")],
      ["isdir", () => folder.renameAt("f", folder, "d")],
      ["notdir", () => folder.renameAt("d", folder, "f")],
      ["inval", () => folder.renameAt("d", folder, "d/x")],
      ["perm", () => folder.linkAt("d", false, folder, "e")],
      ["exist", () => folder.linkAt("f", false, folder, "dangling")],
      ["nametoolong", () => folder.makeFolderAt("n".repeat(256))],
      ["nametoolong", () => folder.makeFolderAt("n/".repeat(3_000))],
      ["nametoolong", () => folder.makeFolderAt("n/".repeat(256))],
      ["noent", () => folder.makeFolderAt("n/".repeat(255))],
    ];
    for (const [index, [expected, call]] of rows.entries())
      expectErrno(expected, call, `${kind}, row ${index}`);
  });
});

test("a guest's names are only names: __proto__ and constructor are files like others", () => {
  withTrees(({ folder }) => {
    for (const name of ["__proto__", "constructor", "toString", "%2e%2e", "...", " ", "ünïcode", "\\"]) {
      if (name === "\\") continue; // a separator on systems without descriptors
      expectErrno("noent", () => folder.statAt(name, false), name);
      writeFile(folder, name, "x");
      assert.equal(readFile(folder, name), "x", name);
    }
  });
});

test("times are kept to the nanosecond, as long as nobody else changes the file", () => {
  withTrees(({ folder }) => {
    writeFile(folder, "f", "x");
    const modifiedNs = 1_735_689_600_123_456_789n;
    folder.setTimesAt("f", true, { modifiedNs });
    assert.equal(folder.statAt("f", true).modifiedNs, modifiedNs);
    const file = openFile(folder, "f", { write: true });
    file.setTimes({ accessedNs: 5n });
    assert.deepEqual([file.stat().accessedNs, file.stat().modifiedNs], [5n, modifiedNs]);
    file.write(Uint8Array.of(1), 0);
    assert.notEqual(file.stat().modifiedNs, modifiedNs);
    file.close();
  });
});

test("bytes are charged before they are written, and given back when the last name and handle are gone", () => {
  withTrees(
    ({ folder, quota }) => {
      writeFile(folder, "f", "x".repeat(60));
      assert.equal(quota.bytesUsed, 60);
      const file = openFile(folder, "f", { write: true });
      expectErrno("dquot", () => file.write(new Uint8Array(41), 60));
      expectErrno("dquot", () => file.write(new Uint8Array(1), 100));
      expectErrno("dquot", () => file.setSize(101));
      expectErrno("dquot", () => file.setSize(2 ** 50));
      file.write(new Uint8Array(60), 0);
      assert.equal(quota.bytesUsed, 60);
      folder.linkAt("f", false, folder, "g");
      folder.removeFileAt("f");
      assert.equal(quota.bytesUsed, 60);
      folder.removeFileAt("g");
      assert.equal(quota.bytesUsed, 60, "still open");
      file.setSize(100);
      expectErrno("dquot", () => writeFile(folder, "h", "y"));
      file.close();
      assert.equal(quota.bytesUsed, 0);
      writeFile(folder, "h", "y".repeat(100));
      folder.renameAt("h", folder, "i");
      writeFile(folder, "j", "");
      folder.renameAt("j", folder, "i");
      assert.equal(quota.bytesUsed, 0);
    },
    { fileBytesMax: 100 },
  );
});

test("names are charged: files, folders, links, and second names", () => {
  withTrees(
    ({ folder, quota }) => {
      writeFile(folder, "f", "");
      folder.makeFolderAt("d");
      folder.makeLinkAt("f", "l");
      folder.linkAt("f", false, folder, "d/g");
      assert.equal(quota.namesUsed, 4);
      expectErrno("dquot", () => writeFile(folder, "x", ""));
      expectErrno("dquot", () => folder.makeFolderAt("x"));
      expectErrno("dquot", () => folder.makeLinkAt("f", "x"));
      expectErrno("dquot", () => folder.linkAt("f", false, folder, "x"));
      expectErrno("exist", () => {
        folder.removeFileAt("l");
        folder.makeFolderAt("d");
      });
      assert.equal(quota.namesUsed, 3, "a failure gives back what it took");
      folder.renameAt("f", folder, "d/f");
      folder.removeFileAt("d/f");
      folder.removeFileAt("d/g");
      folder.removeFolderAt("d");
      assert.equal(quota.namesUsed, 0);
    },
    { filesMax: 4 },
  );
});

test("a folder that was removed while open takes no more names", () => {
  withTrees(({ folder, quota }) => {
    folder.makeFolderAt("d");
    const removed = folder.openAt(request("d", { folder: true }));
    assert.ok(removed.kind === "folder");
    folder.removeFolderAt("d");
    expectErrno("noent", () => writeFile(removed, "f", "x"));
    assert.equal(quota.namesUsed, 0);
    removed.close();
  });
});

test("listing is bounded, and leaves out names that are no UTF-8", () => {
  const kinds: readonly TreeKind[] = ["disk"];
  withTrees(
    ({ folder, volume, above }) => {
      fs.writeFileSync(Buffer.concat([Buffer.from(`${above}/root/`), Buffer.from([0xff, 0xfe])]), "");
      for (const name of ["a", "b", "c"]) writeFile(folder, name, "");
      assert.deepEqual(
        folder
          .entries()
          .map((entry) => entry.name)
          .sort(),
        ["a", "b", "c"],
      );
      expectErrno("overflow", () => volume.root.entries(2));
    },
    { kinds },
  );
});

test("no descriptor of the host is left open", () => {
  const count = () => (fs.existsSync("/proc/self/fd") ? fs.readdirSync("/proc/self/fd").length : 0);
  const before = count();
  withTrees(({ folder }) => {
    folder.makeFolderAt("a");
    folder.makeFolderAt("a/b");
    writeFile(folder, "a/b/f", "x");
    folder.makeLinkAt("a/b/f", "l");
    for (let i = 0; i < 20; i++) {
      readFile(folder, "l");
      expectErrno("perm", () => readFile(folder, "a/b/../../../x"));
      expectErrno("noent", () => readFile(folder, "a/b/none"));
      folder.renameAt("a/b/f", folder, "a/b/f");
    }
  });
  assert.equal(count(), before);
});

test("a handle that was closed is no way to whatever the system puts in its place", () => {
  withTrees(
    ({ folder, volume, above }) => {
      folder.makeFolderAt("d");
      const closed = volume.root.folderAt("d");
      const file = openFile(folder, "f", { create: true, write: true });
      closed.close();
      file.close();
      const descriptor = fs.openSync(`${above}/outside`, "r");
      expectErrno("badf", () => closed.statAt("secret"));
      expectErrno("badf", () => closed.entries(10));
      expectErrno("badf", () => closed.again());
      expectErrno("badf", () => file.write(Uint8Array.of(1), 0));
      file.close();
      closed.close();
      fs.fstatSync(descriptor);
      fs.closeSync(descriptor);
    },
    { kinds: ["disk", "disk without descriptors"] },
  );
});
