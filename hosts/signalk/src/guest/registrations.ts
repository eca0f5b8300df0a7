/** What a plugin offers, whatever convention it keeps: commands, resources, weather, radars; and how each is asked. */

import { harmless } from "remora/policy";
import { isPath, isRecord, isShallow } from "../delta/delta.ts";
import { signalkErrors } from "../errors.ts";
import type { PutResult } from "../server-port.ts";
import type { GuestHost } from "./host.ts";
import type { Command } from "./signalk-guest.ts";

/** Why something was not registered, in the words of the world's `refusal`. */
export type Refusal = "denied" | "malformed" | "full";

/** Arrays and objects within one another in one answer. */
const answerDepthMax = 64;

/** A plugin's own streams carry its id; those of radars are for providers of radars. */
export function isOwnStream(host: GuestHost, id: string): boolean {
  if (id.startsWith(`plugins/${host.plugin}/`)) return isPlain(id.slice(9 + host.plugin.length));
  return id.startsWith("radars/") && isPlain(id.slice(7)) && mayProvide(host, "radar");
}

function isPlain(name: string): boolean {
  return /^[a-zA-Z0-9_-]{1,128}$/.test(name);
}

function mayProvide(host: GuestHost, kind: string): boolean {
  return host.gate.act(
    "provider.register",
    kind,
    () => true,
    () => false,
  );
}

function whyNotProvide(host: GuestHost, kind: string): Refusal | undefined {
  if (host.holdings.isFull) return "full";
  return mayProvide(host, kind) ? undefined : "denied";
}

export function registerPut(host: GuestHost, context: string, path: string): Refusal | undefined {
  if (!isPath(context) || !isPath(path) || path === "") return "malformed";
  if (host.holdings.isFull) return "full";
  const mayAnswer = host.gate.act(
    "control.put",
    path,
    () => true,
    () => false,
  );
  if (!mayAnswer) return "denied";
  const { plugin, server } = host;
  host.holdings.add(
    server.registerPut({
      plugin,
      context,
      path,
      handle: (value) => handlePut(host, { context, path }, value),
    }),
  );
  server.handleMessage(plugin, { updates: [{ meta: [{ path, value: { supportsPut: true } }] }] }, 1);
  return undefined;
}

/** What a handler that fails means: an answer with a number, never an exception of the server's. */
async function handlePut(host: GuestHost, command: Command, value: unknown): Promise<PutResult> {
  const { plugin } = host;
  const answer = await host.ask((guest) => guest.put(command, JSON.stringify(value)));
  if (answer === undefined)
    return { state: "COMPLETED", statusCode: 501, message: "Handler not implemented" };
  const expected = "{state, statusCode, message?}";
  const result = parseAnswer(plugin, `PUT ${command.path}`, answer, expected);
  const { state, statusCode, message } = (result ?? {}) as Partial<Record<string, unknown>>; // checked below
  const isStatus = typeof statusCode === "number" && Number.isInteger(statusCode);
  return {
    state: state === "PENDING" ? "PENDING" : "COMPLETED",
    statusCode:
      isStatus && statusCode >= 100 && statusCode <= 599 ? statusCode : state === "FAILURE" ? 502 : 200,
    ...(typeof message === "string" && { message }),
  };
}

export function registerResources(host: GuestHost, type: string): Refusal | undefined {
  if (!isPlain(type)) return "malformed";
  const refusal = whyNotProvide(host, `resources:${type}`);
  if (refusal !== undefined) return refusal;
  const ask = (handler: string, request: Readonly<Record<string, unknown>>) =>
    askProvider(host, `resources_${handler}`, { ...request, resourceType: type });
  host.holdings.add(
    host.server.registerResources({
      plugin: host.plugin,
      type,
      list: async (query) => asRecord(await ask("list_resources", query)),
      get: (id, property) => ask("get_resource", { id, property }),
      set: async (id, value) => void (await ask("set_resource", { id, value })),
      remove: async (id) => void (await ask("delete_resource", { id })),
    }),
  );
  return undefined;
}

export function registerWeather(host: GuestHost, name: string): Refusal | undefined {
  const refusal = whyNotProvide(host, "weather");
  if (refusal !== undefined) return refusal;
  host.holdings.add(
    host.server.registerWeather({
      plugin: host.plugin,
      name,
      observations: (position, options) =>
        askProvider(host, "weather_get_observations", { position, options }),
      forecasts: (position, type, options) =>
        askProvider(host, "weather_get_forecasts", { position, type, options }),
      warnings: (position) => askProvider(host, "weather_get_warnings", { position }),
    }),
  );
  return undefined;
}

export function registerRadar(host: GuestHost, name: string): Refusal | undefined {
  const refusal = whyNotProvide(host, "radar");
  if (refusal !== undefined) return refusal;
  host.holdings.add(
    host.server.registerRadar({
      plugin: host.plugin,
      name,
      ask: (handler, request) => askProvider(host, `radar_${handler}`, request),
    }),
  );
  return undefined;
}

const devicesMax = 16;
const devicePattern = /^[\w.:-]{1,64}$/;

export function registerAutopilot(host: GuestHost, devices: readonly string[]): Refusal | undefined {
  const isWellFormed = devices.length > 0 && devices.length <= devicesMax;
  if (!isWellFormed || !devices.every((device) => devicePattern.test(device))) return "malformed";
  const refusal = whyNotProvide(host, "autopilot");
  if (refusal !== undefined) return refusal;
  const { plugin } = host;
  const ask = async (handler: string, request: Readonly<Record<string, unknown>>) =>
    unlessRefused(plugin, handler, await askProvider(host, `autopilot_${handler}`, request));
  host.holdings.add(host.server.registerAutopilot({ plugin, devices, ask }));
  return undefined;
}

/** Who steers must know when nobody does. */
function unlessRefused(plugin: string, name: string, answer: unknown): unknown {
  const said = isRecord(answer) ? answer : {};
  if (answer !== false && said.success !== false && !("error" in said)) return answer;
  const reason = typeof said.error === "string" ? harmless(said.error, 1_000) : "it says no more";
  throw signalkErrors["guest-refused"]({ plugin, name, reason });
}

/**
 * Asks a provider's handler.
 *
 * @throws abi/no-such-export signalk/not-running signalk/bad-answer engine/…
 */
async function askProvider(
  host: GuestHost,
  handler: string,
  request: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const json = JSON.stringify(request);
  const answer = await host.ask((guest) => guest.answer(handler, json));
  return parseAnswer(host.plugin, handler, answer, "JSON");
}

/** An empty answer means nothing, as from handlers that only act. */
function parseAnswer(plugin: string, name: string, answer: string, expected: string): unknown {
  if (answer.trim() === "") return undefined;
  let data: unknown;
  try {
    data = JSON.parse(answer);
  } catch (cause) {
    throw signalkErrors["bad-answer"]({ plugin, name, expected }, cause);
  }
  if (isShallow(data, answerDepthMax)) return data;
  throw signalkErrors["bad-answer"]({ plugin, name, expected: `at most ${answerDepthMax} levels` });
}

function asRecord(data: unknown): Readonly<Record<string, unknown>> {
  // Lists and texts of resources mean nothing to those who ask for them by id.
  return typeof data === "object" && data !== null && !Array.isArray(data) ? { ...data } : {};
}
