/**
 * WebSockets (RFC 6455) of mounted interfaces. Whoever wants one is asked who they are before it is one; a client that
 * does not read misses what is sent meanwhile, and one that is gone without a word is noticed by its silence.
 */

import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { Caller } from "../access/tokens.ts";
import { adminErrors } from "../errors.ts";
import type { Mount, MountedSocket } from "../mount.ts";
import type { Access } from "./access.ts";
import type { App } from "./app.ts";
import { mountAt } from "./mounts.ts";
import { problemOf } from "./problem.ts";
import { rawAnswer } from "./raw-answer.ts";
import { StreamSeats } from "./stream-seats.ts";

export interface MountedSocketsOptions {
  readonly mounts: readonly Mount[];
  readonly access: Access;
  /** At a time, of readers, and as many of others. */
  readonly socketsMax: number;
  /** Between two signs of life that a client is asked for. */
  readonly beatMs: number;
  /** When the interface closes, all of them end. */
  readonly signal: AbortSignal;
  readonly tellOurs: (error: unknown) => void;
}

const messageBytesMax = 64 * 1024;
/** Of what a client has not read. */
const unreadBytesMax = 1024 * 1024;
/** Until a client that is told to go has gone. The types of `ws` do not have this option yet. */
const closing = { closeTimeout: 1_000 };

export function addMountedSockets(app: App, options: MountedSocketsOptions): void {
  const { mounts, access, signal, tellOurs } = options;
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: messageBytesMax,
    // Compression would let a client choose how much memory each message takes.
    perMessageDeflate: false,
    ...closing,
    // What stands behind it is the token, which is not said back.
    handleProtocols: (protocols) => (protocols.has("bearer") ? "bearer" : false),
  });
  const seats = new StreamSeats(options.socketsMax);
  const asked = new Set<WebSocket>();
  app.server.on("upgrade", (request: IncomingMessage, connection: Duplex, head: Buffer) => {
    connection.on("error", () => {}); // it went before it had an answer
    const found = socketAt(mounts, request.url);
    try {
      const caller = access.admit({
        headers: request.headers,
        address: request.socket.remoteAddress ?? "",
        reachedAt: request.socket.localAddress,
        route: `WebSocket ${request.url}`,
        role: found?.socket.role,
        isThere: found !== undefined,
      });
      if (found === undefined || caller === undefined) throw adminErrors.internal({});
      connection.once("close", seats.take(caller.role));
      server.handleUpgrade(request, connection, head, (client) => {
        const end = () => client.close(policyViolation, "the token is none any more");
        client.on("close", access.last({ headers: request.headers, role: found.socket.role, end }));
        const spend = () =>
          access.spend(caller) || client.close(policyViolation, "so many messages are not allowed");
        // Whatever it sends is counted but what it was asked for.
        client.on("ping", spend);
        client.on("pong", () => asked.delete(client) || spend());
        serve(client, { socket: found.socket, caller, spend, tellOurs });
      });
    } catch (error) {
      const { status, body, isOurs } = problemOf(error);
      if (isOurs) tellOurs(error);
      const problem = { code: body.error, message: body.message };
      const answer = mountAt(mounts, request.url)?.problem(status, problem) ?? { status, body };
      connection.end(rawAnswer(answer));
    }
  });
  const stopBeat = beat(server, asked, options.beatMs);
  signal.addEventListener("abort", () => {
    stopBeat();
    for (const client of server.clients) client.terminate();
    server.close();
  });
}

/** RFC 6455 §4.1 */
export function isWebSocketWanted({ method, headers }: IncomingMessage): boolean {
  return method === "GET" && headers.upgrade?.toLowerCase() === "websocket";
}

function socketAt(mounts: readonly Mount[], url = "") {
  const [path] = url.split("?", 1);
  for (const mount of mounts) {
    const socket = mount.sockets?.find((one) => one.path === path);
    if (socket !== undefined) return { mount, socket };
  }
  return undefined;
}

interface Serving {
  readonly socket: MountedSocket;
  readonly caller: Caller;
  /** Takes one message of what the caller may send; when there is none, the client is told to go. */
  readonly spend: () => void;
  readonly tellOurs: (error: unknown) => void;
}

function serve(client: WebSocket, { socket, caller, spend, tellOurs }: Serving): void {
  const isCrowded = () => client.readyState !== client.OPEN || client.bufferedAmount > unreadBytesMax;
  const session = socket.open({
    caller,
    get isCrowded() {
      return isCrowded();
    },
    send(text) {
      if (isCrowded()) return false;
      client.send(text);
      return true;
    },
  });
  // A client that breaks the protocol is closed by the library; there is nothing to add.
  client.on("error", () => {});
  client.on("close", () => session.closed());
  client.on("message", (data, isBinary) => {
    spend();
    // What comes until it has gone is nothing any more.
    if (client.readyState !== client.OPEN) return;
    try {
      if (!isBinary) session.received(data.toString());
      else client.close(unsupportedData, "texts only");
    } catch (error) {
      tellOurs(error);
      client.close(internalError, "a mistake of ours");
    }
  });
}

/** RFC 6455 §7.4.1 */
const unsupportedData = 1003;
const policyViolation = 1008;
const internalError = 1011;

/** Asks all for a sign of life, and ends those that gave none since the last time. @param asked Those that were asked. */
function beat(server: WebSocketServer, asked: Set<WebSocket>, beatMs: number): () => void {
  const timer = setInterval(() => {
    for (const client of asked) client.terminate();
    asked.clear();
    for (const client of server.clients) {
      asked.add(client);
      client.ping();
    }
  }, beatMs);
  return () => clearInterval(timer);
}
