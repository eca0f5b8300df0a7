/** A Signal K plugin that is a core module: its exports by the names of signalk-server's loader. */

import type { Answer, TextCalls } from "remora/abi";
import { signalkErrors } from "../errors.ts";
import { readResponse } from "../plugin/endpoints.ts";
import { after } from "./after.ts";
import type { LiveInstance } from "./live-instance.ts";
import type { Command, SignalkGuest } from "./signalk-guest.ts";

/**
 * Bytes of answers in the guest's memory. Guests of the buffer convention get a buffer of that size, which is
 * signalk-server's own; a string of AssemblyScript has any length, and only must not be a flood.
 */
const answerBytes = {
  buffer: { text: 8_192, put: 8_192, answer: 65_536 },
  assemblyscript: { text: 1024 * 1024, put: 1024 * 1024, answer: 4 * 1024 * 1024 },
} as const;

/** @throws signalk/not-a-plugin it has no `plugin_start` */
export function coreGuest(plugin: string, instance: LiveInstance, guest: TextCalls): SignalkGuest {
  if (!guest.has("plugin_start")) throw signalkErrors["not-a-plugin"]({ plugin, missing: "plugin_start" });
  const bytesMax = answerBytes[guest.convention];
  const text = (name: string): Answer<string> => {
    if (!guest.has(name)) return "";
    return guest.ask(name, undefined, bytesMax.text);
  };
  return {
    isRemote: instance.isRemote,
    get isLost() {
      return instance.isLost;
    },
    get fuelUsed() {
      return instance.fuelUsed;
    },
    get isWaiting() {
      return guest.isWaiting;
    },
    name: () => text("plugin_name"),
    schema: () => text("plugin_schema"),
    start: (configuration) => guest.give("plugin_start", configuration),
    stop: () => (guest.has("plugin_stop") ? guest.give("plugin_stop") : 0),
    poll: guest.has("poll") ? () => guest.give("poll") : undefined,
    takeDelta: guest.has("delta_handler")
      ? (delta, startedMs) => guest.give("delta_handler", delta, startedMs)
      : undefined,
    takeEvent: guest.has("event_handler") ? (event) => guest.give("event_handler", event) : undefined,
    endpoints: guest.has("http_endpoints") ? () => text("http_endpoints") : undefined,
    serve(request) {
      const { handler } = request.endpoint;
      if (!guest.has(handler)) throw signalkErrors["not-a-plugin"]({ plugin, missing: handler });
      const { method, path, query, params, body, headers } = request;
      const json = JSON.stringify({ method, path, query, params, body, headers });
      return after(guest.ask(handler, json, bytesMax.answer), (text) => readResponse(plugin, handler, text));
    },
    answer: (handler, request) => guest.ask(handler, request, bytesMax.answer),
    put(command, value) {
      const handler = handlerOf(command);
      return guest.has(handler) ? guest.ask(handler, value, bytesMax.put) : undefined;
    },
    close: () => instance.close(),
  };
}

/** As signalk-server names it. */
function handlerOf({ context, path }: Command): string {
  return `handle_put_${context}_${path}`.replaceAll(".", "_");
}
