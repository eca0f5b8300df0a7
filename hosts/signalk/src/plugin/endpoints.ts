/** The HTTP endpoints that a plugin serves: its own list, read with bounds, and matched without backtracking. */

import { isRecord } from "../delta/delta.ts";
import { signalkErrors } from "../errors.ts";

export interface Endpoint {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below the plugin's own path: `/api/marks/:id`. */
  readonly path: string;
  /** The export that answers. */
  readonly handler: string;
}

export interface EndpointRequest {
  readonly method: string;
  /** Without the plugin's own path. */
  readonly path: string;
  readonly query: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}

/** A request with the endpoint that it is for, and the parts of its path that the endpoint names. */
export interface MatchedRequest extends EndpointRequest {
  readonly endpoint: Endpoint;
  readonly params: Readonly<Record<string, string>>;
}

export interface EndpointResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

const endpointsMax = 100;
const pathLengthMax = 512;
export const headersMax = 100;

const methods: ReadonlySet<string> = new Set(["GET", "POST", "PUT", "DELETE"]);

/** Headers that say how a message is carried are this host's own. */
const ownHeaders: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
  "trailer",
]);

/** @throws signalk/bad-answer it is no list of endpoints */
export function readEndpoints(plugin: string, json: string): readonly Endpoint[] {
  const bad = (cause?: unknown) =>
    signalkErrors["bad-answer"](
      { plugin, name: "http_endpoints", expected: `at most ${endpointsMax} of {method, path, handler}` },
      cause,
    );
  let data: unknown;
  try {
    data = JSON.parse(json);
  } catch (cause) {
    throw bad(cause);
  }
  if (!Array.isArray(data) || data.length > endpointsMax) throw bad();
  return data.flatMap((entry: unknown) => {
    if (!isRecord(entry)) throw bad();
    const { method, path, handler } = entry;
    if (typeof method !== "string" || typeof path !== "string" || typeof handler !== "string") throw bad();
    if (!path.startsWith("/") || path.length > pathLengthMax) throw bad();
    const upper = method.toUpperCase();
    // Others are left out, as signalk-server does. The set has the type's own words.
    return methods.has(upper) ? [{ method: upper as Endpoint["method"], path, handler }] : [];
  });
}

/**
 * The endpoint for a request and the parts of the path that it names.
 *
 * @param path Decoded part by part by whoever serves.
 */
export function matchEndpoint(
  endpoints: readonly Endpoint[],
  method: string,
  path: string,
): { readonly endpoint: Endpoint; readonly params: Readonly<Record<string, string>> } | undefined {
  const parts = split(path);
  for (const endpoint of endpoints) {
    if (endpoint.method !== method && !(method === "HEAD" && endpoint.method === "GET")) continue;
    const params = matchParts(split(endpoint.path), parts);
    if (params !== undefined) return { endpoint, params };
  }
  return undefined;
}

function matchParts(wanted: readonly string[], parts: readonly string[]): Record<string, string> | undefined {
  if (wanted.length !== parts.length) return undefined;
  const params: Record<string, string> = Object.create(null);
  for (const [index, part] of parts.entries()) {
    const want = wanted[index] ?? "";
    if (want.startsWith(":") && want.length > 1 && part !== "") params[want.slice(1)] = part;
    else if (want !== part) return undefined;
  }
  return params;
}

function split(path: string): string[] {
  return path.replace(/\/$/, "").split("/");
}

/** @throws signalk/bad-answer it is no response */
export function readResponse(plugin: string, handler: string, json: string): EndpointResponse {
  let data: unknown;
  try {
    data = JSON.parse(json);
  } catch (cause) {
    throw badResponse(plugin, handler, cause);
  }
  return checkResponse(plugin, handler, data);
}

/** @throws signalk/bad-answer it is no response */
export function checkResponse(plugin: string, handler: string, data: unknown): EndpointResponse {
  const bad = () => badResponse(plugin, handler);
  if (!isRecord(data)) throw bad();
  const { statusCode = 200, headers = {}, body = "" } = data;
  if (
    typeof statusCode !== "number" ||
    !Number.isInteger(statusCode) ||
    statusCode < 200 ||
    statusCode > 599
  ) {
    throw bad();
  }
  if (!isRecord(headers) || Object.keys(headers).length > headersMax) throw bad();
  const read = readHeaders(headers, bad);
  if (typeof body === "string" || body instanceof Uint8Array) return { statusCode, headers: read, body };
  const hasType = Object.keys(read).some((name) => name.toLowerCase() === "content-type");
  if (!hasType) read["Content-Type"] = "application/json; charset=utf-8";
  return { statusCode, headers: read, body: JSON.stringify(body) };
}

function badResponse(plugin: string, handler: string, cause?: unknown): Error {
  return signalkErrors["bad-answer"](
    { plugin, name: handler, expected: "{statusCode, headers, body}" },
    cause,
  );
}

function readHeaders(headers: Record<string, unknown>, bad: () => Error): Record<string, string> {
  const read: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(headers)) {
    const text = typeof value === "number" ? String(value) : value;
    // RFC 9110 §5.6.2 and §5.5: nothing that could begin another header.
    if (!/^[\w!#$%&'*+.^`|~-]{1,128}$/.test(name) || typeof text !== "string") throw bad();
    if (!/^[\t\x20-\x7e\x80-\xff]{0,8192}$/.test(text)) throw bad();
    if (!ownHeaders.has(name.toLowerCase())) read[name] = text;
  }
  return read;
}
