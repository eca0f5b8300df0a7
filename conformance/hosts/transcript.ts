/**
 * What a server answers when it is asked everything that plugins are behind, in one order, with what is different
 * each time (times, ids, ports) replaced by its kind.
 */

import { once } from "node:events";
import type { TestContext } from "node:test";
import { WebSocket } from "ws";
import { type Answer, type Form, openRealServer, type RealServer, until } from "./real-server.ts";

/** Answers by the name of the step. */
export type Transcript = Readonly<Record<string, unknown>>;

const id = "_test_probe";
const anchor = "/signalk/v1/api/vessels/self/navigation/anchor/maxRadius";
const depth = "environment.depth.belowTransducer";
const bay = "/signalk/v2/api/resources/anchorages/urn:mrn:signalk:uuid:0d95e282-3e1f-4521-8c30-8288addbdb69";
const weather = "/signalk/v2/api/weather";
/** A server that is in a plugin's loop never answers; one that is not does at once. */
const loopMsMax = 3_000;

interface Step {
  readonly name: string;
  readonly path: string;
  readonly method?: string;
  readonly body?: unknown;
}

const steps: readonly Step[] = [
  { name: "discovery", path: "/signalk" },
  { name: "one plugin", path: `/skServer/plugins/${id}` },
  { name: "one plugin, without the prefix", path: `/plugins/${id}` },
  { name: "its settings", path: `/skServer/plugins/${id}/config` },
  { name: "no such plugin", path: "/skServer/plugins/nobody" },
  { name: "no such plugin's settings", path: "/skServer/plugins/nobody/config" },
  { name: "what it emitted", path: "/signalk/v1/api/vessels/self/probe/_test_probe" },
  { name: "a command", path: anchor, method: "PUT", body: { value: 40 } },
  {
    name: "a command to its package",
    path: anchor,
    method: "PUT",
    body: { value: 40, source: "@test/probe" },
  },
  { name: "a command to nobody", path: anchor, method: "PUT", body: { value: 40, source: "nobody" } },
  {
    name: "a command without a handler",
    path: "/signalk/v1/api/vessels/self/a/b",
    method: "PUT",
    body: { value: 1 },
  },
  { name: "a command without a value", path: anchor, method: "PUT", body: {} },
  { name: "an endpoint that reads the model", path: `/plugins/${id}/api/self` },
  { name: "an endpoint that reads the configuration", path: `/plugins/${id}/api/config` },
  { name: "an endpoint that asks for a capability", path: `/plugins/${id}/api/capability` },
  { name: "an endpoint that notifies", path: `/plugins/${id}/api/notify` },
  { name: "an endpoint with a body", path: `/plugins/${id}/api/echo`, method: "POST", body: { a: "ä" } },
  { name: "an endpoint below the server's prefix", path: `/skServer/plugins/${id}/api/capability` },
  { name: "no such endpoint", path: `/plugins/${id}/api/nothing` },
  { name: "resources: none", path: "/signalk/v2/api/resources/anchorages" },
  { name: "resources: kept", path: bay, method: "PUT", body: { name: "Bay" } },
  { name: "resources: found", path: bay },
  { name: "resources: listed", path: "/signalk/v2/api/resources/anchorages" },
  { name: "resources: gone", path: bay, method: "DELETE" },
  { name: "resources: not found", path: bay },
  { name: "weather: providers", path: `${weather}/_providers` },
  { name: "weather: observations", path: `${weather}/observations?lat=1&lon=2` },
  { name: "weather: nowhere", path: `${weather}/observations?lat=91&lon=2` },
  { name: "weather: forecasts", path: `${weather}/forecasts/daily?lat=1&lon=2` },
  { name: "weather: warnings", path: `${weather}/warnings?lat=1&lon=2` },
  { name: "a plugin that may not write emitted", path: "/signalk/v1/api/vessels/self/probe/silenced" },
  {
    name: "configured",
    path: `/plugins/${id}/config`,
    method: "POST",
    body: { enabled: true, configuration: { depth: 2 } },
  },
  { name: "its new settings", path: `/plugins/${id}/config` },
  { name: "its new configuration, in the guest", path: `/plugins/${id}/api/config` },
  {
    name: "disabled",
    path: "/plugins/silenced/config",
    method: "POST",
    body: { enabled: false, configuration: {} },
  },
  { name: "an endpoint of a disabled plugin", path: "/plugins/silenced/api/capability" },
  { name: "weather: providers, of a disabled plugin", path: `${weather}/_providers` },
  {
    name: "enabled again",
    path: "/plugins/silenced/config",
    method: "POST",
    body: { enabled: true, configuration: {} },
  },
  { name: "an endpoint that traps", path: `/plugins/${id}/api/trap` },
  { name: "after the trap", path: `/plugins/${id}/api/capability` },
];

