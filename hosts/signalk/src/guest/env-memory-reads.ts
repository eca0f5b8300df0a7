/** What each import of `env` reads of the guest's memory, so that no more of it crosses a wall. */

import type { MemoryRead } from "remora/engine";

/** An address and the length behind it, or a string of AssemblyScript's, by the number of the parameter. */
const text = (pointer: number): MemoryRead => ({ pointer, count: pointer + 1 });
const string = (pointer: number): MemoryRead => ({ pointer, isCounted: true });

export const memoryReads: Readonly<Record<string, readonly MemoryRead[]>> = {
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
  seed: [],
  sk_read_config: [],
  sk_get_allowed_event_types: [],
  sk_udp_create: [],
  sk_udp_bind: [],
  sk_udp_set_multicast_ttl: [],
  sk_udp_set_multicast_loopback: [],
  sk_udp_set_broadcast: [],
  sk_udp_recv: [],
  sk_udp_pending: [],
  sk_udp_close: [],
  sk_tcp_create: [],
  sk_tcp_connected: [],
  sk_tcp_set_line_buffering: [],
  sk_tcp_recv_line: [],
  sk_tcp_recv_raw: [],
  sk_tcp_pending: [],
  sk_tcp_close: [],
};
