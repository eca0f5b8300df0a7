/** Imports by which a plugin offers something: commands, resources, weather, radars, streams of bytes. */

import type { CapabilityName } from "remora/policy";
import { dataBytesMax, readPath, textsIn } from "./env-texts.ts";
import type { GuestHost, GuestImports } from "./host.ts";
import {
  isOwnStream,
  type Refusal,
  registerAutopilot,
  registerPut,
  registerRadar,
  registerResources,
  registerWeather,
} from "./registrations.ts";

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
      return taken(registerPut(host, name(context, contextLength), name(path, pathLength)));
    },
    sk_register_resource_provider(type: number, length: number): number {
      return taken(registerResources(host, name(type, length)));
    },
    sk_register_weather_provider(pointer: number, length: number): number {
      return taken(registerWeather(host, name(pointer, length)));
    },
    sk_register_radar_provider(pointer: number, length: number): number {
      return taken(registerRadar(host, name(pointer, length)));
    },
    /** A JSON list of the names of its devices. */
    sk_register_autopilot_provider(pointer: number, length: number): number {
      const devices = textsIn(name(pointer, length));
      return devices === undefined ? 0 : taken(registerAutopilot(host, devices));
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
  ["staticFiles", "http.serve"],
  ["serverEvents", "bus.subscribe"],
] as const);

const providers: ReadonlyMap<string, string> = new Map([
  ["resourceProvider", "resources:"],
  ["weatherProvider", "weather"],
  ["radarProvider", "radar"],
  ["autopilotProvider", "autopilot"],
]);

function hasCapability(host: GuestHost, word: string): boolean {
  const capability = capabilities.get(word);
  if (capability !== undefined) return host.gate.has(capability);
  return providers.has(word) && host.gate.has("provider.register");
}

/** The interface has one number for all that can be wrong. */
function taken(refusal: Refusal | undefined): number {
  return refusal === undefined ? 1 : 0;
}
