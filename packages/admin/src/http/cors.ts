/**
 * Pages elsewhere that may call this interface. Before it sends a token, a browser asks whether the page may; and it hands
 * the page what it is told to alone (Fetch, "CORS protocol").
 */

import type { OriginGuard } from "../access/origin-guard.ts";
import type { App } from "./app.ts";

export interface CorsOptions {
  readonly origins: readonly string[];
  readonly guard: OriginGuard;
}

const allowed = {
  "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
  "access-control-allow-headers": "authorization, x-api-key, content-type",
  /** Seconds for which the browser need not ask again. */
  "access-control-max-age": 600,
};

const exposed = "retry-after, x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset";

/** Before whoever asks for a token: the browser's own question has none. */
export function addCors(app: App, { origins, guard }: CorsOptions): void {
  if (origins.length === 0) return;
  app.addHook("onRequest", async ({ method, headers, raw }, reply) => {
    // An answer to one page is none to another.
    void reply.header("vary", "origin");
    const { origin } = headers;
    if (origin === undefined || !origins.includes(origin)) return;
    void reply.headers({ "access-control-allow-origin": origin, "access-control-expose-headers": exposed });
    if (method !== "OPTIONS" || headers["access-control-request-method"] === undefined) return;
    guard(headers, raw.socket.localAddress);
    return reply.code(204).headers(allowed).send();
  });
}
