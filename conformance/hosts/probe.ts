/**
 * A plugin of the buffer convention that tells what its host does: through its endpoints, its status, and the deltas
 * that it emits. It claims a source and a time that are not its to say.
 */

import { answering, call, type GuestText } from "../../hosts/signalk/src/testing/guest-text.ts";

const two = "(param i32 i32)";
const four = "(param i32 i32 i32 i32) (result i32)";

const endpoints = ["self", "config", "capability", "notify", "echo", "trap", "loop"].map((name) => ({
  method: name === "echo" ? "POST" : "GET",
  path: `/api/${name}`,
  handler: name,
}));

const said = (path: string, value: number) =>
  `{"context":"vessels.self","updates":[{"$source":"liar","source":{"label":"liar"},"timestamp":"2000-01-01T00:00:00.000Z","values":[{"path":"${path}","value":${value}}]}]}`;

const page = (body: unknown) =>
  JSON.stringify({ statusCode: 200, headers: { "X-Probe": "yes" }, body: JSON.stringify(body) });

/** @param name Of the plugin, in the paths that it writes. */
export function probe(name: string): GuestText {
  return {
    name: `Probe "${name}"`,
    schema: '{"type":"object","properties":{"depth":{"type":"number"}}}',
    imports: {
      sk_handle_message: two,
      sk_set_status: two,
      sk_get_self_path: four,
      sk_read_config: "(param i32 i32) (result i32)",
      sk_has_capability: "(param i32 i32) (result i32)",
      sk_publish_notification: four,
      sk_register_put_handler: four,
      sk_register_weather_provider: "(param i32 i32) (result i32)",
    },
    texts: {
      endpoints: JSON.stringify(endpoints),
      started: said(`probe.${name}`, 1),
      status: "Probing",
      self: "vessels.self",
      speed: "navigation.speedOverGround",
      anchor: "navigation.anchor.maxRadius",
      network: "network",
      alarm: "notifications.probe",
      ringing: '{"state":"alarm","method":["visual"],"message":"It rings"}',
      head: '{"statusCode":200,"body":',
      done: '{"state":"COMPLETED","statusCode":200,"message":"It is done"}',
      yes: page({ answer: "yes" }),
      no: page({ answer: "no" }),
      weather: "Probe's weather",
      sunny: '[{"date":"2026-01-01T00:00:00.000Z","type":"observation","description":"Sunny"}]',
    },
    start: `${call("sk_handle_message", "started")} ${call("sk_set_status", "status")}
    (drop ${call("sk_register_put_handler", "self", "anchor")}) (drop ${call("sk_register_weather_provider", "weather")})
    (i32.const 0)`,
    functions: `
    ${answering("http_endpoints", "endpoints", "out")}
    ${answering("handle_put_vessels_self_navigation_anchor_maxRadius", "done")}
    ${answering("weather_get_observations", "sunny")} ${answering("weather_get_forecasts", "sunny")}
    ${answering("weather_get_warnings", "sunny")}
    ${filling("self", "(call $sk_get_self_path (global.get $speed) (global.get $speed_length) (local.get $at) (i32.const 1024))")}
    ${filling("config", "(call $sk_read_config (local.get $at) (i32.const 1024))")}
    ${deciding("capability", call("sk_has_capability", "network"))}
    ${deciding("notify", `(i32.eqz ${call("sk_publish_notification", "alarm", "ringing")})`)}
    ${deciding("echo", "(i32.eq (i32.load8_u (local.get $text)) (i32.const 0x7b))")}
    ${answering("trap", "yes", "request", "(unreachable)")}
    ${answering("loop", "yes", "request", "(loop $ever (br $ever))")}`,
  };
}

/** A handler whose answer has what an import wrote as its body; null when that wrote nothing. */
function filling(name: string, write: string): string {
  return `(func (export "${name}") (param $text i32) (param $length i32) (param $out i32) (param $max i32) (result i32)
    (local $at i32) (local $written i32)
    (memory.copy (local.get $out) (global.get $head) (global.get $head_length))
    (local.set $at (i32.add (local.get $out) (global.get $head_length)))
    (local.set $written ${write})
    (if (i32.eqz (local.get $written))
      (then (i32.store (local.get $at) (i32.const 0x6c6c756e)) (local.set $written (i32.const 4))))
    (i32.store8 (i32.add (local.get $at) (local.get $written)) (i32.const 0x7d))
    (i32.add (i32.add (global.get $head_length) (local.get $written)) (i32.const 1)))`;
}

/** A handler that answers yes or no. */
function deciding(name: string, condition: string): string {
  return `(func (export "${name}") (param $text i32) (param $length i32) (param $out i32) (param $max i32) (result i32)
    (if (result i32) ${condition}
      (then (memory.copy (local.get $out) (global.get $yes) (global.get $yes_length)) (global.get $yes_length))
      (else (memory.copy (local.get $out) (global.get $no) (global.get $no_length)) (global.get $no_length))))`;
}
