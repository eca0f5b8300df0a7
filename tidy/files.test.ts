import assert from "node:assert/strict";
import { test } from "node:test";
import {
  indexFindings,
  kebabFindings,
  leftoverFindings,
  namelessFindings,
  openingFindings,
  sizes,
  unreachedFindings,
} from "./files.ts";
import { expectFound, expectTidy } from "./finding.ts";
import { readTree, treeOf } from "./tree.ts";

const tree = readTree();

test("every file is named after an idea", () => expectTidy(namelessFindings(tree)));
test("every name is in kebab-case", () => expectTidy(kebabFindings(tree)));
test("no index stands below a layer's", () => expectTidy(indexFindings(tree)));
test("every file opens with what it is for", () => expectTidy(openingFindings(tree)));
test("nothing is left for later in a comment", () => expectTidy(leftoverFindings(tree)));
test("every file is reached from an entry, a test or a script", () => expectTidy(unreachedFindings(tree)));

test("the largest files and functions are reported, not judged", (t) => {
  const { files, functions } = sizes(tree, 8);
  assert.ok(files.length > 0 && functions.length > 0);
  for (const { what, lines } of [...files, ...functions])
    t.diagnostic(`${String(lines).padStart(5)} lines  ${what}`);
});

test("names without an idea and names in other cases are found, fixtures are left alone", () => {
  const files = treeOf({
    "packages/remora/src/wasm/leb-utils.ts": "",
    "packages/remora/src/common/a.ts": "",
    "packages/remora/src/wasm/LebReader.ts": "",
    "packages/remora/src/wasm/commonality.ts": "",
    "fuzz/fixtures/Some_Case.wasm": "",
    "README.md": "",
    ".ci/run": "",
  });
  expectFound(namelessFindings(files), [
    "packages/remora/src/wasm/leb-utils.ts:1",
    "packages/remora/src/common/a.ts:1",
  ]);
  expectFound(kebabFindings(files), ["packages/remora/src/wasm/LebReader.ts:1"]);
});

test("an index below a layer's, a missing opening and a leftover are found", () => {
  const leftover = `TO${"DO"}`;
  const files = treeOf({
    "packages/remora/src/wasm/index.ts": "// Entry.",
    "packages/remora/src/wasm/opcodes/index.ts": "#!/usr/bin/env node\n/** Opcodes. */",
    "packages/remora/src/wasm/a.ts": `export const a = 1;\n// ${leftover}: more`,
  });
  expectFound(indexFindings(files), ["packages/remora/src/wasm/opcodes/index.ts:1"]);
  expectFound(openingFindings(files), ["packages/remora/src/wasm/a.ts:1"]);
  expectFound(leftoverFindings(files), ["packages/remora/src/wasm/a.ts:2"]);
});

test("a file is reached through entries, tests, scripts, documents, workers and its own usage", () => {
  expectFound(
    unreachedFindings(
      treeOf({
        "package.json": '{ "scripts": { "a": "node scripts/a.ts" } }',
        "docs/guide.md": "Run `node scripts/b.ts`.",
        "packages/x/package.json": '{ "exports": { ".": "./src/index.ts" } }',
        "packages/x/src/index.ts": 'export { c } from "./c.ts";',
        "packages/x/src/c.ts": 'new Worker(new URL("./worker.ts", import.meta.url));',
        "packages/x/src/worker.ts": "",
        "packages/x/src/d.test.ts": 'import "./d.ts";',
        "packages/x/src/d.ts": "",
        "packages/x/src/lost.ts": 'import "./lost-too.ts";',
        "packages/x/src/lost-too.ts": "",
        "scripts/a.ts": "",
        "scripts/b.ts": "",
        "scripts/c.ts": "/** Makes it: `node scripts/c.ts OUT`. */",
      }),
    ),
    ["packages/x/src/lost.ts:1", "packages/x/src/lost-too.ts:1"],
  );
});
