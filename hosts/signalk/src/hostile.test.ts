/**
 * Plugins that mean harm, and a host that has others to serve. While each does its worst, requests of others are
 * answered within 50 ms.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { systemClock } from "./clock.ts";
import { type Boat, boatWith, type PluginPackage } from "./testing/boats.ts";
import { answering, call, type GuestText } from "./testing/guest-text.ts";

const two = "(param i32 i32)";
const answeredWithinMs = 50;
/** By the clock, on a machine that is busy with others; a plugin that hangs in its start does so for 120 s. */
const waitedMsMax = 20_000;
/** Other tests share the processor: of several looks the quickest is the host's own doing. */
const looks = 5;

const endpoint: GuestText = {
  texts: {
    endpoints: '[{"method":"GET","path":"/go","handler":"go"}]',
    page: '{"statusCode":200,"body":"done"}',
  },
};

function going(go: string, more: GuestText = {}): GuestText {
  return {
    ...more,
    texts: { ...endpoint.texts, ...more.texts },
    functions: `${answering("http_endpoints", "endpoints", "out")} ${answering("go", "page", "request", go)} ${more.functions ?? ""}`,
  };
}

const loop = "(loop $ever (br $ever))";
/** Stores that miss every cache: slow for their fuel. */
const slowLoop = `(local $at i32) (loop $ever
  (i32.store (i32.and (local.get $at) (i32.const 0x3fff0)) (i32.const 1))
  (local.set $at (i32.add (local.get $at) (i32.const 4112))) (br $ever))`;
const recursion = `(call $deep)`;
const flood = `(loop $ever ${call("sk_handle_message", "delta")} (br $ever))`;
const paths = '{"updates":[{"values":[{"path":"flood","value":1}]}]}';

const harm: readonly (readonly [what: string, guest: GuestText])[] = [
  ["loops", going(loop)],
  ["loops over memory", going(slowLoop)],
  ["traps", going("(unreachable)")],
  ["recurses", going(recursion, { functions: "(func $deep (call $deep))" })],
  ["grows its memory", going("(loop $ever (drop (memory.grow (i32.const 1))) (br $ever))")],
  [
    "fills its memory",
    going("(loop $ever (memory.fill (i32.const 0) (i32.const 1) (i32.const 262144)) (br $ever))"),
  ],
  ["floods deltas", going(flood, { imports: { sk_handle_message: two }, texts: { delta: paths } })],
  [
    "floods the log",
    going(flood.replaceAll("sk_handle_message", "sk_debug"), {
      imports: { sk_debug: two },
      texts: { delta: "x" },
    }),
  ],
];

for (const [what, guest] of harm) {
  test(`a plugin that ${what} is ended, and others are answered meanwhile`, async (t) => {
    const boat = await withWitness(t, [{ name: "harm", guest }]);
    const times: number[] = [];
    for (let look = 0; look < looks; look++) {
      const broken = boat.fetch("/plugins/harm/go");
      times.push(await witnessMs(boat));
      assert.notEqual((await broken).status, 200);
      await boat.plugins.get("harm")?.start();
    }
    assert.ok(Math.min(...times) < answeredWithinMs, `answered after ${times.map(Math.round).join(", ")} ms`);
  });
}

test("a plugin that loops at each delta costs the stream of deltas nothing but its own calls", async (t) => {
  const guest = { functions: `(func (export "delta_handler") (param i32 i32) ${loop})` };
  const boat = await withWitness(t, [{ name: "harm", guest }]);
  const times: number[] = [];
  for (let index = 0; index < 200; index++) {
    boat.server.input({ updates: [{ values: [{ path: "a", value: index }] }] }, "x");
    if (index % 40 === 0) times.push(await witnessMs(boat));
  }
  assert.ok(Math.min(...times) < answeredWithinMs);
  assert.equal(boat.plugins.get("harm")?.state, "crashed");
  assert.equal((await boat.fetch("/signalk/v1/api/vessels/self/a/value")).json, 199);
});

test("two plugins that answer each delta with another do not hold up the host", async (t) => {
  const echo = (path: string): GuestText => ({
    imports: { sk_handle_message: two },
    texts: { delta: `{"updates":[{"values":[{"path":"${path}","value":1}]}]}` },
    functions: `(func (export "delta_handler") (param i32 i32) ${call("sk_handle_message", "delta")})`,
  });
  const boat = await withWitness(t, [
    { name: "ping", guest: echo("ping") },
    { name: "pong", guest: echo("pong") },
  ]);
  boat.server.input({ updates: [{ values: [{ path: "start", value: 1 }] }] }, "x");
  const times: number[] = [];
  for (let look = 0; look < looks; look++) times.push(await witnessMs(boat));
  assert.ok(Math.min(...times) < answeredWithinMs, `answered after ${times.map(Math.round).join(", ")} ms`);
  assert.ok(boat.server.deltaCount > 10, "they are still at it");
});

