/**
 * Plugins that mean harm, in both forms as processes of their own: signalk-server with this host, and the small server.
 * Whatever a plugin does, others are answered.
 */

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { answering, call, type GuestText, guestBytes } from "../../hosts/signalk/src/testing/guest-text.ts";
import { type Form, openRealServer, type RealServer, until, whyNoServer } from "./real-server.ts";

const two = "(param i32 i32)";
const delta = '{"updates":[{"values":[{"path":"flood","value":1}]}]}';

/** By its name: what a plugin does when it is asked. */
const harm: Readonly<Record<string, string>> = {
  loop: "(loop $ever (br $ever))",
  trap: "(unreachable)",
  grow: "(loop $ever (drop (memory.grow (i32.const 1))) (br $ever))",
  flood: `(loop $ever ${call("sk_handle_message", "delta")} (br $ever))`,
};

const harmful: GuestText = {
  imports: { sk_handle_message: two },
  texts: {
    delta,
    page: '{"statusCode":200,"body":"done"}',
    endpoints: JSON.stringify(
      Object.keys(harm).map((name) => ({ method: "GET", path: `/api/${name}`, handler: name })),
    ),
  },
  functions: `${answering("http_endpoints", "endpoints", "out")} ${Object.entries(harm)
    .map(([name, does]) => answering(name, "page", "request", does))
    .join("\n")}`,
};

const looping: GuestText = { start: `${harm.loop} (i32.const 0)` };

const answeredWithinMs = 50;
/** Other programs share the processor's caches: of several looks the quickest is the server's own doing. */
const looks = 10;

async function installed(t: TestContext, guests: Readonly<Record<string, GuestText>>) {
  const folder = await mkdtemp(join(tmpdir(), "remora-signalk-hostile-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const plugins: { readonly folder: string }[] = [];
  for (const [name, guest] of Object.entries(guests)) {
    const at = await mkdtemp(join(folder, name));
    const manifest = { name, version: "1.0.0", keywords: ["signalk-wasm-plugin"], wasmManifest: "a.wasm" };
    await writeFile(join(at, "package.json"), JSON.stringify(manifest));
    await writeFile(join(at, "a.wasm"), await guestBytes(guest));
    plugins.push({ folder: at });
  }
  return plugins;
}

const stateOf = (body: unknown, plugin: string): unknown =>
  (body as readonly { id: string; state?: string }[]).find(({ id }) => id === plugin)?.state; // the server's own answer

/**
 * Until others are answered: processor time of the thread on which all of the server runs, where the system tells it, so
 * that programs beside it do not count; else by the clock.
 */
async function answeredMs(server: RealServer): Promise<number> {
  const startedMs = await timeMs(server);
  assert.equal((await server.request("/signalk")).status, 200);
  return (await timeMs(server)) - startedMs;
}

async function timeMs({ pid }: RealServer): Promise<number> {
  // Linux, "proc_pid_task_schedstat": nanoseconds on the processor, first of three numbers.
  const told = await readFile(`/proc/${pid}/task/${pid}/schedstat`, "utf8").catch(() => undefined);
  return told === undefined ? performance.now() : Number(told.split(" ")[0]) / 1e6;
}

for (const form of ["ours", "small"] satisfies Form[]) {
  test(`${form}: whatever a plugin does, others are answered within ${answeredWithinMs} ms`, async (t) => {
    const missing = await whyNoServer();
    if (missing !== undefined) return t.skip(missing);
    const server = await openRealServer(t, form, await installed(t, { harmful, looping }));
    await until(server, "/skServer/plugins", ({ body }) => stateOf(body, "harmful") === "running");
    const settings = { enabled: true, configuration: {} };
    for (let warmUp = 0; warmUp < 20; warmUp++) await answeredMs(server);
    for (const name of [...Object.keys(harm), "start"]) {
      const times: number[] = [];
      for (let look = 0; look < looks; look++) {
        const done =
          name === "start"
            ? server.request("/plugins/looping/config", "POST", settings)
            : server.request(`/plugins/harmful/api/${name}`);
        times.push(await answeredMs(server));
        assert.equal((await done).status, name === "start" ? 200 : 502, name);
        if (name !== "start") await server.request("/plugins/harmful/config", "POST", settings);
        await until(server, "/skServer/plugins", ({ body }) => stateOf(body, "harmful") === "running");
      }
      assert.ok(Math.min(...times) < answeredWithinMs, `${name}: ${times.map(Math.round).join(", ")} ms`);
    }
  });
}
