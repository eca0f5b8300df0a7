/** The connections of the host, and events that people send over them. */

import { isRemoraError } from "remora/base";
import { harmless } from "remora/policy";
import type { Connections } from "../connections.ts";
import type { CotMessage } from "../cot/message.ts";
import { StreamReader } from "../cot/stream-reader.ts";
import type { Outlet } from "../distribute.ts";
import type { Endpoint } from "../endpoint.ts";
import { takErrors } from "../errors.ts";
import type { Injected, TakHost } from "../host.ts";
import { type Fields, fieldsOf, flagOf, refused, textOf, textsOf, wholeOf } from "./body.ts";
import { type ApiRoute, look } from "./mounted.ts";
import { uuidOf } from "./uuid.ts";

export interface CotRoutesOptions {
  readonly host: TakHost;
  readonly connections: Pick<Connections, "endpoints">;
  readonly nowMs: () => number;
}

const base = "/api/v1/connections";

export function cotRoutes({ host, connections, nowMs }: CotRoutesOptions): ApiRoute[] {
  return [
    look(base, "All connections of the configuration", async ({ query }) => {
      const { offset = "0", limit = "100" } = query;
      const from = wholeOf(offset, "offset", { min: 0, max: 1_000_000 });
      const to = from + wholeOf(limit, "limit", { min: 0, max: 1_000 });
      const all = connections.endpoints.map(connectionView);
      return { connections: all.slice(from, to), total: all.length };
    }),
    look(`${base}/:id`, "A connection", async ({ params: { id = "" } }) => {
      const found = connections.endpoints.map(connectionView).find((view) => view.id === id);
      if (found === undefined) throw takErrors["no-such-connection"]({ id: id.slice(0, 100) });
      return found;
    }),
    {
      method: "POST",
      path: "/api/v1/cot/send",
      role: "operator",
      audit: "send event",
      summary: "Send an event, through the chain unless told otherwise",
      handle: async ({ body }) => ({
        status: 200,
        body: await send(fieldsOf(body), { host, connections, nowMs }),
      }),
    },
  ];
}

/** Names end with the connection; ids do not change from start to start. */
export function connectionId(endpoint: Endpoint): string {
  return uuidOf("connection", endpoint.settings.id);
}

const types = {
  listener: { tcp: "tcpserver", tls: "tlsserver", udp: "udp" },
  server: { tcp: "tcpclient", tls: "tlsclient", udp: "udp" },
} as const;

function connectionView(endpoint: Endpoint) {
  const { kind, settings, openCount, openedAtMs, failure } = endpoint;
  const { messagesIn, messagesOut, bytesIn, bytesOut } = endpoint.counts();
  return {
    id: connectionId(endpoint),
    name: settings.id,
    connection_type: types[kind][settings.protocol],
    status: openCount > 0 ? "connected" : statusOfClosed(endpoint),
    address: settings.host,
    port: settings.port,
    messages_received: messagesIn,
    messages_sent: messagesOut,
    bytes_received: bytesIn,
    bytes_sent: bytesOut,
    connected_at: openCount > 0 && openedAtMs !== undefined ? new Date(openedAtMs).toISOString() : null,
    error: failure === undefined ? null : harmless(`${failure.code}: ${failure.message}`, 500),
  };
}

/** A listener that nobody has come to waits; a server that is not there is tried again, unless it failed. */
function statusOfClosed({ kind, failure }: Endpoint): "disconnected" | "connecting" | "error" {
  if (kind === "listener") return "disconnected";
  return failure === undefined ? "connecting" : "error";
}

async function send(fields: Fields, { host, connections, nowMs }: CotRoutesOptions) {
  const message = eventOf(textOf(fields, "message", { max: 100_000 }).trim());
  const wanted = textsOf(fields, "target_connections", { entriesMax: 100, max: 36 });
  const isPassed = !flagOf(fields, "apply_filters", true);
  checkPriority(fields.priority);
  const endpoints = targetsOf(wanted, connections.endpoints);
  const to = (outlet: Outlet) => endpoints.some((endpoint) => endpoint.has(outlet));
  const injected = await host.inject(message, { isPassed, ...(wanted !== undefined && { to }) });
  const sentTo = reachedBy(injected, connections.endpoints);
  return {
    message_id: uuidOf("message", `${message.uid} ${message.time}`),
    sent_to_count: injected.kind === "sent" ? injected.outlets.length : 0,
    sent_to_connections: sentTo.map(connectionId),
    warnings: warningsOf(injected),
    timestamp: new Date(nowMs()).toISOString(),
  };
}

/** @throws tak/api-request it is not just one event */
function eventOf(xml: string): CotMessage {
  const found: CotMessage[] = [];
  try {
    const reader = new StreamReader(
      {
        onMessage: (message) => void found.push(message),
        onBadEvent: (error) => {
          throw error;
        },
      },
      { accepted: "xml" },
    );
    reader.push(new TextEncoder().encode(xml));
    reader.end();
  } catch (error) {
    if (!isRemoraError(error)) throw error;
    throw refused(`"message" is no event: ${harmless(error.message, 300)}`);
  }
  const [message] = found;
  if (message === undefined || found.length > 1) throw refused('"message" must be one event in XML');
  return message;
}

/** What people send goes out at once, ahead of what waits, so that there is nothing left for a priority to change. */
function checkPriority(value: unknown = 0): void {
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > 10)
    throw refused('"priority" must be 0 to 10');
}

function targetsOf(
  wanted: readonly string[] | undefined,
  endpoints: readonly Endpoint[],
): readonly Endpoint[] {
  if (wanted === undefined) return endpoints;
  return wanted.map((id) => {
    const found = endpoints.find((endpoint) => connectionId(endpoint) === id);
    if (found === undefined)
      throw refused(`"target_connections" names "${harmless(id)}", which there is none of`);
    return found;
  });
}

function reachedBy(injected: Injected, endpoints: readonly Endpoint[]): readonly Endpoint[] {
  if (injected.kind !== "sent") return [];
  return endpoints.filter((endpoint) => injected.outlets.some((outlet) => endpoint.has(outlet)));
}

function warningsOf(injected: Injected): readonly string[] {
  switch (injected.kind) {
    case "duplicate":
      return ["it was received before, and is not sent twice"];
    case "blocked":
      return ["a filter or plugin blocked it"];
    case "sent":
      return injected.outlets.length === 0 ? ["nobody is connected whom it is for"] : [];
  }
}
