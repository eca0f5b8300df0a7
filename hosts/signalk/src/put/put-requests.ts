/**
 * Commands (specification 1.7, "Request/Response" and "PUT"): who answers for which path, and what became of each
 * request. A request has an id, and whoever asked may look at it again later.
 */

import { randomUUID } from "node:crypto";
import type { Clock } from "../clock.ts";
import { pluginIdOf } from "../plugin/manifest.ts";
import type { PutRegistration, PutResult } from "../server-port.ts";
import { putResult } from "./put-result.ts";

export interface PutReply {
  readonly state: "PENDING" | "COMPLETED";
  readonly requestId: string;
  readonly statusCode: number;
  readonly message?: string;
  readonly href: string;
}

export interface PutRequest {
  readonly context: string;
  readonly path: string;
  readonly value: unknown;
  /** Which of several handlers: their plugin's id, or its package's name, which documentation of plugins has. */
  readonly source?: string;
  /** Chosen by a client; otherwise made. */
  readonly requestId?: string;
}

/** Requests that are remembered, and for how long. */
const requestsMax = 1_000;
const rememberedMs = 60 * 60_000;
const idLengthMax = 100;

export class PutRequests {
  readonly #clock: Clock;
  readonly #handlers = new Map<string, Map<string, PutRegistration>>();
  readonly #replies = new Map<string, { reply: PutReply; readonly atMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  register(registration: PutRegistration): () => void {
    const key = keyOf(registration.context, registration.path);
    const handlers = this.#handlers.get(key) ?? new Map<string, PutRegistration>();
    this.#handlers.set(key, handlers.set(registration.plugin, registration));
    return () => {
      if (handlers.get(registration.plugin) !== registration) return;
      handlers.delete(registration.plugin);
      if (handlers.size === 0) this.#handlers.delete(key);
    };
  }

  /** Carries out a request. What a handler cannot do is an answer as well; nothing is thrown. */
  async put(request: PutRequest): Promise<PutReply> {
    const { requestId = randomUUID() } = request;
    if (requestId.length > idLengthMax)
      return this.#refused(randomUUID(), 400, "the request's id is too long");
    const handler = this.#handlerFor(request);
    if ("statusCode" in handler) return this.#refused(requestId, handler.statusCode, handler.message);
    this.#remember({ state: "PENDING", requestId, statusCode: 202, href: hrefOf(requestId) });
    const result = await putResult(handler, request.value);
    return this.#remember({ ...result, requestId, href: hrefOf(requestId) });
  }

  /** Says what became of a request that nobody had a handler for. */
  answer(requestId: string, result: PutResult): PutReply {
    return this.#remember({ ...result, requestId, href: hrefOf(requestId) });
  }

  /** What became of a request. */
  find(requestId: string): PutReply | undefined {
    return this.#replies.get(requestId)?.reply;
  }

  #handlerFor({
    context,
    path,
    source,
  }: PutRequest): PutRegistration | { statusCode: number; message: string } {
    const handlers = this.#handlers.get(keyOf(context, path));
    const only = handlers?.size === 1 ? [...handlers.values()][0] : undefined;
    const found = source === undefined ? only : (handlers?.get(source) ?? handlers?.get(pluginIdOf(source)));
    if (found !== undefined) return found;
    if (source === undefined && handlers !== undefined) {
      const message =
        "there are multiple sources for the given path, but no source was specified in the request";
      return { statusCode: 400, message };
    }
    return { statusCode: 405, message: `PUT not supported for ${path}` };
  }

  #refused(requestId: string, statusCode: number, message: string): PutReply {
    return this.#remember({ state: "COMPLETED", requestId, statusCode, message, href: hrefOf(requestId) });
  }

  #remember(reply: PutReply): PutReply {
    const nowMs = this.#clock.nowMs();
    this.#replies.delete(reply.requestId);
    this.#replies.set(reply.requestId, { reply, atMs: nowMs });
    for (const [id, { atMs }] of this.#replies) {
      if (this.#replies.size <= requestsMax && nowMs - atMs < rememberedMs) break;
      this.#replies.delete(id);
    }
    return reply;
  }
}

function keyOf(context: string, path: string): string {
  return `${context} ${path}`;
}

function hrefOf(requestId: string): string {
  return `/signalk/v1/requests/${encodeURIComponent(requestId)}`;
}
