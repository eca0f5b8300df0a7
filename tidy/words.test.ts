import { test } from "node:test";
import { expectFound, expectTidy } from "./finding.ts";
import { readTree, treeOf } from "./tree.ts";
import { pathFindings, wordFindings } from "./words.ts";

const tree = readTree();

test("words stand where they belong", () => {
  expectTidy(wordFindings(tree));
});

test("no file names a folder of the machine that it was written on", () => {
  expectTidy(pathFindings(tree));
});

test("a word out of its place is found in code, and left alone in comments, strings and its own place", () => {
  const text = [
    "// WebAssembly, process.exit, console.log",
    'const message = "WebAssembly and process.exit";',
    "const module = new WebAssembly.Module(bytes);",
    "process.exit(1);",
    "console.log(plugin.process.console);",
    "const now = Date.now() + Math.random();",
  ].join("\n");
  expectFound(
    wordFindings(
      treeOf({
        "bench/a.ts": text.replace("Math.random()", "0"),
        "hosts/tak/src/a.ts": text,
        "packages/remora/src/engine/a.ts": text
          .replace("process.exit(1);", "")
          .replaceAll("console.log", "log"),
      }),
    ),
    [
      "hosts/tak/src/a.ts:3",
      "hosts/tak/src/a.ts:4",
      "hosts/tak/src/a.ts:5",
      "hosts/tak/src/a.ts:6",
      "packages/remora/src/engine/a.ts:6",
      "packages/remora/src/engine/a.ts:6",
    ],
  );
});

test("a test that sleeps or does not run is found", () => {
  const text = [
    'test.only("a", () => {});',
    "await new Promise((resolve) => setTimeout(resolve, 100));",
    'import { setTimeout } from "node:timers/promises";',
    "const timer = setTimeout(() => fail(), 1_000);",
  ].join("\n");
  expectFound(
    wordFindings(treeOf({ "hosts/tak/src/a.test.ts": text })),
    [1, 2, 3].map((line) => `hosts/tak/src/a.test.ts:${line}`),
  );
});

test("what tests alone import counts as test, what a program imports too does not", () => {
  const text = "export const module = new WebAssembly.Module(bytes);";
  expectFound(
    wordFindings(
      treeOf({
        "hosts/tak/src/oracle.ts": text,
        "hosts/tak/src/shared.ts": text,
        "hosts/tak/src/a.test.ts": 'import "./oracle.ts";\nimport "./shared.ts";',
        "hosts/tak/src/a.ts": 'import "./shared.ts";',
      }),
    ),
    ["hosts/tak/src/shared.ts:1"],
  );
});

test("a path of this machine is found in any file", () => {
  expectFound(pathFindings(treeOf({ "docs/a.md": "first\nsee /srv/check/out/docs" }), "/srv/check/out"), [
    "docs/a.md:2",
  ]);
});
