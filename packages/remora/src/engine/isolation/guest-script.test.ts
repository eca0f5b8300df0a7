/** Files as one script: what is imported has run and is there, under the names that the importing file gives it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Script } from "node:vm";
import { guestScript } from "./guest-script.ts";

const entry = "file:///app/entry.js";

function scriptOf(files: Readonly<Record<string, string>>): string {
  return guestScript(entry, (url) => {
    const code = files[url.replace("file:///app/", "")];
    if (code === undefined) throw new Error(`No file ${url}`);
    return code;
  });
}

/** What the entry gave to `report`, a function of the module "node:report" here. */
async function reported(files: Readonly<Record<string, string>>): Promise<unknown[]> {
  const values: unknown[] = [];
  const modules: Readonly<Record<string, object>> = {
    "node:report": { report: (v: unknown) => values.push(v) },
  };
  const run = new Script(scriptOf(files)).runInThisContext() as (require: unknown) => Promise<void>;
  await run((name: string) => modules[name]);
  return values;
}

const report = `import { report } from "node:report";\n`;

test("functions, classes, constants and lists are exported, and imported under other names", async () => {
  const values = await reported({
    "entry.js": `${report}import {
  add as plus,
  one,
  Two,
  three,
} from "./lib/all.js";
report(plus(one, new Two().value) + three);`,
    "lib/all.js": `export const one = 1;
export class Two { value = 2; }
export function add(a, b) { return a + b; }
const third = 3;
export { third as three };`,
  });
  assert.deepEqual(values, [6]);
});

test("what a file exports of another one, and a namespace, is that one's", async () => {
  const values = await reported({
    "entry.js": `${report}import { renamed } from "./a.js";\nimport * as all from "./b.js";\nreport([renamed, all.value]);`,
    "a.js": `export { value as renamed } from "./b.js";`,
    "b.js": `export const value = 7;`,
  });
  assert.deepEqual(values, [[7, 7]]);
});

test("a file runs once, before those that import it, and its names are its own", async () => {
  const values = await reported({
    "entry.js": `${report}import "./a.js";\nimport { hidden } from "./b.js";\nreport(hidden());`,
    "a.js": `${report}import { hidden } from "./b.js";\nconst own = "a";\nreport(own + hidden());`,
    "b.js": `${report}const own = "b";\nreport(own);\nexport function hidden() { return own; }`,
  });
  assert.deepEqual(values, ["b", "ab", "b"]);
});

test("the entry may wait at its top level, and its failure is the script's", async () => {
  const values = await reported({ "entry.js": `${report}report(await Promise.resolve(5));` });
  assert.deepEqual(values, [5]);
  await assert.rejects(reported({ "entry.js": `throw new Error("broken");` }), /broken/);
});

test("imports in a circle are refused", () => {
  const files = { "entry.js": `import "./a.js";`, "a.js": `import "./b.js";`, "b.js": `import "./a.js";` };
  assert.throws(() => scriptOf(files), /circle/);
});

for (const form of [
  "export default 1;",
  `export * from "./a.js";`,
  "export let changing = 1;",
  "export const { a } = {};",
  `import a from "node:fs";`,
]) {
  test(`a form that our code does not have is refused: ${form}`, () => {
    assert.throws(() => scriptOf({ "entry.js": form, "a.js": "" }), /not known/);
  });
}
