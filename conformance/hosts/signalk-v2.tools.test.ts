/**
 * Version 2 of the interfaces: the small server of this host answers as signalk-server does, but for the differences here,
 * each with its reason.
 */

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { answering, call, type GuestText, guestBytes } from "../../hosts/signalk/src/testing/guest-text.ts";
import type { Deviation } from "./deviations.ts";
import { differencesOf } from "./differences.ts";
import {
  type Answer,
  type Form,
  openRealServer,
  type RealServer,
  until,
  whyNoServer,
} from "./real-server.ts";
import { plain } from "./transcript.ts";

const course = "/signalk/v2/api/vessels/self/navigation/course";
const notifications = "/signalk/v2/api/notifications";
const self = "/signalk/v1/api/vessels/self";
const there = { latitude: 53, longitude: 5 };

type Step = readonly [path: string, method?: string, body?: unknown];

const autopilots = "/signalk/v2/api/vessels/self/autopilots";

/** Without a provider. */
const autopilotSteps: readonly Step[] = [[autopilots], [`${autopilots}/_providers/_default`]];

const courseSteps: readonly Step[] = [
  [course],
  [`${course}/_config`],
  [`${course}/destination`, "PUT", { position: there, arrivalCircle: 50 }],
  [course],
  [`${course}/arrivalCircle`, "PUT", { value: 20 }],
  [`${course}/arrivalCircle`, "PUT", { value: -1 }],
  [`${course}/arrivalCircle/meta`],
  [`${course}/targetArrivalTime`, "PUT", { value: "2030-01-01T00:00:00Z" }],
  [`${course}/targetArrivalTime`, "PUT", { value: "soon" }],
  [`${course}/restart`, "PUT", {}],
  [course],
  [`${course}/destination`, "PUT", { href: "/resources/waypoints/c0d79334-4e25-4245-8892-54e8ccc80210" }],
  [`${course}/activeRoute`, "PUT", {}],
  [`${course}/activeRoute`, "PUT", { href: "/resources/routes/c0d79334-4e25-4245-8892-54e8ccc80210" }],
  [`${course}/activeRoute/nextPoint`, "PUT", { value: 1 }],
  [`${self}/navigation/courseRhumbline/nextPoint/position`],
  [course, "DELETE"],
  [course],
  [`${course}/restart`, "PUT", {}],
];

/** A plotter that steers for a place near by, and says to be 92 m to the right of a track that nobody else knows of. */
const steers = "$GPRMB,A,0.05,L,003,004,5205.00,N,00406.00,E,006.2,036.4,000.5,V*34";
const steersNoMore = "$GPRMB,V,,,,,,,,,,,,V*66";

/** Of a notification that an instrument has raised, by its id. */
const notificationSteps = (id: string): readonly Step[] => [
  [`${notifications}/${id}`],
  [`${notifications}/${id}/silence`, "POST", {}],
  [`${notifications}/${id}/silence`, "POST", {}],
  [`${self}/notifications/probe`],
  [`${notifications}/${id}/acknowledge`, "POST", {}],
  [`${notifications}/${id}`],
  [`${notifications}/${id}`, "DELETE"],
  [`${notifications}/silenceAll`, "POST", {}],
  [`${notifications}/nothing`],
  [`${notifications}/c0d79334-4e25-4245-8892-54e8ccc80210`],
  [`${notifications}/c0d79334-4e25-4245-8892-54e8ccc80210/silence`, "POST", {}],
  [notifications, "POST", {}],
];

const handSteps = (id: string): readonly Step[] => [
  [`${notifications}/${id}`],
  [`${notifications}/${id}/silence`, "POST", {}],
  [`${notifications}/${id}`, "PUT", { state: "warn", message: "Aboard again" }],
  [`${notifications}/${id}`],
  [`${notifications}/${id}`, "DELETE"],
  [`${notifications}/${id}`],
];

const deviations: readonly Deviation[] = [
  {
    why: "Of these interfaces a plugin in WebAssembly is no provider, and the small server has no other plugins",
    differences: ["ble", "history", "sensors"].map((name) => ({
      at: `features/${name}`,
      theirs: true,
    })),
  },
];

test("courses, notifications and features of the small server are signalk-server's, but for what has a reason", async (t) => {
  const missing = await whyNoServer();
  if (missing !== undefined) return t.skip(missing);
  const [theirs, ours] = [await told(t, "theirs"), await told(t, "small")];
  const expected = deviations.flatMap(({ differences }) => differences);
  assert.deepEqual(differencesOf(theirs, ours), expected);
});

for (const form of ["ours", "small"] satisfies Form[]) {
  test(`${form}: a plugin that is an autopilot is shown and steered`, async (t) => {
    const missing = await whyNoServer();
    if (missing !== undefined) return t.skip(missing);
    const folder = await packageOf(t, "steers", steering, { autopilotProvider: true });
    const server = await openRealServer(t, form, [{ folder }]);
    const isThere = ({ body }: Answer) => body?.ap1 !== undefined;
    assert.equal((await until(server, autopilots, isThere)).body.ap1.provider, "steers");
    assert.deepEqual((await server.request(`${autopilots}/ap1/state`)).body, { value: "auto" });
    assert.deepEqual((await server.request(`${autopilots}/_default/target`)).body, { value: 1.5 });
    const put = (path: string, value: unknown) => server.request(`${autopilots}${path}`, "PUT", { value });
    assert.equal((await put("/ap1/target", 1)).status, 200);
    const refused = await server.request(`${autopilots}/ap1/tack/port`, "POST", {});
    assert.match(refused.body.message, /No wind/);
    assert.ok(refused.status >= 500);
  });
}

