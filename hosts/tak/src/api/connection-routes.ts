/** OmniTAK's connections, `/api/v1/connections`: looked at, made, changed and removed while events pass. */

import { harmless } from "remora/policy";
import { isMulticast } from "../config/connections.ts";
import type { Connections } from "../connections.ts";
import type { Endpoint } from "../endpoint.ts";
import { takErrors } from "../errors.ts";
import { type KeptChange, type KeptChanges, keptChangesMax } from "../kept-changes.ts";
import { fieldsOf, refused, wholeOf } from "./body.ts";
import { connectionRequestOf } from "./connection-request.ts";
import { type ApiRequest, type ApiRoute, look } from "./mounted.ts";
import { uuidOf } from "./uuid.ts";

export interface ConnectionRoutesOptions {
  readonly connections: Connections;
  readonly kept: KeptChanges;
  readonly nowMs: () => number;
}

const base = "/api/v1/connections";
const one = `${base}/:id`;

export function connectionRoutes(options: ConnectionRoutesOptions): ApiRoute[] {
  const { connections, kept } = options;
  const { add, change, remove } = changesOf(options);
  const role = "operator";
  return [
    look(base, "All connections", async ({ query }) => {
      const { offset = "0", limit = "100" } = query;
      const from = wholeOf(offset, "offset", { min: 0, max: 1_000_000 });
      const to = from + wholeOf(limit, "limit", { min: 0, max: 1_000 });
      const all = connections.endpoints.map(connectionView);
      return { connections: all.slice(from, to), total: all.length };
    }),
    look(one, "A connection", async ({ params }) => connectionView(find(connections, idOf(params)))),
    {
      method: "POST",
      path: base,
      role,
      audit: "create connection",
      summary: "Open a connection, which gets every event",
      handle: ({ body }) => kept.alone(() => add(body)),
    },
    {
      method: "PUT",
      path: one,
      role,
      audit: "change connection",
      summary: "Change a connection that was made here; what it is serves until the next one is there",
      handle: ({ params, body }) => kept.alone(() => change(idOf(params), body)),
    },
    {
      method: "DELETE",
      path: one,
      role,
      audit: "delete connection",
      summary: "Close and remove a connection that was made here",
      handle: ({ params }) => kept.alone(() => remove(idOf(params))),
    },
  ];
}

function changesOf({ connections, kept, nowMs }: ConnectionRoutesOptions) {
  const now = () => new Date(nowMs()).toISOString();
  return {
    async add(body: unknown) {
      const wanted = connectionRequestOf(body);
      const { id: name } = wanted.settings;
      const all = kept.of("connections");
      if (all.length >= keptChangesMax)
        throw refused(`there are ${keptChangesMax} connections, which are all that are allowed`);
      if (connections.endpoints.some(({ settings }) => settings.id === name))
        throw takErrors["connection-exists"]({ name });
      const endpoint = await connections.add(wanted);
      const id = connectionId(endpoint);
      try {
        const times = { createdAt: now(), modifiedAt: now() };
        await kept.write("connections", [...all, { id, ...times, request: fieldsOf(body) }]);
      } catch (error) {
        await connections.remove(endpoint);
        throw error;
      }
      return { status: 201, body: { id, message: "Connection created successfully" } };
    },
    async change(id: string, body: unknown) {
      const { endpoint, before } = changeable(id);
      const next = connectionRequestOf(body);
      if (next.settings.id !== endpoint.settings.id)
        throw refused(
          `"name" must stay "${harmless(endpoint.settings.id)}", by which the connection is known`,
        );
      if (next.kind !== endpoint.kind)
        throw refused('"connection_type" must stay one that listens, or one that connects');
      await connections.change(endpoint, next);
      const changed = { ...before, modifiedAt: now(), request: fieldsOf(body) };
      try {
        await kept.write(
          "connections",
          kept.of("connections").map((each) => (each === before ? changed : each)),
        );
      } catch (error) {
        // What serves is what is kept.
        await connections.change(endpoint, connectionRequestOf(before.request));
        throw error;
      }
      return { status: 200, body: { id, message: "Connection updated successfully" } };
    },
    async remove(id: string) {
      const { endpoint, before } = changeable(id);
      await kept.write(
        "connections",
        kept.of("connections").filter((each) => each !== before),
      );
      await connections.remove(endpoint);
      return { status: 200, body: { message: "Connection deleted successfully" } };
    },
  };

  function changeable(id: string): { readonly endpoint: Endpoint; readonly before: KeptChange } {
    const endpoint = find(connections, id);
    const before = kept.of("connections").find((each) => each.id === id);
    if (before === undefined) throw takErrors["connection-of-file"]({ name: endpoint.settings.id });
    return { endpoint, before };
  }
}

/** @throws tak/no-such-connection */
function find({ endpoints }: Connections, id: string): Endpoint {
  const found = endpoints.find((endpoint) => connectionId(endpoint) === id);
  if (found === undefined) throw takErrors["no-such-connection"]({ id });
  return found;
}

function idOf({ id = "" }: ApiRequest["params"]): string {
  return id.slice(0, 100);
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
