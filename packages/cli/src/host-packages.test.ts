import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { ConsentItem } from "remora/manager";
import { policyAsker } from "./consent-policy.ts";
import { loadHosts } from "./host-packages.ts";
import { type Hosts, runProgram } from "./program.ts";
import { fakeHouse } from "./testing/fake-house.ts";
import { fakeSystem } from "./testing/fake-system.ts";

function fileWith(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "remora-host-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "host.mjs");
  writeFileSync(file, text);
  return file;
}

test("the program's own hosts are known, and those of packages that are named besides", async (t) => {
  const lines: string[] = [];
  const file = fileWith(
    t,
    `export const pluginHost = ({ log }) => (log("p", "info", "hello"),
      { name: "acme", version: "1.0.0", vocabulary: new Map(), worlds: [] });`,
  );
  const hosts = await loadHosts([file], (...line) => void lines.push(line.join(" ")));
  assert.deepEqual(
    hosts.map(({ name }) => name),
    ["tak", "signalk", "acme"],
  );
  assert.deepEqual(lines, ["p info hello"]);
});

test("what is not there, cannot be loaded or is no host is told by its name", async (t) => {
  for (const name of [
    "@acme/nowhere",
    "./nowhere.js",
    fileWith(t, "export const x = 1;"),
    fileWith(t, "throw 1;"),
  ]) {
    await assert.rejects(
      loadHosts([name], () => {}),
      ({ code, details }) => code === "cli/not-a-host" && details.name === name,
    );
  }
});

test("serving takes a policy file in place of whoever consents", async () => {
  let served: Parameters<Hosts["serve"]>[0] | undefined;
  const policy = { grants: [{ capability: "clock.read" }], denials: [{ capability: "random.read" }] };
  const system = fakeSystem({ files: { "policy.json": new TextEncoder().encode(JSON.stringify(policy)) } });
  const hosts: Hosts = {
    ...fakeHouse().hosts,
    serve: async (options) => {
      served = options;
      setImmediate(() => system.interrupt());
      return { address: "http://127.0.0.1:1", close: async () => {} };
    },
  };
  const args = ["serve", "--policy", "policy.json"];
  assert.equal(await runProgram(args, system, hosts), 0, system.err.text);
  const request = {
    id: "",
    plugin: "p",
    version: "1.0.0",
    digest: "",
    origin: "a test",
    current: undefined,
    trust: { level: "unsigned", text: "" },
    publisher: undefined,
  } as const;
  const item = (capability: string) => ({ capability, why: "", meaning: "", risk: "low" }) as ConsentItem;
  const ask = (...wanted: readonly string[]) => {
    assert.ok(served?.consent !== undefined);
    return policyAsker(served.consent)({ ...request, items: wanted.map(item), granted: [], denied: [] });
  };
  assert.deepEqual(await ask("clock.read", "random.read"), {
    kind: "given",
    items: [item("clock.read")],
    acceptsPublisher: true,
  });
  assert.deepEqual(await ask("clock.read", "fs.private"), { kind: "later" });
});