async function told(t: TestContext, form: Form): Promise<Record<string, unknown>> {
  const { environment, prepare, say } = await plotter(t);
  const server = await openRealServer(t, form, [{ folder: await pilot(t) }], environment, prepare);
  const raised = await until(server, `${self}/notifications/probe`, ({ status }) => status === 200);
  const answers: Record<string, unknown> = {};
  const take = async (steps: readonly Step[]) => {
    for (const [path, method = "GET", body] of steps) {
      const name = `${Object.keys(answers).length} ${method} ${path}`;
      answers[withoutId(name)] = withoutId(plain(await server.request(path, method, body), server));
    }
  };
  await take(autopilotSteps);
  await take(courseSteps);
  Object.assign(answers, withoutId(await steered(server, say)));
  await take(notificationSteps(raised.body.value.id));
  const hand = await server.request(`${notifications}/mob`, "POST", {});
  await take(handSteps(hand.body.id));
  const features = await server.request("/signalk/v2/features?enabled=true");
  answers.features = Object.fromEntries(features.body.apis.map((name: string) => [name, true]));
  await server.close();
  return answers;
}

/** The course that an instrument sets, what becomes of it, and what it may not set any more. */
async function steered(
  server: RealServer,
  say: (sentence: string) => void,
): Promise<Record<string, unknown>> {
  const saying = (sentence: string, isWanted: (answer: Answer) => boolean) =>
    until(server, course, (answer) => {
      if (isWanted(answer)) return true;
      say(sentence);
      return false;
    });
  const set = await saying(steers, ({ body }) => body.nextPoint !== null);
  const from = set.body.previousPoint?.position;
  const rebased = await saying(
    steers,
    ({ body }) => body.previousPoint?.position.latitude !== from?.latitude,
  );
  assert.deepEqual(set.body.nextPoint?.type, "Location");
  assert.notDeepEqual(rebased.body.previousPoint?.position, from);
  const gone = await saying(steersNoMore, ({ body }) => body.nextPoint === null);
  return { set: plain(set, server), rebased: rounded(plain(rebased, server)), gone: plain(gone, server) };
}

/** To 10 m: signalk-server calculates in a plane. */
function rounded<Value>(value: Value): Value {
  const round = (_name: string, item: unknown) => (typeof item === "number" ? Number(item.toFixed(4)) : item);
  // It went through JSON before.
  return JSON.parse(JSON.stringify(value, round)) as Value;
}

/** An instrument that each server hears by UDP. */
async function plotter(t: TestContext) {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  const probe = createSocket("udp4").bind(0, "127.0.0.1");
  await Promise.all([once(socket, "listening"), once(probe, "listening")]);
  const { port } = probe.address();
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  t.after(() => void socket.close());
  const inputs = [
    { label: "plotter", decoder: "nmea0183", from: { kind: "udp", address: "127.0.0.1", port } },
  ];
  const options = { type: "NMEA0183", subOptions: { type: "udp", port: String(port) } };
  const pipeElements = [{ type: "providers/simple", options }];
  return {
    environment: { INPUTS: JSON.stringify(inputs) },
    async prepare(config: string) {
      const file = join(config, "settings.json");
      const settings = JSON.parse(await readFile(file, "utf8"));
      const pipedProviders = [{ id: "plotter", enabled: true, pipeElements }];
      await writeFile(file, JSON.stringify({ ...settings, pipedProviders }));
    },
    say: (sentence: string) => socket.send(`${sentence}\r\n`, port, "127.0.0.1"),
  };
}

const steering: GuestText = {
  imports: { sk_register_autopilot_provider: "(param i32 i32) (result i32)" },
  texts: { devices: '["ap1"]', state: '"auto"', target: "1.5", done: "", refusal: '{"error":"No wind"}' },
  start: `(i32.eqz ${call("sk_register_autopilot_provider", "devices")})`,
  functions: [
    answering("autopilot_get_state", "state"),
    answering("autopilot_get_target", "target"),
    answering("autopilot_set_target", "done"),
    answering("autopilot_tack", "refusal"),
  ].join("\n"),
};

/** A plugin that tells where the vessel is, and that something is wrong. */
async function pilot(t: TestContext): Promise<string> {
  const delta = (path: string, value: unknown) =>
    JSON.stringify({ updates: [{ values: [{ path, value }] }] });
  const guest = {
    name: "pilot",
    imports: { sk_handle_message: "(param i32 i32)" },
    texts: {
      position: delta("navigation.position", { latitude: 52, longitude: 4 }),
      alarm: delta("notifications.probe", { state: "alarm", method: ["visual", "sound"], message: "Probe" }),
    },
    start: `${call("sk_handle_message", "position")} ${call("sk_handle_message", "alarm")} (i32.const 0)`,
  };
  return packageOf(t, "pilot", guest);
}

async function packageOf(t: TestContext, name: string, guest: GuestText, capabilities: object = {}) {
  const folder = await mkdtemp(join(tmpdir(), "remora-signalk-pilot-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const manifest = { name, version: "1.0.0", keywords: ["signalk-wasm-plugin"], wasmManifest: "a.wasm" };
  await writeFile(
    join(folder, "package.json"),
    JSON.stringify({ ...manifest, wasmCapabilities: capabilities }),
  );
  await writeFile(join(folder, "a.wasm"), await guestBytes(guest));
  return folder;
}

function withoutId<Value>(value: Value): Value {
  // It went through JSON before.
  return JSON.parse(
    JSON.stringify(value).replaceAll(/[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g, "ID"),
  ) as Value;
}
