/** WebSockets: from an HTTP connection that wants to be one to a session, or to a stream of bytes. */

import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { SignalkServer } from "../server.ts";
import { StreamSession, unreadBytesMax } from "./stream-session.ts";

/** A client's message: subscriptions and commands are short. */
const messageBytesMax = 256 * 1024;
const clientsMax = 200;

export class WebSockets {
  readonly #server: SignalkServer;
  // Compression would let a client choose how much memory each message takes.
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: messageBytesMax,
    perMessageDeflate: false,
  });

  constructor(server: SignalkServer) {
    this.#server = server;
  }

  get clientCount(): number {
    return this.#sockets.clients.size;
  }

  /** @returns false when the path is no stream, and the connection is the caller's to close */
  upgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    target: { readonly path: readonly string[]; readonly query: Readonly<Record<string, string>> },
  ): boolean {
    const path = `/${target.path.join("/")}`;
    const binary = /^\/signalk\/v2\/api\/(?:streams\/(.+)|vessels\/self\/radars\/([^/]+)\/stream)$/.exec(
      path,
    );
    const isDeltas = path === "/signalk/v1/stream";
    if ((!isDeltas && binary === null) || this.clientCount >= clientsMax) return false;
    this.#sockets.handleUpgrade(request, socket, head, (client) => {
      // A client that breaks the protocol is closed by the library; there is nothing to add.
      client.on("error", () => {});
      if (isDeltas) this.#openSession(client, target.query.subscribe);
      else this.#openBinary(client, binary?.[1] ?? `radars/${binary?.[2]}`);
    });
    return true;
  }

  close(): void {
    for (const client of this.#sockets.clients) client.terminate();
    this.#sockets.close();
  }

  #openSession(client: WebSocket, subscribe: string | undefined): void {
    const wire = {
      send: (text: string) => client.send(text),
      get bufferedAmount() {
        return client.bufferedAmount;
      },
      close: (code: number, reason: string) => client.close(code, reason),
    };
    const session = new StreamSession(this.#server, wire, subscribe);
    client.on("message", (data, isBinary) => {
      if (!isBinary) session.receive(data.toString());
    });
    client.on("close", () => session.close());
  }

  #openBinary(client: WebSocket, stream: string): void {
    const end = this.#server.binaryStreams.listen(stream, (data) => {
      // Of a stream that goes on, what a slow client did not take is old.
      if (client.bufferedAmount < unreadBytesMax) client.send(data);
    });
    client.on("close", end);
  }
}