test("a plugin that loops in plugin_start costs one call, and others are answered meanwhile", async (t) => {
  const boat = await withWitness(t, [{ name: "harm", guest: { start: `${loop} (i32.const 0)` } }]);
  assert.equal(boat.plugins.get("harm")?.state, "crashed");
  const times: number[] = [];
  for (let look = 0; look < looks; look++) {
    const again = boat.plugins.get("harm")?.start() ?? Promise.resolve();
    const ended = again.then(
      () => "it started",
      () => "ended",
    );
    times.push(await witnessMs(boat));
    assert.equal(await ended, "ended");
  }
  assert.ok(Math.min(...times) < answeredWithinMs, `answered after ${times.map(Math.round).join(", ")} ms`);
});

test("a plugin that hangs in plugin_start holds up neither its settings nor anybody else", async (t) => {
  const silent = createServer(() => {});
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  t.after(() => silent.close());
  const { port } = silent.address() as AddressInfo;
  const { fetchingPlugin } = await import("./testing/fetching-plugin.ts");
  const boat = await withWitness(
    t,
    [
      {
        name: "harm",
        guest: await fetchingPlugin(`http://127.0.0.1:${port}/`),
        capabilities: { network: true },
      },
    ],
    { plugins: { networkAddresses: ["127.0.0.1"] }, clock: systemClock },
  );
  assert.equal(boat.plugins.get("harm")?.state, "starting");
  const startedMs = performance.now();
  const saved = await boat.fetch("/plugins/harm/config", {
    method: "POST",
    body: { enabled: true, configuration: {} },
  });
  assert.equal(saved.status, 200);
  assert.ok(performance.now() - startedMs < waitedMsMax);
  const times: number[] = [];
  for (let look = 0; look < looks; look++) times.push(await witnessMs(boat));
  assert.ok(Math.min(...times) < answeredWithinMs, `answered after ${times.map(Math.round).join(", ")} ms`);
  await boat.fetch("/plugins/harm/config", { method: "POST", body: { enabled: false } });
  assert.equal(boat.plugins.get("harm")?.state, "stopped");
});

test("a plugin whose memory is larger than it may be is refused, and one that grows gets no more", async (t) => {
  const wat = `(module (memory (export "memory") 1000) (func (export "allocate") (param i32) (result i32) (i32.const 0))
    (func (export "plugin_start") (param i32 i32) (result i32) (i32.const 0)))`;
  const { parse } = await import("@bytecodealliance/jco-transpile/wasm-tools");
  const boat = await boatWith(t, [{ name: "large", guest: await parse(wat) }]);
  assert.equal(boat.plugins.get("large")?.state, "error");
  const growing: GuestText = { start: "(i32.ne (memory.grow (i32.const 30000)) (i32.const -1))" };
  const other = await boatWith(t, [{ name: "p", guest: growing }]);
  assert.equal(other.plugins.get("p")?.state, "running", "its growth was refused, which it took well");
});

test("a schema or a name that is no such thing stops nobody but its plugin", async (t) => {
  const boat = await boatWith(t, [
    { name: "bad-schema", guest: { schema: "{" } },
    { name: "escape", guest: { name: "\u001b[31mred\u0000" } },
    { name: "no-module", guest: new Uint8Array([1, 2, 3]) },
  ]);
  assert.equal(boat.plugins.get("bad-schema")?.state, "error");
  assert.equal(boat.plugins.get("no-module")?.state, "error");
  assert.doesNotMatch(boat.plugins.get("escape")?.name ?? "", /\p{Cc}/u);
  assert.equal((await boat.fetch("/plugins")).json.length, 3);
});

/** A host with these plugins, and a peaceful one that is asked. */
async function withWitness(t: TestContext, packages: readonly PluginPackage[], options = {}): Promise<Boat> {
  const peaceful = going("(nop)");
  const boat = await boatWith(t, [...packages, { name: "witness", guest: peaceful }], options);
  // The first requests of a process compile their way; it is the others that count.
  for (let warmUp = 0; warmUp < 10; warmUp++) await witnessMs(boat);
  return boat;
}

/**
 * Until others are answered: processor time of this thread, on which all of the host runs, so that the programs beside
 * it do not count; and a host that does not work but waits is found by the clock.
 */
async function witnessMs(boat: Boat): Promise<number> {
  const startedMs = performance.now();
  const startedAt = process.threadCpuUsage();
  const [answer, model] = await Promise.all([boat.fetch("/plugins/witness/go"), boat.fetch("/signalk")]);
  assert.equal(answer.text, "done");
  assert.equal(model.status, 200);
  assert.ok(performance.now() - startedMs < waitedMsMax);
  const { user, system } = process.threadCpuUsage(startedAt);
  return (user + system) / 1_000;
}
