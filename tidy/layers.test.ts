import { test } from "node:test";
import { expectFound, expectTidy } from "./finding.ts";
import { layers } from "./layer-table.ts";
import { cycleFindings, importFindings, projectFindings } from "./layers.ts";
import { readTree, treeOf } from "./tree.ts";

const tree = readTree();

test("imports point down, through public entries, to declared packages", () => {
  expectTidy(importFindings(tree));
});

test("no two folders import each other", () => {
  expectTidy(cycleFindings(tree));
});

test("folders, TypeScript projects and package entries are those of the layer table", () => {
  expectTidy(projectFindings(tree));
});

test("an import that goes up is found, in a test of the same package it is not", () => {
  const up = 'import { a } from "../engine/a.ts";';
  expectFound(
    importFindings(
      treeOf({
        "packages/remora/src/wasm/a.ts": up,
        "packages/remora/src/wasm/a.test.ts": up,
        "packages/remora/src/sandbox/a.ts": up,
      }),
    ),
    ["packages/remora/src/wasm/a.ts:1"],
  );
});

test("another package is reached by its public entries alone, and a host reaches no other", () => {
  const table = [...layers];
  const tak = layers.find((layer) => layer.name === "tak");
  if (tak !== undefined)
    table.push({ ...tak, name: "signalk", folder: "hosts/signalk/src", entry: "@remora/signalk" });
  expectFound(
    importFindings(
      treeOf({
        "hosts/tak/src/a.ts": [
          'import { decodeModule } from "remora/wasm";',
          'import { b } from "remora/src/wasm/b.ts";',
          'import { c } from "../../../packages/remora/src/wasm/c.ts";',
          'import { d } from "@remora/signalk";',
          'import { e } from "@remora/tak";',
          'import { f } from "./f.js";',
          'import { g } from "fs";',
        ].join("\n"),
      }),
      table,
    ),
    [2, 3, 4, 5, 6, 7].map((line) => `hosts/tak/src/a.ts:${line}`),
  );
});

test("an npm package must be declared where it is imported, and a pure layer takes nothing of Node", () => {
  expectFound(
    importFindings(
      treeOf({
        "package.json": '{ "devDependencies": { "fast-check": "4.10.2" } }',
        "hosts/tak/package.json": '{ "dependencies": { "yaml": "2.9.1" } }',
        "hosts/tak/src/a.ts":
          'import { parse } from "yaml"; import fc from "fast-check";\nimport net from "node:net";',
        "hosts/tak/src/a.test.ts": 'import fc from "fast-check";',
        "packages/remora/src/policy/a.ts": 'import { readFileSync } from "node:fs";\nexport * from "./b.ts";',
      }),
    ),
    ["hosts/tak/src/a.ts:1", "packages/remora/src/policy/a.ts:1", "packages/remora/src/policy/a.ts:2"],
  );
});

test("a ring of values between folders is found, one within a folder or of types is none", () => {
  expectFound(
    cycleFindings(
      treeOf({
        "a/a.ts": 'import { b } from "../b/b.ts";',
        "b/b.ts": '\nimport { a } from "../a/a.ts";',
        "c/c.ts": 'import { d } from "../d/d.ts";',
        "d/d.ts": 'import type { C } from "../c/c.ts";',
        "e/e.ts": 'import { f } from "./f.ts";',
        "e/f.ts": 'import { e } from "./e.ts";',
      }),
    ),
    ["b/b.ts:2"],
  );
});

test("a project that refers to more or less than its row, and a folder without a row, are found", () => {
  const table = layers.filter((layer) => ["base", "wasm"].includes(layer.name));
  const config = (references: readonly string[]) =>
    JSON.stringify({ compilerOptions: { types: [] }, references: references.map((path) => ({ path })) });
  expectFound(
    projectFindings(
      treeOf({
        "packages/remora/package.json": JSON.stringify({
          exports: { "./base": "./src/base/index.ts", "./wasm": "./src/wasm/index.ts", "./inner": "./x.ts" },
        }),
        "packages/remora/src/base/index.ts": "",
        "packages/remora/src/base/tsconfig.json": config(["../wasm"]),
        "packages/remora/src/wasm/index.ts": "",
        "packages/remora/src/wasm/tsconfig.json": config([]),
        "packages/remora/src/extra/index.ts": "",
      }),
      table,
    ),
    [
      "packages/remora/src/base/tsconfig.json:1",
      "packages/remora/src/wasm/tsconfig.json:1",
      "packages/remora/src/extra:1",
      "packages/remora/package.json:1",
    ],
  );
});
