/** All that a Signal K plugin can import from the module `env`. */

import { slowHostFunction } from "remora";
import { type MemoryRead, readsGuestMemory } from "remora/engine";
import { dataImports } from "./env-data.ts";
import { eventImports } from "./env-events.ts";
import { registrationImports } from "./env-registration.ts";
import { runtimeImports } from "./env-runtime.ts";
import { tcpImports } from "./env-tcp.ts";
import { udpImports } from "./env-udp.ts";
import type { EventInbox } from "./event-inbox.ts";
import type { GuestImports } from "./host.ts";

type HostFunction = (...args: never[]) => unknown;

/** Each is marked as slow: a guest that only calls the host would otherwise never look at the clock. */
export function envImports(imports: GuestImports, events: EventInbox): Record<string, HostFunction> {
  const all: Record<string, HostFunction> = {
    ...runtimeImports(imports),
    ...dataImports(imports),
    ...registrationImports(imports),
    ...eventImports(imports, events),
    ...udpImports(imports),
    ...tcpImports(imports),
  };
  for (const [name, hostFunction] of Object.entries(all)) {
    slowHostFunction(hostFunction);
    const reads = memoryReads[name];
    // Of one that does not say it, the whole memory crosses.
    if (reads !== undefined) readsGuestMemory(hostFunction, reads);
  }
  return all;
}

/** An address and the length behind it, or a string of AssemblyScript's, by the number of the parameter. */
const text = (pointer: number): MemoryRead => ({ pointer, count: pointer + 1 });
const string = (pointer: number): MemoryRead => ({ pointer, isCounted: true });

/** What each reads of the guest's memory, so that no more of it crosses a wall. */
const memoryReads: Readonly<Record<string, readonly MemoryRead[]>> = {
  ...Object.fromEntries(["seed", "sk_read_config", "sk_get_allowed_event_types"].map((name) => [name, []])),
  ...Object.fromEntries(
    [
      "create",
      "bind",
      "set_multicast_ttl",
      "set_multicast_loopback",
      "set_broadcast",
      "recv",
      "pending",
      "close",
    ].map((name) => [`sk_udp_${name}`, []]),
  ),
  ...Object.fromEntries(
    ["create", "connected", "set_line_buffering", "recv_line", "recv_raw", "pending", "close"].map((name) => [
      `sk_tcp_${name}`,
      [],
    ]),
  ),
  abort: [string(0), string(1)],
  "console.log": [string(0)],
  sk_debug: [text(0)],
  sk_set_status: [text(0)],
  sk_set_error: [text(0)],
  sk_handle_message: [text(0)],
  sk_publish_notification: [text(0), text(2)],
  sk_get_self_path: [text(0)],
  sk_get_path: [text(0)],
  sk_save_config: [text(0)],
  sk_has_capability: [text(0)],
  sk_register_put_handler: [text(0), text(2)],
  sk_register_resource_provider: [text(0)],
  sk_register_weather_provider: [text(0)],
  sk_register_radar_provider: [text(0)],
  sk_register_autopilot_provider: [text(0)],
  sk_emit_binary_stream: [text(0), text(2)],
  sk_radar_emit_spokes: [text(0), text(2)],
  sk_subscribe_events: [text(0)],
  sk_emit_event: [text(0), text(2)],
  sk_udp_join_multicast: [text(1), text(3)],
  sk_udp_leave_multicast: [text(1), text(3)],
  sk_udp_send: [text(1), text(4)],
  sk_tcp_connect: [text(1)],
  sk_tcp_send: [text(1)],
};
