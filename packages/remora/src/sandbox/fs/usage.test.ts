import assert from "node:assert/strict";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { withTrees } from "../testing/file-trees.ts";
import { testSandbox } from "../testing/sandboxes.ts";
import { usageOf } from "./usage.ts";
import type { OpenFolder } from "./volume.ts";

test("folders that are deeper than any path can say are counted with what is in them", () => {
  withTrees(
    ({ volume, above, quota }) => {
      const name = "d".repeat(250);
      let deepest: OpenFolder = volume.root.again();
      for (let depth = 0; depth < 40; depth++) {
        deepest.makeFolderAt(name);
        const next = deepest.folderAt(name);
        deepest.close();
        deepest = next;
      }
      const how = { read: true, write: true, create: true, exclusive: true, truncate: false };
      const file = deepest.fileAt("f", how);
      file.write(new Uint8Array(100), 0);
      file.close();
      deepest.close();
      assert.equal(quota.namesUsed, 41);
      assert.deepEqual(usageOf(`${above}/root`, 1_000), { bytes: 100, names: 41 });
    },
    { kinds: ["own disk"] },
  );
});

test("whatever a guest has put in the place of its own folders, its root opens again", () => {
  const above = fs.mkdtempSync(join(tmpdir(), "remora-own-"));
  fs.mkdirSync(`${above}/outside`);
  const privateFolder = `${above}/root`;
  const tricks: readonly ((path: string) => void)[] = [
    (path) => fs.writeFileSync(path, "a file"),
    (path) => fs.symlinkSync("../outside/made", path),
    (path) => fs.symlinkSync("../outside", path),
    (path) => fs.symlinkSync("data", path),
  ];
  try {
    for (const trick of tricks) {
      fs.mkdirSync(privateFolder);
      trick(`${privateFolder}/data`);
      const { sandbox } = testSandbox({ grants: [{ capability: "fs.private" }], privateFolder });
      sandbox.close();
      assert.deepEqual(fs.readdirSync(`${above}/outside`), []);
      fs.rmSync(privateFolder, { recursive: true });
    }
  } finally {
    fs.rmSync(above, { recursive: true });
  }
});
