/**
 * What happens, as it happens: `/api/v1/stream` for events of the stream and of plugins, as each client asks for them,
 * and `/api/v1/events` for all that becomes of plugins. A client that does not read misses some and is told how many.
 */

import { isRemoraError } from "remora/base";
import { accountOf, type ManagerEvent } from "remora/manager";
import type { Connections } from "../connections.ts";
import type { CotMessage } from "../cot/message.ts";
import type { Outlet } from "../distribute.ts";
import type { TakHost } from "../host.ts";
import { type Fields, fieldsOf } from "./body.ts";
import { connectionId } from "./connection-routes.ts";
import type { ApiPeer, ApiSocket } from "./mounted.ts";
import type { Observations } from "./observations.ts";
import { healthView } from "./plugin-views.ts";
import { type PluginEvent, type Subscription, subscriptionOf } from "./subscription.ts";
import { nilUuid, uuidOf } from "./uuid.ts";

export interface LiveOptions {
  readonly host: TakHost;
  readonly connections: Pick<Connections, "endpoints">;
  readonly seen: Observations;
  readonly nowMs: () => number;
}

/** Between two `plugin_metric` of a plugin. */
const metricsMs = 1_000;

const silent: Subscription = { messages: undefined, events: new Set() };

/** A client, and what it missed. */
class Client {
  subscription = silent;
  readonly #peer: ApiPeer;
  #missed = 0;

  constructor(peer: ApiPeer) {
    this.#peer = peer;
  }

