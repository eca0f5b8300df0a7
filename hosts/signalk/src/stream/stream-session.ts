/**
 * One client of `/signalk/v1/stream` (specification 1.7, "Streaming WebSocket API"): what it subscribed to, its
 * commands, and a bound on what it may leave unread.
 */

import { isRemoraError } from "remora/base";
import { checkDelta, isRecord, type StampedDelta } from "../delta/delta.ts";
import { Published } from "../delta/published.ts";
import { putTo, serverVersion } from "../http/model-routes.ts";
import type { SignalkServer } from "../server.ts";
import { Listener } from "../subscriptions/listener.ts";
import { readSubscribe, readUnsubscribe } from "../subscriptions/request.ts";

/** What carries the session; a WebSocket, or a test. */
export interface Wire {
  send(text: string): void;
  /** Bytes that wait to be sent. */
  readonly bufferedAmount: number;
  close(code: number, reason: string): void;
}

/** A client that leaves so much unread is disconnected: it would be told old news for ever. */
export const unreadBytesMax = 4 * 1024 * 1024;

export class StreamSession {
  readonly #server: SignalkServer;
  readonly #wire: Wire;
  readonly #listener: Listener;
  readonly #end: () => void;
  #isClosed = false;

  /** @param subscribe `self`, `all` or `none`; what the query says. */
  constructor(server: SignalkServer, wire: Wire, subscribe: string | undefined) {
    this.#server = server;
    this.#wire = wire;
    const { clock } = server;
    const { selfContext } = server.model;
    this.#listener = new Listener({ selfContext, clock, send: (published) => this.#send(published) });
    this.#end = server.onDelta((published) => this.#listener.offer(published));
    this.#write({
      name: "remora-signalk",
      version: serverVersion,
      self: selfContext,
      roles: ["master", "main"],
      timestamp: clock.date().toISOString(),
    });
    if (subscribe === "all") {
      this.#listener.subscribeAll();
      for (const context of server.model.contexts()) this.#sendLatest(context);
    } else if (subscribe !== "none") {
      const path = { path: "*", policy: "instant", periodMs: 1_000, minPeriodMs: 0 } as const;
      this.#listener.subscribe({ context: selfContext, paths: [path] });
      this.#sendLatest(selfContext);
    }
  }

  /** Takes a message of the client's. What it does not understand is said, and nothing is done. */
  receive(text: string): void {
    let data: unknown;
    try {
      data = JSON.parse(text);
    } catch {
      this.#complain("no JSON");
      return;
    }
    if (!isRecord(data)) {
      this.#complain("no object");
      return;
    }
    if ("unsubscribe" in data) this.#unsubscribe(data);
    if ("subscribe" in data) this.#subscribe(data);
    if ("put" in data) void this.#put(data);
    if ("updates" in data) this.#input(data);
  }

  close(): void {
    this.#isClosed = true;
    this.#end();
    this.#listener.close();
  }

  #subscribe(data: Record<string, unknown>): void {
    const request = readSubscribe(data);
    if (request === undefined || !this.#listener.subscribe(request)) {
      this.#complain(
        request === undefined ? "no subscription of context and paths" : "too many subscriptions",
      );
      return;
    }
    const listener = this.#listener;
    for (const context of this.#server.model.contexts()) {
      const updates = [...this.#server.model.latest(context)];
      if (updates.length > 0)
        listener.offerSince(new Published({ context, updates }, 1), request.paths.length);
    }
  }

  #unsubscribe(data: Record<string, unknown>): void {
    const request = readUnsubscribe(data);
    if (request === undefined) this.#complain("no list of paths to unsubscribe from");
    else this.#listener.unsubscribe(request.context, request.paths);
  }

  /** An instrument that speaks Signal K. */
  #input(data: Record<string, unknown>): void {
    try {
      this.#server.input(checkDelta(data), "ws");
    } catch (error) {
      if (!isRemoraError(error)) throw error;
      this.#complain(error.message);
    }
  }

  async #put(data: Record<string, unknown>): Promise<void> {
    const { put, requestId, context = "vessels.self" } = data;
    if (
      !isRecord(put) ||
      typeof put.path !== "string" ||
      put.value === undefined ||
      typeof context !== "string"
    ) {
      this.#complain("no command of path and value");
      return;
    }
    const source = typeof put.source === "string" ? put.source : undefined;
    const request = {
      context,
      path: put.path,
      value: put.value,
      ...(source !== undefined && { source }),
      ...(typeof requestId === "string" && { requestId }),
    };
    this.#write(await putTo(this.#server, request));
  }

  #sendLatest(context: string): void {
    const updates = [...this.#server.model.latest(context)];
    if (updates.length > 0) this.#send({ context, updates });
  }

  #send(published: Published | StampedDelta): void {
    this.#writeText(published instanceof Published ? published.json : JSON.stringify(published));
  }

  #write(data: unknown): void {
    this.#writeText(JSON.stringify(data));
  }

  #writeText(text: string): void {
    if (this.#isClosed) return;
    if (this.#wire.bufferedAmount > unreadBytesMax) {
      this.close();
      this.#wire.close(1013, "too much is unread");
      return;
    }
    this.#wire.send(text);
  }

  #complain(what: string): void {
    this.#write({ error: `Cannot understand the message: ${what}` });
  }
}
