/** From method and path to a handler. Routes are few, and none has more than one way to match. */

import type { Handler } from "./exchange.ts";

export interface Route {
  readonly method: string;
  readonly parts: readonly string[];
  readonly handler: Handler;
}

export interface Found {
  readonly handler: Handler;
  readonly params: Readonly<Record<string, string>>;
}

/**
 * @param pattern `/plugins/:id/config`; a part with a colon takes any, `*` at the end takes the rest.
 */
export function route(method: string, pattern: string, handler: Handler): Route {
  return { method, parts: pattern.split("/").slice(1), handler };
}

/**
 * @param path Parts of the path, decoded.
 * @returns    the first that fits; `"method"` when only another method would
 */
export function findRoute(
  routes: readonly Route[],
  method: string,
  path: readonly string[],
): Found | "method" | undefined {
  let isOtherMethod = false;
  for (const { method: wanted, parts, handler } of routes) {
    const params = matchRoute(parts, path);
    if (params === undefined) continue;
    if (wanted === method || wanted === "*") return { handler, params };
    isOtherMethod = true;
  }
  return isOtherMethod ? "method" : undefined;
}

function matchRoute(parts: readonly string[], path: readonly string[]): Record<string, string> | undefined {
  const hasRest = parts.at(-1) === "*";
  if (hasRest ? path.length < parts.length - 1 : path.length !== parts.length) return undefined;
  const params: Record<string, string> = Object.create(null);
  for (const [index, part] of parts.entries()) {
    if (part === "*" && hasRest && index === parts.length - 1) params["*"] = path.slice(index).join("/");
    else if (part.startsWith(":")) params[part.slice(1)] = path[index] ?? "";
    else if (part !== path[index]) return undefined;
  }
  return params;
}
