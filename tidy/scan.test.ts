import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf, exportsOf, importsOf } from "./scan.ts";

test("comments and the contents of strings are no code; what stands in a template's holes is", () => {
  const text = [
    "#!/usr/bin/env node",
    "// process.exit",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a program
    'const a = "process.exit"; /* process */ const b = `process ${alpha.map((x) => `${beta} process`)} process`;',
    "const c = /process['\"]/.test(a); const d = 6 / 2; const process2 = d / 3;",
  ].join("\n");
  const code = codeOf(text);
  assert.equal(code.length, text.length);
  assert.equal(code.split("\n").length, 4);
  assert.doesNotMatch(code, /process\b/);
  for (const word of ["alpha", "beta", "const c", "process2", "6 / 2"]) assert.ok(code.includes(word), word);
});

test("an unclosed string or comment ends with its line or its file", () => {
  assert.equal(codeOf('const a = "x\nconst b = 1;').split("\n")[1], "const b = 1;");
  assert.equal(codeOf("a /* b").trim(), "a");
});

test("every way to name another file is found, types told from values", () => {
  const text = [
    'import type { A } from "./a.ts";',
    'import { type B, type C } from "./b.ts";',
    'import d, { type E } from "./d.ts";',
    'import * as all from "node:fs";',
    'import "./side-effect.ts";',
    'export { f } from "./f.ts";',
    'export * from "./g.ts";',
    'const h = await import("./h.ts");',
    'new Worker(new URL("./i.ts", import.meta.url));',
    '// import "./comment.ts";',
    "const text = 'import \"./string.ts\"';",
  ].join("\n");
  assert.deepEqual(
    importsOf(text).map((one) => [one.specifier, one.line, one.kind, one.isValue, one.isStar]),
    [
      ["./a.ts", 1, "import", false, false],
      ["./b.ts", 2, "import", false, false],
      ["./d.ts", 3, "import", true, false],
      ["node:fs", 4, "import", true, false],
      ["./side-effect.ts", 5, "import", true, false],
      ["./f.ts", 6, "re-export", true, false],
      ["./g.ts", 7, "re-export", true, true],
      ["./h.ts", 8, "dynamic", true, false],
      ["./i.ts", 9, "url", true, false],
    ],
  );
});

test("exported names are those that an importer can use", () => {
  const text = [
    "export const a = 1; export async function b() {} export abstract class C {}",
    "export interface D {} export type E = string; export function* f() {}",
    'export { g, h as i, type J } from "./g.ts"; export type { K };',
    "const notExported = 1;",
  ].join("\n");
  const found = exportsOf(text);
  assert.deepEqual(found.map((one) => one.name).sort(), ["C", "D", "E", "J", "K", "a", "b", "f", "g", "i"]);
  assert.deepEqual(
    found
      .filter((one) => one.isType)
      .map((one) => one.name)
      .sort(),
    ["D", "E", "J", "K"],
  );
});
