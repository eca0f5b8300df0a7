import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const files = {
  "fails.test.mjs": `import { describe, test } from "node:test";
describe("all of them", () => {
  test("holds", () => {});
  test("does not hold", () => { throw new Error("no"); });
});`,
  "dies.test.mjs": `import { test } from "node:test";
test("holds", () => {});
process.exit(3);`,
  "waits.test.mjs": `import { test } from "node:test";
test("holds", () => new Promise((resolve) => setImmediate(resolve)));`,
};

/** What is printed of a run of these files, without the context that this test runs in. */
async function printed(names: readonly (keyof typeof files)[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "remora-reporter-"));
  try {
    for (const name of names) writeFileSync(join(folder, name), files[name]);
    const reporter = `--test-reporter=${join(import.meta.dirname, "test-reporter.ts")}`;
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    return await new Promise((resolve) => {
      execFile(process.execPath, ["--test", reporter, ...names], { cwd: folder, env }, (_error, stdout) =>
        resolve(stdout),
      );
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("the last lines of a run are its slowest files and each failure by its place", async () => {
  const text = await printed(["fails.test.mjs", "dies.test.mjs"]);
  const [runner = "", summary = ""] = text.split("slowest of 2 test files:");
  assert.match(runner, /✔ holds/);
  assert.match(runner, /failing tests:/);
  const lines = summary.trimEnd().split("\n");
  assert.deepEqual(
    lines
      .slice(1, 3)
      .map((line) => line.replace(/^ +[\d.]+ s {2}/, ""))
      .sort(),
    ["dies.test.mjs", "fails.test.mjs"],
  );
  assert.equal(lines[3], "2 failed:");
  assert.match(
    lines.slice(4).sort().join("\n"),
    /dies\.test\.mjs: did not end well\n.*fails\.test\.mjs:4: does not hold$/,
  );
});

test("a run without failures says so in its last line", async () => {
  const text = await printed(["waits.test.mjs"]);
  assert.match(text, /\nslowest of 1 test files:\n +[\d.]+ s {2}waits\.test\.mjs\nnone failed\n$/);
});