/** Starts a server with these plugins, asks it, and closes it. */
export async function tell(t: TestContext, form: Form, folders: readonly string[]): Promise<Transcript> {
  const plugins = folders.map((folder) => ({ folder, configuration: { depth: 1 } }));
  const server = await openRealServer(t, form, plugins);
  const isUp = ({ body }: Answer) => listOf(body).every(({ state }) => state === "running");
  await until(server, "/skServer/plugins", isUp);
  const answers: Record<string, unknown> = { plugins: await listed(server) };
  answers["deltas of a plugin that hears others"] = await alarms(server);
  for (const { name, path, method, body } of steps) {
    answers[name] = plain(await server.request(path, method, body), server);
  }
  answers["plugins, in the end"] = await listed(server);
  answers["an endpoint that loops"] = await whileItLoops(server);
  await server.close();
  return answers;
}

/** The plugins under test, in the order of their ids. */
async function listed(server: RealServer): Promise<unknown> {
  const { body } = await server.request("/skServer/plugins");
  return plain(Object.fromEntries(listOf(body).map((entry) => [entry.id, entry])), server);
}

interface Listed {
  readonly id: string;
  readonly type?: string;
  readonly state?: string;
}

function listOf(body: unknown): readonly Listed[] {
  // The server's own answer; this host as a plugin of it is one more, and not under test.
  return (body as readonly Listed[])
    .filter(({ type }) => type === "wasm")
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** Shallow water, then deep water, from an instrument: what the depth alarm makes of it, as a stream tells it. */
async function alarms(server: RealServer): Promise<unknown> {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/signalk/v1/stream?subscribe=all`);
  await once(socket, "open");
  const heard: unknown[] = [];
  socket.on("message", (data) => heard.push(JSON.parse(String(data))));
  for (const [metres, state] of [
    [2, "alarm"],
    [4, "normal"],
  ] as const) {
    const values = [
      { path: depth, value: metres },
      { path: "navigation.speedOverGround", value: 3.5 },
    ];
    socket.send(JSON.stringify({ context: "vessels.self", updates: [{ $source: "sounder", values }] }));
    const told = `/signalk/v1/api/vessels/self/notifications/${depth.replaceAll(".", "/")}`;
    await until(server, told, ({ body }) => body?.value?.state === state);
  }
  socket.close();
  return plain(
    heard.filter((delta) => JSON.stringify(delta).includes(`"notifications.${depth}"`)),
    server,
  );
}

async function whileItLoops(server: RealServer): Promise<unknown> {
  const asked = (path: string) =>
    server.request(path, "GET", undefined, loopMsMax).then(
      ({ status }) => status,
      () => "no answer",
    );
  const [looping, others] = await Promise.all([asked("/plugins/silenced/api/loop"), asked("/signalk")]);
  return { looping, others };
}

const timePattern = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;
const uuidPattern = /(?<!urn:mrn:signalk:uuid:)[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g;

/** Express's page around one line. */
const pagePattern = /<!DOCTYPE html>(?:(?!<pre>).)*<pre>((?:(?!<\/pre>).)*)<\/pre>[^"]*/g;

/** Where in a guest: whoever compiles it decides. */
const placePattern = /function \d+, offset 0x[\da-f]+/g;

/** Without what is another each time. */
export function plain(value: unknown, { port }: RealServer): unknown {
  const text = JSON.stringify(value)
    .replaceAll(timePattern, "TIME")
    .replaceAll(uuidPattern, "ID")
    .replaceAll(`127.0.0.1:${port}`, "HOST")
    .replaceAll(pagePattern, "$1")
    .replaceAll(placePattern, "PLACE");
  return JSON.parse(text);
}
