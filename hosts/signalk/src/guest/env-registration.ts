/** Imports by which a plugin offers something: commands, resources, weather, radars, streams of bytes. */

import type { CapabilityName } from "remora/policy";
import { isPath, isShallow } from "../delta/delta.ts";
import { signalkErrors } from "../errors.ts";
import type { PutResult } from "../server-port.ts";
import { dataBytesMax, readPath } from "./env-texts.ts";
import type { GuestHost, GuestImports } from "./host.ts";
import type { SignalkGuest } from "./signalk-guest.ts";

/** Arrays and objects within one another in one answer. */
const answerDepthMax = 64;

export function registrationImports({ host, bytes }: GuestImports) {
  const name = (pointer: number, length: number) => readPath(bytes, pointer, length);
  return {
    sk_has_capability(pointer: number, length: number): number {
      return hasCapability(host, name(pointer, length)) ? 1 : 0;
    },
    sk_register_put_handler(
      context: number,
      contextLength: number,
      path: number,
      pathLength: number,
    ): number {
      return registerPut(host, name(context, contextLength), name(path, pathLength));
    },
    sk_register_resource_provider(type: number, length: number): number {
      return registerResources(host, name(type, length));
    },
    sk_register_weather_provider(pointer: number, length: number): number {
      return registerWeather(host, name(pointer, length));
    },
    sk_register_radar_provider(pointer: number, length: number): number {
      return registerRadar(host, name(pointer, length));
    },
    sk_emit_binary_stream(stream: number, streamLength: number, data: number, length: number): number {
      const id = name(stream, streamLength);
      if (length >>> 0 > dataBytesMax || !isOwnStream(host, id)) return 0;
      host.server.emitBinary(id, bytes.slice(data, length, "the data of a stream").slice());
      return 1;
    },
    sk_radar_emit_spokes(radar: number, radarLength: number, data: number, length: number): number {
      const id = name(radar, radarLength);
      if (length >>> 0 > dataBytesMax || !isOwnStream(host, `radars/${id}`)) return 0;
      host.server.emitBinary(`radars/${id}`, bytes.slice(data, length, "the data of a radar").slice());
      return 1;
    },
  };
}

/** The words that plugins ask with, and the capabilities behind them. */
const capabilities: ReadonlyMap<string, CapabilityName> = new Map([
  ["network", "net.http"],
  ["rawSockets", "net.socket"],
  ["storage", "fs.private"],
  ["dataRead", "data.read"],
  ["dataWrite", "data.write"],
  ["putHandlers", "control.put"],
  ["httpEndpoints", "http.serve"],
] as const);

const providers: ReadonlyMap<string, string> = new Map([
  ["resourceProvider", "resources:"],
  ["weatherProvider", "weather"],
  ["radarProvider", "radar"],
]);

function hasCapability(host: GuestHost, word: string): boolean {
  const capability = capabilities.get(word);
  if (capability !== undefined) return host.gate.has(capability);
  return providers.has(word) && host.gate.has("provider.register");
}

/** A plugin's own streams carry its id; those of radars are for providers of radars. */
function isOwnStream(host: GuestHost, id: string): boolean {
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

function registerPut(host: GuestHost, context: string, path: string): number {
  if (!isPath(context) || !isPath(path) || path === "" || host.holdings.isFull) return 0;
  const mayAnswer = host.gate.act(
    "control.put",
    path,
    () => true,
    () => false,
  );
  if (!mayAnswer) return 0;
  const { plugin, server } = host;
  const handler = `handle_put_${context}_${path}`.replaceAll(".", "_");
  host.holdings.add(
    server.registerPut({ plugin, context, path, handle: (value) => handlePut(host, handler, value) }),
  );
  server.handleMessage(plugin, { updates: [{ meta: [{ path, value: { supportsPut: true } }] }] }, 1);
  return 1;
}

/** What a handler that fails means: an answer with a number, never an exception of the server's. */
async function handlePut(host: GuestHost, handler: string, value: unknown): Promise<PutResult> {
  const { plugin } = host;
  return host.ask(async (guest) => {
    if (!guest.has(handler))
      return { state: "COMPLETED", statusCode: 501, message: "Handler not implemented" };
    const expected = "{state, statusCode, message?}";
    const result = parseAnswer(plugin, handler, await guest.put(handler, JSON.stringify(value)), expected);
    const { state, statusCode, message } = (result ?? {}) as Partial<Record<string, unknown>>; // checked below
    const isStatus = typeof statusCode === "number" && Number.isInteger(statusCode);
    return {
      state: state === "PENDING" ? "PENDING" : "COMPLETED",
      statusCode:
        isStatus && statusCode >= 100 && statusCode <= 599 ? statusCode : state === "FAILURE" ? 502 : 200,
      ...(typeof message === "string" && { message }),
    };
  });
}

function registerResources(host: GuestHost, type: string): number {
  if (!isPlain(type) || host.holdings.isFull || !mayProvide(host, `resources:${type}`)) return 0;
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
  return 1;
}

function registerWeather(host: GuestHost, name: string): number {
  if (host.holdings.isFull || !mayProvide(host, "weather")) return 0;
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
  return 1;
}

function registerRadar(host: GuestHost, name: string): number {
  if (host.holdings.isFull || !mayProvide(host, "radar")) return 0;
  host.holdings.add(
    host.server.registerRadar({
      plugin: host.plugin,
      name,
      ask: (handler, request) => askProvider(host, `radar_${handler}`, request),
    }),
  );
  return 1;
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
  return host.ask(async (guest: SignalkGuest) =>
    parseAnswer(host.plugin, handler, await guest.answer(handler, json), "JSON"),
  );
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
