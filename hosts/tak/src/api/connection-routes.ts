/** OmniTAK's connections, `/api/v1/connections`: looked at, made, changed and removed while events pass. */

import { harmless } from "remora/policy";
import { isMulticast } from "../config/connections.ts";
import type { Connections } from "../connections.ts";
import type { Endpoint } from "../endpoint.ts";
import { takErrors } from "../errors.ts";
import type { KeptChange } from "../kept-changes.ts";
import { described, type Fields, ifThere, readAs, refused, wholeText } from "./body.ts";
import { type Changing, type ChangingOptions, changingRoutes, idOf } from "./changing-routes.ts";
import { connectionRequestOf, connectionSchema } from "./connection-request.ts";
import {
  listOf,
  objectWith,
  oneOfTexts,
  orNull,
  someCount,
  someText,
  someTime,
  someUuid,
} from "./json-schema.ts";
import { type ApiRoute, look } from "./mounted.ts";
import { uuidOf } from "./uuid.ts";

export interface ConnectionRoutesOptions extends ChangingOptions {
  readonly connections: Connections;
}

const base = "/api/v1/connections";

const part = {
  offset: ifThere(wholeText({ min: 0, max: 1_000_000 })),
  limit: ifThere(described(wholeText({ min: 0, max: 1_000 }), "Default 100")),
};

export function connectionRoutes(options: ConnectionRoutesOptions): ApiRoute[] {
  const { connections } = options;
  return [
    look({ path: base, summary: "All connections", query: part, answer: allSchema }, async ({ query }) => {
      const { offset = 0, limit = 100 } = readAs(part, query);
      const all = connections.endpoints.map(connectionView);
      return { connections: all.slice(offset, offset + limit), total: all.length };
    }),
    look({ path: `${base}/:id`, summary: "A connection", answer: viewSchema }, async ({ params }) =>
      connectionView(endpointOf(connections, idOf(params))),
    ),
    ...changingRoutes(changingOf(options), options),
  ];
}

/** Opened first, and closed or changed back when that cannot be kept: most of what goes wrong is found by opening it. */
function changingOf({ connections, kept }: ConnectionRoutesOptions): Changing {
  return {
    kind: "connections",
    name: "connection",
    schema: connectionSchema,
    summaries: {
      make: "Open a connection, which gets every event",
      replace: "Change a connection that was made here; what it is serves until the next one is there",
      remove: "Close and remove a connection that was made here",
    },
    find(id) {
      const { settings } = endpointOf(connections, id);
      const found = kept.of("connections").find((each) => each.id === id);
      if (found === undefined) throw takErrors["connection-of-file"]({ name: settings.id });
      return found;
    },
    async add(request, keep) {
      const wanted = connectionRequestOf(request);
      const { id: name } = wanted.settings;
      if (connections.endpoints.some(({ settings }) => settings.id === name))
        throw takErrors["connection-exists"]({ name });
      const endpoint = await connections.add(wanted);
      try {
        await keep(connectionId(endpoint));
      } catch (error) {
        await connections.remove(endpoint);
        throw error;
      }
    },
    async replace(before, request, keep) {
      const endpoint = endpointOf(connections, before.id);
      await connections.change(endpoint, replacementOf(endpoint, request));
      try {
        await keep();
      } catch (error) {
        // What serves is what is kept.
        await connections.change(endpoint, connectionRequestOf(before.request));
        throw error;
      }
    },
    async remove({ id }: KeptChange, keep) {
      const endpoint = endpointOf(connections, id);
      await keep();
      await connections.remove(endpoint);
    },
  };
}

function replacementOf({ kind, settings }: Endpoint, request: Fields) {
  const next = connectionRequestOf(request);
  if (next.settings.id !== settings.id)
    throw refused(`"name" must stay "${harmless(settings.id)}", by which the connection is known`);
  if (next.kind !== kind) throw refused('"connection_type" must stay one that listens, or one that connects');
  return next;
}

/** @throws tak/no-such-connection */
function endpointOf({ endpoints }: Connections, id: string): Endpoint {
  const found = endpoints.find((endpoint) => connectionId(endpoint) === id);
  if (found === undefined) throw takErrors["no-such-connection"]({ id });
  return found;
}

/** Names end with the connection; ids do not change from start to start. */
export function connectionId(endpoint: Endpoint): string {
  return uuidOf("connection", endpoint.settings.id);
}

const types = {
  listener: { tcp: "tcpserver", tls: "tlsserver", udp: "udp" },
  server: { tcp: "tcpclient", tls: "tlsclient", udp: "udp" },
} as const;

const viewSchema = objectWith({
  id: someUuid,
  name: someText,
  connection_type: oneOfTexts(["tcpclient", "tcpserver", "tlsclient", "tlsserver", "multicast", "udp"]),
  status: oneOfTexts(["connected", "disconnected", "connecting", "error"]),
  address: someText,
  port: someCount,
  messages_received: someCount,
  messages_sent: someCount,
  bytes_received: someCount,
  bytes_sent: someCount,
  connected_at: orNull(someTime),
  error: orNull(someText),
});

const allSchema = objectWith({ connections: listOf(viewSchema), total: someCount });

function connectionView(endpoint: Endpoint) {
  const { settings, openCount, openedAtMs, failure } = endpoint;
  const { messagesIn, messagesOut, bytesIn, bytesOut } = endpoint.counts();
  return {
    id: connectionId(endpoint),
    name: settings.id,
    connection_type: typeOf(endpoint),
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

function typeOf({ kind, settings: { protocol, host } }: Endpoint): string {
  return kind === "server" && protocol === "udp" && isMulticast(host) ? "multicast" : types[kind][protocol];
}

/** A listener that nobody has come to waits; a server that is not there is tried again, unless it failed. */
function statusOfClosed({ kind, failure, isClosed }: Endpoint): "disconnected" | "connecting" | "error" {
  if (kind === "listener") return isClosed ? "error" : "disconnected";
  return failure === undefined ? "connecting" : "error";
}
