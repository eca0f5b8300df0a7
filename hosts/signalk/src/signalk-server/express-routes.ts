/** Routes of this host, as a handler for Express: what none of them takes goes on to signalk-server's own. */

import { type ApiResponse, notFound } from "../http/exchange.ts";
import { findRoute, type Route } from "../http/router.ts";
import type { ExpressHandler, ExpressRequest, ExpressResponse } from "./server-app.ts";

/**
 * @param routes Those of now, whenever somebody asks.
 * @param isOurs Whether a path is answered here at all.
 */
export function expressHandler(
  routes: () => readonly Route[],
  isOurs: (parts: readonly string[]) => boolean,
): ExpressHandler {
  return (request, response, next) => {
    const parts = partsOf(request.path);
    const found =
      parts !== undefined && isOurs(parts) ? findRoute(routes(), request.method, parts) : undefined;
    if (found === undefined || found === "method") {
      next();
      return;
    }
    const { method, headers, body } = request;
    // Express gives an empty object where there is no body.
    const given = isEmpty(body) && method === "GET" ? undefined : body;
    Promise.resolve(
      found.handler({ method, params: found.params, query: textsOf(request), headers, body: given }),
    )
      // Of what a plugin does not serve, the server says in its own words that it is not there.
      .then((answer) => (answer === notFound ? next() : send(response, answer)))
      .catch(next);
  };
}

function send(response: ExpressResponse, answer: ApiResponse): void {
  const isJson = "json" in answer;
  const body = isJson ? (JSON.stringify(answer.json) ?? "null") : answer.text;
  response
    .status(answer.status)
    .set(isJson ? { "Content-Type": "application/json; charset=utf-8" } : answer.headers)
    // Express writes other bytes than a Buffer as JSON.
    .send(typeof body === "string" ? body : Buffer.from(body));
}

function partsOf(path: string): string[] | undefined {
  try {
    return path
      .replace(/(?<=.)\/$/, "")
      .split("/")
      .slice(1)
      .map(decodeURIComponent);
  } catch {
    // Its only failure: the escapes are no UTF-8.
    return undefined;
  }
}

/** Express makes lists and objects of some queries; plugins get texts. */
function textsOf({ query }: ExpressRequest): Record<string, string> {
  return Object.fromEntries(
    Object.entries(query).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

function isEmpty(body: unknown): boolean {
  return typeof body === "object" && body !== null && Object.keys(body).length === 0;
}
