/** The examples in documents run, and print what they say they print. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { buildExamples } from "../examples/build.ts";
import { parseTakConfig } from "../hosts/tak/src/config/parse.ts";
import { fencedBlocks, printedBy } from "./documents.ts";
import { readTree, root } from "./tree.ts";

const tree = readTree();

function blocksOf(language: string) {
  return [...tree.values()]
    .filter(({ path }) => path === "README.md" || /^docs\/[^/]+\.md$/.test(path))
    .flatMap(({ path, text }) => fencedBlocks(text, language).map((block) => ({ path, ...block })));
}

before(() => buildExamples());

test("the README shows about ten lines of embedding", () => {
  const [first] = fencedBlocks(tree.get("README.md")?.text ?? "", "ts");
  const lines = (first?.text ?? "").split("\n").filter((line) => line.trim() !== "");
  assert.ok(lines.length >= 5 && lines.length <= 12, `${lines.length} lines`);
});

for (const { path, line, text } of blocksOf("ts")) {
  test(`the program at ${path}:${line} prints what its comments say`, () => {
    // Inside of the repository, so that it finds the packages as a program beside them would.
    const folder = join(root, ".cache/documents");
    mkdirSync(folder, { recursive: true });
    const file = join(folder, `${path.replaceAll(/[^a-z-]/gi, "-")}-${line}.ts`);
    writeFileSync(file, text);
    const out = execFileSync(process.execPath, [file], { cwd: root, encoding: "utf8", timeout: 300_000 });
    assert.deepEqual(out.split("\n").slice(0, -1), printedBy(text));
  });
}

for (const { path, line, text } of blocksOf("yaml")) {
  test(`the settings at ${path}:${line} are accepted`, () => {
    assert.ok(parseTakConfig(text, `${path}:${line}`).chain.length > 0);
  });
}

test("blocks are found with their lines, and comments behind console.log are what is printed", () => {
  const [block] = fencedBlocks(
    '# A\n\n```ts\nconst a = 1;\nconsole.log(a); // 1\nconsole.log(f(a)); // "x" y\n```\n',
    "ts",
  );
  assert.equal(block?.line, 4);
  assert.deepEqual(printedBy(block?.text ?? ""), ["1", '"x" y']);
});
