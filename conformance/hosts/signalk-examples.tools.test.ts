/**
 * The example plugins of the real signalk-server, compiled from their sources as their authors say, on the small
 * host: unmodified, and with the answers that its documentation promises. Needs its repository, and npm's registry.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { type RunningSignalk, runSignalk } from "@remora/signalk";
import { suiteFolder } from "../suites.ts";

const server = {
  name: "signalk-server",
  url: "https://github.com/SignalK/signalk-server.git",
  commit: "9edfbf958eb7addb69140a605b4d21a0df249fdc",
};
const temporary = mkdtempSync(join(tmpdir(), "remora-signalk-examples-"));
after(() => rmSync(temporary, { recursive: true, force: true }));

/** Builds one of them; skips the test with the reason where it cannot be. */
function example(t: TestContext, name: string): string | undefined {
  const suite = suiteFolder(server);
  if ("missing" in suite) {
    t.skip(suite.missing);
    return undefined;
  }
  const modules = join(temporary, name);
  const folder = join(modules, name);
  cpSync(join(suite.folder, "examples/wasm-plugins", name), folder, { recursive: true });
  const npm = (...args: string[]) =>
    execFileSync("npm", args, { cwd: folder, stdio: "pipe", timeout: 240_000 });
  try {
    npm("install", "--ignore-scripts", "--no-audit", "--no-fund");
  } catch (error) {
    // Without a registry there is no compiler. That it does not compile would be another thing, and fails below.
    t.skip(`npm install: ${error instanceof Error ? error.message.split("\n")[0] : error}`);
    return undefined;
  }
  npm("run", "build");
  return modules;
}

async function boat(t: TestContext, modules: string) {
  const host: RunningSignalk = await runSignalk({
    dataFolder: modules,
    modulesFolders: [modules],
    port: 0,
    log: () => {},
    // Other programs of the machine are not the plugins' fault.
    plugins: { guestClock: threadTimeMs },
    settingsDefault: { enabled: true, enableDebug: false, configuration: {} },
  });
  t.after(() => host.close());
  const request = async (path: string, method = "GET", body?: unknown) => {
    const response = await fetch(`http://127.0.0.1:${host.http.port}${path}`, {
      method,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { "Content-Type": "application/json" },
      }),
    });
    // biome-ignore lint/suspicious/noExplicitAny: a test looks into whatever JSON came back
    return { status: response.status, json: (await response.json().catch(() => undefined)) as any };
  };
  return { ...host, request };
}

function threadTimeMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

test("hello: it greets with a notification, and serves its endpoints though it does not declare them", async (t) => {
  const modules = example(t, "example-hello-assemblyscript");
  if (modules === undefined) return;
  const { request, plugins } = await boat(t, modules);
  const id = "_signalk_example-hello-assemblyscript";
  assert.equal(plugins.get(id)?.state, "running", String(plugins.get(id)?.statusMessage));
  const greeting = await request("/signalk/v1/api/vessels/self/notifications/hello");
  assert.equal(greeting.json.$source, id);
  for (const path of ["info", "status"]) {
    const { status, json } = await request(`/plugins/${id}/api/${path}`);
    assert.equal(status, 200);
    assert.equal(typeof json, "object");
  }
});

test("routes and waypoints: what it has is listed, and what is put is there, until it is deleted", async (t) => {
  const modules = example(t, "example-routes-waypoints");
  if (modules === undefined) return;
  const { request, plugins } = await boat(t, modules);
  const [plugin] = plugins.all();
  assert.equal(plugin?.state, "running", String(plugin?.statusMessage));
  const base = "/signalk/v2/api/resources/waypoints";
  const marina = "a1b2c3d4-0001-4000-8000-000000000001";
  const { json } = await request(base);
  assert.equal(json[marina].name, "Helsinki Marina");
  assert.equal((await request(`${base}/${marina}`)).json.name, "Helsinki Marina");
  assert.equal((await request(`${base}/${marina}`, "DELETE")).status, 200);
  assert.equal((await request(`${base}/${marina}`)).status, 404);
});
