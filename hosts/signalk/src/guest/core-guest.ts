/** A Signal K plugin that is a core module: its exports by the names of signalk-server's loader. */

import type { Answer, TextCalls } from "remora/abi";
import { signalkErrors } from "../errors.ts";
import { type EndpointResponse, type MatchedRequest, readResponse } from "../plugin/endpoints.ts";
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

/** A class for its getters: V8 looks up slowly what an object has whose getters are closures. */
export class CoreGuest implements SignalkGuest {
  readonly poll: SignalkGuest["poll"];
  readonly takeDelta: SignalkGuest["takeDelta"];
  readonly takeEvent: SignalkGuest["takeEvent"];
  readonly endpoints: SignalkGuest["endpoints"];
  readonly #plugin: string;
  readonly #instance: LiveInstance;
  readonly #guest: TextCalls;

  /** @throws signalk/not-a-plugin it has no `plugin_start` */
  constructor(plugin: string, instance: LiveInstance, guest: TextCalls) {
    if (!guest.has("plugin_start")) throw signalkErrors["not-a-plugin"]({ plugin, missing: "plugin_start" });
    this.#plugin = plugin;
    this.#instance = instance;
    this.#guest = guest;
    this.poll = guest.has("poll") ? () => guest.give("poll") : undefined;
    this.takeDelta = guest.has("delta_handler")
      ? (delta, startedMs) => guest.give("delta_handler", delta, startedMs)
      : undefined;
    this.takeEvent = guest.has("event_handler") ? (event) => guest.give("event_handler", event) : undefined;
    this.endpoints = guest.has("http_endpoints") ? () => this.#text("http_endpoints") : undefined;
  }

  get isRemote(): boolean {
    return this.#instance.isRemote;
  }

  get isLost(): boolean {
    return this.#instance.isLost;
  }

  get fuelUsed(): number {
    return this.#instance.fuelUsed;
  }

  get isWaiting(): boolean {
    return this.#guest.isWaiting;
  }

  name(): Answer<string> {
    return this.#text("plugin_name");
  }

  schema(): Answer<string> {
    return this.#text("plugin_schema");
  }

  start(configuration: string): Answer<number> {
    return this.#guest.give("plugin_start", configuration);
  }

  stop(): Answer<number> {
    return this.#guest.has("plugin_stop") ? this.#guest.give("plugin_stop") : 0;
  }

  serve(request: MatchedRequest): Answer<EndpointResponse> {
    const plugin = this.#plugin;
    const { handler } = request.endpoint;
    if (!this.#guest.has(handler)) throw signalkErrors["not-a-plugin"]({ plugin, missing: handler });
    const { method, path, query, params, body, headers } = request;
    const json = JSON.stringify({ method, path, query, params, body, headers });
    return after(this.answer(handler, json), (text) => readResponse(plugin, handler, text));
  }

  answer(handler: string, request: string): Answer<string> {
    return this.#guest.ask(handler, request, this.#bytesMax.answer);
  }

  put(command: Command, value: string): Answer<string> | undefined {
    const handler = handlerOf(command);
    return this.#guest.has(handler) ? this.#guest.ask(handler, value, this.#bytesMax.put) : undefined;
  }

  close(): void {
    this.#instance.close();
  }

  get #bytesMax() {
    return answerBytes[this.#guest.convention];
  }

  #text(name: string): Answer<string> {
    return this.#guest.has(name) ? this.#guest.ask(name, undefined, this.#bytesMax.text) : "";
  }
}

/** As signalk-server names it. */
function handlerOf({ context, path }: Command): string {
  return `handle_put_${context}_${path}`.replaceAll(".", "_");
}
