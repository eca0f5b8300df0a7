import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { runSignalk } from "@remora/signalk";
import { load } from "remora";
import { giveAll } from "remora/manager";
import { runProgram } from "./program.ts";
import { realSystem } from "./system.ts";
import { templateNames } from "./templates.ts";
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

/** In the repository, where the compilers are found above it. */
async function built(t: TestContext, template: string): Promise<string> {
  mkdirSync(cache, { recursive: true });
  const above = mkdtempSync(join(cache, "new-"));
  t.after(() => rmSync(above, { recursive: true, force: true }));
  const folder = join(above, "begun");
  const system = { ...realSystem(), out: fakeSystem().out };
  assert.equal(await runProgram(["new", template, folder], system, hosts), 0);
  execFileSync("npm", ["run", "build"], { cwd: folder, stdio: "pipe", shell: process.platform === "win32" });
  assert.equal(await runProgram(["pack", folder, "-o", join(above, "begun.bundle")], system, hosts), 0);
  return above;
}

test("a new TAK plugin is a filter that passes what is inside its area", async (t) => {
  const above = await built(t, "tak/assemblyscript");
  const plugin = await load(readFileSync(join(above, "begun/build/plugin.wasm")));
  const message = { cotType: "a-f-G", uid: "one", time: "2026-11-21T12:00:00Z", lat: 52, lon: 4.3 };
  assert.equal(plugin.call(["filter", "evaluate"], [message]).result, "pass");
  assert.equal(plugin.call(["filter", "evaluate"], [{ ...message, lat: 53 }]).result, "block");
});

test("a new Signal K plugin shows the depth, on the host that it is installed on", async (t) => {
  const above = await built(t, "signalk/assemblyscript");
  const host = await runSignalk({
    dataFolder: join(above, "data"),
    modulesFolders: [],
    port: 0,
    log: () => {},
    settingsDefault: { enabled: true, enableDebug: false, configuration: {} },
    bundles: { folder: join(above, "plugins"), policy: { trust: "unsigned" }, asker: giveAll },
  });
  t.after(() => host.close());
  const turn = () => fetch(`http://127.0.0.1:${host.http.port}/signalk`).then((response) => response.text());
  await host.bundles?.manager.install(join(above, "begun.bundle"));
  while (host.bundles?.all().some(({ state }) => state === "starting")) await turn();
  const path = "environment.depth.belowTransducer";
  host.server.input({ updates: [{ values: [{ path, value: 4.5 }] }] }, "test");
  await turn();
  assert.equal(host.bundles?.get("begun")?.statusMessage, "Depth is 4.5 m");
});