  /** @param textOf Not called for a client that would not read it. */
  tell(textOf: () => string): void {
    if (this.#peer.isCrowded || (this.#missed > 0 && !this.#tellMissed())) {
      this.#missed++;
      return;
    }
    if (!this.#peer.send(textOf())) this.#missed++;
  }

  answer(message: object): void {
    this.#peer.send(JSON.stringify(message));
  }

  #tellMissed(): boolean {
    const message = `${this.#missed} messages were left out, because they were not read in time`;
    if (!this.#peer.send(JSON.stringify({ type: "error", code: "messages_dropped", message }))) return false;
    this.#missed = 0;
    return true;
  }
}

export function liveSockets(options: LiveOptions): { readonly sockets: readonly ApiSocket[]; close(): void } {
  const { host, nowMs } = options;
  const streams = new Set<Client>();
  const watchers = new Set<Client>();
  const stopWatching = host.watch((message, origin) => {
    if (streams.size > 0) tellMessage(streams, message, () => messageText(message, origin, options));
  });
  const unlisten = host.manager.listen((event) => {
    tellAll(watchers, () => systemText(event));
    if (event.kind === "state" || event.kind === "trap") tellStatus(streams, event.plugin, options);
  });
  const metrics = new PluginMetrics(options);
  const timer = setInterval(() => metrics.tell(streams), metricsMs);
  return {
    sockets: [streamSocket(streams), eventsSocket(watchers)],
    close() {
      stopWatching();
      unlisten();
      clearInterval(timer);
    },
  };

  function systemText(event: ManagerEvent): string {
    const { kind, atMs, ...details } = event;
    const timestamp = new Date(atMs).toISOString();
    return JSON.stringify({ type: "system_event", event: `plugin_${kind}`, details, timestamp });
  }

  function tellStatus(clients: ReadonlySet<Client>, plugin: string, { seen }: LiveOptions): void {
    if (!host.manager.has(plugin)) return;
    const { status } = healthView(host.manager.info(plugin), seen, nowMs());
    const timestamp = new Date(nowMs()).toISOString();
    tellSubscribed(clients, "plugin_status", () =>
      JSON.stringify({ type: "plugin_status", plugin_id: plugin, status, timestamp }),
    );
  }
}

function streamSocket(clients: Set<Client>): ApiSocket {
  return socketOf(clients, {
    path: "/api/v1/stream",
    summary: "Events of the stream, and of plugins, as they are subscribed to",
    received(client, fields) {
      switch (fields.type) {
        case "subscribe":
          client.subscription = merged(client.subscription, subscriptionOf(fields));
          return { type: "ack", message_type: "subscribe" };
        case "unsubscribe":
          client.subscription = silent;
          return { type: "ack", message_type: "unsubscribe" };
        case "subscribe_events":
          return wrongEndpoint("Use /api/v1/events for system events");
        default:
          return undefined;
      }
    },
  });
}

/** Messages and events are asked for by two subscriptions; a second one for messages takes the place of the first. */
function merged(before: Subscription, next: Subscription): Subscription {
  return {
    messages: next.messages ?? before.messages,
    events: new Set([...before.events, ...next.events]),
  };
}

function eventsSocket(clients: Set<Client>): ApiSocket {
  return socketOf(clients, {
    path: "/api/v1/events",
    summary: "What becomes of plugins",
    received: (_client, { type }) =>
      type === "subscribe" ? wrongEndpoint("Use /api/v1/stream for CoT messages") : undefined,
  });
}

function wrongEndpoint(message: string) {
  return { type: "error", code: "invalid_endpoint", message };
}

interface SocketOptions {
  readonly path: string;
  readonly summary: string;
  /** @returns What to answer; undefined for a message of no type that it knows. */
  received(client: Client, fields: Fields): object | undefined;
}

function socketOf(clients: Set<Client>, { path, summary, received }: SocketOptions): ApiSocket {
  return {
    path,
    role: "reader",
    summary,
    open(peer) {
      const client = new Client(peer);
      clients.add(client);
      return {
        received: (text) => client.answer(answerTo(text, (fields) => received(client, fields))),
        closed: () => void clients.delete(client),
      };
    },
  };
}

function answerTo(text: string, received: (fields: Fields) => object | undefined): object {
  const error = (code: string, message: string) => ({ type: "error", code, message });
  let fields: Fields;
  try {
    fields = fieldsOf(JSON.parse(text));
  } catch {
    return error("parse_error", "A message must be an object of JSON");
  }
  if (fields.type === "ping") return { type: "pong" };
  try {
    return received(fields) ?? error("parse_error", "There is no message of this type");
  } catch (thrown) {
    if (!isRemoraError(thrown)) throw thrown;
    return error("invalid_subscription", thrown.message);
  }
}

function tellAll(clients: ReadonlySet<Client>, textOf: () => string): void {
  const text = once(textOf);
  for (const client of clients) client.tell(text);
}

function tellSubscribed(clients: ReadonlySet<Client>, event: PluginEvent, textOf: () => string): void {
  const text = once(textOf);
  for (const client of clients) if (client.subscription.events.has(event)) client.tell(text);
}

function tellMessage(clients: ReadonlySet<Client>, message: CotMessage, textOf: () => string): void {
  const text = once(textOf);
  for (const client of clients) if (client.subscription.messages?.(message)) client.tell(text);
}

/** Written for the first who reads it, and then for all. */
function once(textOf: () => string): () => string {
  let text: string | undefined;
  return () => (text ??= textOf());
}

function messageText(
  message: CotMessage,
  origin: Outlet | undefined,
  { connections, nowMs }: LiveOptions,
): string {
  const source = origin && connections.endpoints.find((endpoint) => endpoint.has(origin));
  return JSON.stringify({
    type: "cot_message",
    id: uuidOf("message", `${message.uid} ${message.time}`),
    source_connection: source === undefined ? nilUuid : connectionId(source),
    data: message.xml(),
    event_type: message.type,
    uid: message.uid,
    timestamp: new Date(nowMs()).toISOString(),
  });
}

/** Tells of each plugin that was called since the last time what a call of it took. */
class PluginMetrics {
  readonly #options: LiveOptions;
  readonly #calls = new Map<string, number>();

  constructor(options: LiveOptions) {
    this.#options = options;
  }

  tell(clients: ReadonlySet<Client>): void {
    const { host, nowMs } = this.#options;
    if (![...clients].some(({ subscription }) => subscription.events.has("plugin_metric"))) return;
    const timestamp = new Date(nowMs()).toISOString();
    const names = host.manager.list().map(({ name }) => name);
    for (const name of this.#calls.keys()) if (!names.includes(name)) this.#calls.delete(name);
    for (const name of names) {
      const { calls, traps, cpuMs } = accountOf(host.manager.get(name));
      if (calls === (this.#calls.get(name) ?? 0)) continue;
      this.#calls.set(name, calls);
      tellSubscribed(clients, "plugin_metric", () =>
        JSON.stringify({
          type: "plugin_metric",
          plugin_id: name,
          execution_time_ms: calls === 0 ? 0 : cpuMs / calls,
          execution_count: calls,
          error_count: traps,
          timestamp,
        }),
      );
    }
  }
}
