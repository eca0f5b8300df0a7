/** A plugin that steers, as a plotter commands it: through HTTP. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { boatWith } from "../testing/boats.ts";
import { answering, call, type GuestText } from "../testing/guest-text.ts";

const base = "/signalk/v2/api/vessels/self/autopilots";

/** Writes what it is asked to the log. */
const asked = "(call $sk_debug (local.get $text) (local.get $length))";

const pilot: GuestText = {
  name: "Pilot",
  imports: { sk_register_autopilot_provider: "(param i32 i32) (result i32)", sk_debug: "(param i32 i32)" },
  texts: {
    devices: '["ap1","ap2"]',
    data: '{"options":{"states":["auto"]},"state":"auto"}',
    state: '"auto"',
    nothing: "",
    refusal: '{"error":"No wind"}',
  },
  start: `(i32.eqz ${call("sk_register_autopilot_provider", "devices")})`,
  functions: [
    ["get_data", "data"],
    ["get_state", "state"],
    ...["set_state", "set_target", "adjust_target", "engage", "dodge", "gybe"].map((name) => [
      name,
      "nothing",
    ]),
    ["tack", "refusal"],
  ]
    .map(([name = "", text = ""]) => answering(`autopilot_${name}`, text, "request", asked))
    .join("\n"),
};

async function boat(t: TestContext, capabilities: object = { autopilotProvider: true }) {
  const running = await boatWith(t, [{ name: "pilot", guest: pilot, capabilities: { ...capabilities } }]);
  const ask = async (path: string, method = "GET", body?: unknown) => {
    running.lines.length = 0;
    const { status, json } = await running.fetch(base + path, {
      method,
      ...(body !== undefined && { body }),
    });
    const line = running.lines.find((each) => each.startsWith("pilot: {"));
    return { status, json, asked: line === undefined ? undefined : JSON.parse(line.slice(7)) };
  };
  return { ...running, ask };
}

test("its devices are listed with the plugin's name, one of them the default", async (t) => {
  const { ask } = await boat(t);
  assert.deepEqual((await ask("")).json, {
    ap1: { provider: "pilot", isDefault: true },
    ap2: { provider: "pilot", isDefault: false },
  });
  assert.equal((await ask("/_providers/_default/ap2", "POST", {})).status, 200);
  assert.deepEqual((await ask("/_providers/_default")).json, { id: "ap2" });
  assert.deepEqual((await ask("/_default/engage", "POST", {})).asked, { deviceId: "ap2" });
  assert.equal((await ask("/_providers/_default/nobody", "POST", {})).status, 400);
});

test("what it says of itself is shown", async (t) => {
  const { ask } = await boat(t);
  assert.deepEqual((await ask("/ap1")).json, { options: { states: ["auto"] }, state: "auto" });
  assert.deepEqual((await ask("/ap1/options")).json, { states: ["auto"] });
  assert.deepEqual((await ask("/ap1/state")).json, { value: "auto" });
});

for (const [method, path, body, expected] of [
  ["PUT", "/state", { value: "auto" }, { value: "auto" }],
  ["PUT", "/target", { value: 90, units: "deg" }, { value: Math.PI / 2 }],
  ["PUT", "/target", { value: 100 }, { value: 2 * Math.PI }],
  ["PUT", "/target/adjust", { value: -0.1 }, { value: -0.1 }],
  ["POST", "/gybe/port", {}, { direction: "port" }],
  ["POST", "/dodge", {}, { value: 0 }],
  ["PUT", "/dodge", { value: -3 }, { value: -Math.PI / 9 }],
  ["DELETE", "/dodge", undefined, { value: null }],
] as const) {
  test(`${method} ${path} with ${JSON.stringify(body)} asks for ${JSON.stringify(expected)}`, async (t) => {
    const { ask } = await boat(t);
    const { status, asked: request } = await ask(`/ap1${path}`, method, body);
    assert.equal(status, 200);
    assert.deepEqual(request, { deviceId: "ap1", ...expected });
  });
}

for (const [method, path, body, status] of [
  ["PUT", "/ap1/state", {}, 400],
  ["PUT", "/ap1/target", { value: "north" }, 400],
  ["POST", "/ap3/engage", {}, 400],
  ["POST", "/ap1/tack/port", {}, 502],
  ["POST", "/ap1/disengage", {}, 502],
] as const) {
  test(`${method} ${path} with ${JSON.stringify(body)} is ${status}`, async (t) => {
    assert.equal((await (await boat(t)).ask(path, method, body)).status, status);
  });
}

test("without the capability it steers nothing, and a plugin that stops takes its devices with it", async (t) => {
  const denied = await boat(t, {});
  assert.deepEqual((await denied.ask("")).json, {});
  assert.ok(denied.plugins.get("pilot")?.state === "error");
  const { ask, plugins } = await boat(t);
  await plugins.get("pilot")?.stop();
  assert.deepEqual((await ask("")).json, {});
  assert.equal((await ask("/_default/engage", "POST", {})).status, 400);
});
