import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runProgram } from "./program.ts";
import { realSystem } from "./system.ts";
import { renamed, templateNames } from "./templates.ts";
import { expectAnswers } from "./testing/begun-plugin.ts";
import { fakeHouse } from "./testing/fake-house.ts";
import { fakeSystem } from "./testing/fake-system.ts";

const { hosts } = fakeHouse();
const cache = fileURLToPath(new URL("../../../.cache/", import.meta.url));

async function run(args: readonly string[], files: Readonly<Record<string, Uint8Array>> = {}) {
  const system = fakeSystem({ files });
  const exitCode = await runProgram(["new", ...args], system, hosts);
  return { exitCode, out: system.out.text, err: system.err.text, files: system.files };
}

for (const template of templateNames) {
  test(`${template} gives the same files in the folder and in its JSON, all with the plugin's own name`, async () => {
    const { exitCode, out, files } = await run([template, join("plugins", "depth-watch"), "--json"]);
    assert.equal(exitCode, 0);
    const made: { name: string; files: string[] } = JSON.parse(out);
    assert.equal(made.name, "depth-watch");
    assert.deepEqual(
      [...files.keys()].toSorted(),
      made.files.map((path) => join("plugins", "depth-watch", path)).toSorted(),
    );
    for (const bytes of files.values()) assert.doesNotMatch(Buffer.from(bytes).toString(), /my-plugin/);
    assert.match((await run([template, "depth-watch"])).out, /^made {6}depth-watch from/);
  });
}

test("what a template writes otherwise is in it: a text that somebody has renamed there is no silent leftover", () => {
  const files = [
    { path: "a", text: "one two" },
    { path: "b", text: "three" },
  ];
  assert.deepEqual(
    renamed(files, [
      ["two", "2"],
      ["three", "two"],
    ]),
    [
      { path: "a", text: "one 2" },
      { path: "b", text: "two" },
    ],
  );
  assert.throws(() => renamed(files, [["four", "4"]]), /"four"/);
});

test("a folder in which something is stays as it is", async () => {
  const there = { "harbour/notes.txt": new Uint8Array([1]) };
  const { exitCode, err, files } = await run(["tak/assemblyscript", "harbour"], there);
  assert.equal(exitCode, 1);
  assert.match(err, /^cli\/cannot-write: .*notes\.txt/);
  assert.deepEqual([...files.keys()], Object.keys(there));
});

test("a name that no manifest may have is refused, and nothing is written", async () => {
  for (const name of ["Harbour", "har_bour", "9harbour", "har--bour", "-", "a".repeat(65)]) {
    const { exitCode, err, files } = await run(["tak/assemblyscript", "--", name]);
    assert.equal(exitCode, 1, name);
    assert.match(err, /^cli\/bad-value: .*lower-case letters/);
    assert.equal(files.size, 0);
  }
});

test("a template that there is not is a usage error", async () => {
  const { exitCode, err } = await run(["tak/cobol", "harbour"]);
  assert.equal(exitCode, 2);
  assert.match(err, /tak\/assemblyscript/);
});

test("without a template it lists them, and what each needs", async () => {
  const { exitCode, out } = await run([]);
  assert.equal(exitCode, 0);
  const lines = out.trimEnd().split("\n").slice(1);
  assert.deepEqual(
    lines.map((line) => line.split(" ")[0]),
    templateNames,
  );
  const { templates } = JSON.parse((await run(["--json"])).out);
  assert.deepEqual(templates[1], {
    name: "signalk/c",
    what: "shows the depth as its status",
    needs: "make, clang and lld",
    build: "make",
  });
  assert.equal((await run(["tak/c"])).exitCode, 2);
});

/** In the repository, where the compiler is found above it; the others are in the tests of tools. */
for (const template of ["signalk/assemblyscript", "tak/assemblyscript"] as const) {
  test(`a new ${template} does what its README says, on the host that it is installed on`, async (t) => {
    mkdirSync(cache, { recursive: true });
    const above = mkdtempSync(join(cache, "new-"));
    t.after(() => rmSync(above, { recursive: true, force: true }));
    const [folder, bundle] = [join(above, "begun"), join(above, "begun.bundle")];
    const system = { ...realSystem(), out: fakeSystem().out };
    assert.equal(await runProgram(["new", template, folder], system, hosts), 0);
    const isWindows = process.platform === "win32";
    execFileSync("npm", ["run", "build"], { cwd: folder, stdio: "pipe", shell: isWindows });
    assert.equal(await runProgram(["pack", folder, "-o", bundle], system, hosts), 0);
    await expectAnswers(t, { template, name: "begun", bundle, folder: join(above, "host") });
  });
}
