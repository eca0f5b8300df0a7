/** Notifications and what people do about them, through HTTP. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { boatWith } from "../testing/boats.ts";
import { alarmsMax } from "./notifications.ts";

const base = "/signalk/v2/api/notifications";

async function boat(t: TestContext) {
  const { server, fetch, clock } = await boatWith(t, []);
  const tell = (value: unknown, name = "depth", source = "sounder") =>
    server.input({ updates: [{ values: [{ path: `notifications.${name}`, value }] }] }, source);
  const shown = async (name = "depth") =>
    (await fetch(`/signalk/v1/api/vessels/self/notifications/${name}/value`)).json;
  const act = async (path: string, method = "POST", body?: unknown) =>
    fetch(`${base}${path}`, { method, ...(body !== undefined && { body }) });
  return { server, fetch, clock, tell, shown, act };
}

const shallow = { state: "alarm", method: ["visual", "sound"], message: "Shallow" };
const status = {
  silenced: false,
  acknowledged: false,
  canSilence: true,
  canAcknowledge: true,
  canClear: false,
};

test("a notification has an id and a status, and keeps both while it stands", async (t) => {
  const { tell, shown, act } = await boat(t);
  tell(shallow);
  const first = await shown();
  assert.deepEqual(first, { ...shallow, id: first.id, status });
  tell({ ...shallow, message: "Still shallow" });
  assert.equal((await shown()).id, first.id);
  tell(shallow, "depth", "another");
  assert.equal(Object.keys((await act("", "GET")).json).length, 2, "each source has its own");
  assert.deepEqual((await act(`/${first.id}`, "GET")).json.value.status, status);
});

test("one that is silenced makes no sound, one that is acknowledged shows nothing, until it comes again", async (t) => {
  const { tell, shown, act } = await boat(t);
  tell(shallow);
  const { id } = await shown();
  assert.equal((await act(`/${id}/silence`)).status, 200);
  assert.deepEqual((await shown()).method, ["visual"]);
  tell(shallow);
  assert.deepEqual((await shown()).method, ["visual"], "its instrument says it again");
  assert.equal((await act(`/${id}/silence`)).status, 400);
  assert.equal((await act(`/${id}/acknowledge`)).status, 200);
  assert.deepEqual((await shown()).method, []);
  assert.equal((await act(`/${id}/acknowledge`)).status, 400);
  tell({ ...shallow, state: "normal" });
  tell(shallow);
  assert.deepEqual(await shown(), { ...shallow, id, status });
  assert.equal((await act(`/${id}`, "DELETE")).status, 400, "an instrument's own is not cleared by hand");
});

test("an emergency is not silenced, and stays visible when it is acknowledged", async (t) => {
  const { tell, shown, act } = await boat(t);
  tell({ ...shallow, state: "emergency" });
  const { id } = await shown();
  assert.equal((await act(`/${id}/silence`)).status, 400);
  await act("/silenceAll");
  assert.deepEqual((await shown()).method, ["visual", "sound"]);
  await act("/acknowledgeAll");
  await act("/acknowledgeAll");
  assert.deepEqual((await shown()).method, ["visual"]);
});

test("nothing told of it means that it is over", async (t) => {
  const { tell, shown } = await boat(t);
  tell(shallow);
  tell(null);
  const { state, method, message } = await shown();
  assert.deepEqual([state, method, message], ["normal", [], ""]);
});

test("what an NMEA 2000 alert says of itself is heard", async (t) => {
  const { tell, shown } = await boat(t);
  tell({ ...shallow, acknowledgeStatus: "Yes", temporarySilenceSupport: "No" });
  const told = (await shown()).status;
  assert.deepEqual([told.acknowledged, told.canSilence], [true, false]);
});

test("somebody over board is an emergency at a place and a time, which is cleared by hand", async (t) => {
  const { server, shown, act, fetch } = await boat(t);
  const here = { latitude: 1, longitude: 2 };
  server.input({ updates: [{ values: [{ path: "navigation.position", value: here }] }] }, "gps");
  const { id } = (await act("/mob", "POST", {})).json;
  const { value } = (await fetch(`/signalk/v1/api/vessels/self/notifications/mob/${id}`)).json;
  assert.deepEqual(
    [value.state, value.message, value.position, value.createdAt],
    ["emergency", "Person Overboard!", here, "2026-01-01T00:00:00.000Z"],
  );
  assert.equal((await act(`/${id}`, "PUT", { message: "Aboard again", state: "warn" })).status, 200);
  assert.equal((await act(`/${id}`, "DELETE")).status, 200);
  assert.equal((await shown(`mob/${id}`)).state, "normal");
});

for (const [path, method, body, code] of [
  ["", "POST", {}, 400],
  ["", "POST", { state: "loud", message: "x" }, 400],
  ["", "POST", { state: "warn", message: "x", path: "a b" }, 400],
  ["", "POST", { state: "warn", message: 7 }, 400],
  ["/nothing/silence", "POST", undefined, 400],
  ["/c0d79334-4e25-4245-8892-54e8ccc8021d/silence", "POST", undefined, 400],
  ["/c0d79334-4e25-4245-8892-54e8ccc8021d", "GET", undefined, 404],
] as const) {
  test(`${method} ${path} with ${JSON.stringify(body)} is ${code}`, async (t) => {
    const { act } = await boat(t);
    assert.equal((await act(path, method, body)).status, code);
  });
}

test("no flood of notifications fills the server; what has been normal for a minute makes room", async (t) => {
  const { tell, shown, act, clock } = await boat(t);
  const quiet = { ...shallow, state: "normal" };
  for (let index = 0; index <= alarmsMax; index++) tell(quiet, `n${index}`);
  assert.equal(Object.keys((await act("", "GET")).json).length, alarmsMax);
  assert.equal((await shown(`n${alarmsMax}`)).id, undefined);
  assert.equal((await act("", "POST", { state: "warn", message: "x" })).status, 400);
  clock.move(60_000);
  tell(shallow);
  assert.ok((await shown()).id !== undefined);
});
