import assert from "node:assert/strict";
import { test } from "node:test";
import { defineErrors } from "remora/base";
import {
  betweenMarks,
  codeFindings,
  linkFindings,
  pathMentionFindings,
  questionFindings,
  scriptFindings,
  sectionFindings,
} from "./documents.ts";
import { errorsOf, listErrors, printErrors } from "./error-list.ts";
import { expectFound, expectTidy } from "./finding.ts";
import { layerTables, printAll } from "./generated.ts";
import { tableMarks } from "./layer-table.ts";
import { readTree, treeOf } from "./tree.ts";

const tree = readTree();

test("what is printed from the code is what the code says", async () => {
  const findings = [];
  for (const [path, text] of await printAll(tree)) {
    const found = tree.get(path)?.text ?? "";
    if (found === text || path.endsWith("api.txt")) continue;
    const lines = found.split("\n");
    const line = text.split("\n").findIndex((wanted, at) => lines[at] !== wanted) + 1;
    findings.push({
      file: path,
      line: Math.max(1, line),
      what: "is not what the code prints",
      why: "so a reader is told what is not so",
      instead: "run `node tidy/update.ts` and read the difference",
    });
  }
  expectTidy(findings);
});

test("README.md and ARCHITECTURE.md print the layer table", () => {
  for (const [path, print] of Object.entries(layerTables)) {
    assert.equal(betweenMarks(tree.get(path)?.text ?? "", tableMarks), print(), path);
  }
});

test("links lead somewhere", () => expectTidy(linkFindings(tree)));
test("paths that documents name are there", () => expectTidy(pathMentionFindings(tree)));
test("npm scripts that documents name are there", () => expectTidy(scriptFindings(tree)));

test("questions that comments refer to are asked in the rationale", () => expectTidy(questionFindings(tree)));

test("cited sections of the metering specification are there", () => expectTidy(sectionFindings(tree)));

test("every promised error code has its row, and every row is thrown somewhere", async () => {
  expectTidy(codeFindings(tree, await listErrors(tree)));
});

test("an error is listed with its facts in place, lists as one element", () => {
  const table = defineErrors("sample", {
    "too-large": {
      fault: "guest",
      message: (d: { name: string; found: number; near: readonly { label: string }[] }) =>
        `"${d.name}" has ${d.found.toString(16)} of ${d.near.length === 1 ? "one" : d.near.length}: ${d.near.map((one) => one.label).join(", ")}`,
    },
  });
  const listed = errorsOf(table, "a/errors.ts");
  assert.deepEqual(listed, [
    {
      code: "sample/too-large",
      fault: "guest",
      sentence: '"‹name›" has ‹found› of ‹count›: ‹label›',
      file: "a/errors.ts",
    },
  ]);
  assert.match(printErrors(listed), /^\| `sample\/too-large` \| guest \| "‹name›"/m);
});

test("a link, a path or a script that leads nowhere is found", () => {
  const files = treeOf({
    "package.json": '{ "scripts": { "test": "node --test" } }',
    "docs/a.md": "# One thing\n[b](b.md) [here](#one-thing) [there](#other) [web](https://example.org)",
    "README.md":
      "`npm run fly` and `npm test`, see `docs/a.md` and `docs/c.md`\n```ts\nconst a = [b](c);\n```",
  });
  expectFound(linkFindings(files), ["docs/a.md:2", "docs/a.md:2"]);
  expectFound(
    pathMentionFindings(files, () => false),
    ["README.md:1"],
  );
  expectFound(scriptFindings(files), ["README.md:1"]);
});

test("a reference to a question that nobody asks is found", () => {
  const files = treeOf({
    "RATIONALE.md": "### Why only `append`?\n",
    "packages/remora/src/wasm/a.ts": '// See RATIONALE "Why only append".\n// See RATIONALE "Why blocks".',
  });
  expectFound(questionFindings(files), ["packages/remora/src/wasm/a.ts:2"]);
});

test("a cited section that is not there is found", () => {
  const files = treeOf({
    "docs/metering.md": "## 4. The rewrite\n### 4.3 Fuel\n",
    "packages/remora/src/wasm/a.ts":
      "// Metering specification 4.3, and metering specification, section 12.1.",
  });
  expectFound(sectionFindings(files), ["packages/remora/src/wasm/a.ts:1"]);
});

test("a promised code without a row, and a row that nothing throws, are found", () => {
  const files = treeOf({
    "packages/remora/src/engine/errors.ts":
      '\nexport const engineErrors = {\n  deadline: {},\n  "out-of-fuel": {},\n};',
    "packages/remora/src/engine/call.ts":
      '/** @throws engine/out-of-time too late */\nthrow engineErrors["out-of-fuel"]({});',
  });
  const row = { fault: "guest", sentence: "", file: "packages/remora/src/engine/errors.ts" } as const;
  expectFound(
    codeFindings(files, [
      { ...row, code: "engine/deadline" },
      { ...row, code: "engine/out-of-fuel" },
    ]),
    ["packages/remora/src/engine/call.ts:1", "packages/remora/src/engine/errors.ts:3"],
  );
});
