/** `remora:signalk/endpoints`: requests and responses between the server, where they are JSON, and the world. */

import { signalkErrors } from "../errors.ts";
import {
  checkResponse,
  type Endpoint,
  type EndpointResponse,
  headersMax,
  type MatchedRequest,
} from "../plugin/endpoints.ts";

/** What a string of AssemblyScript's plugins may have as well. */
const bodyBytesMax = 4 * 1024 * 1024;

type Pair = readonly [name: string, value: string];

interface WorldEndpoint {
  readonly method: string;
  readonly path: string;
}

interface WorldResponse {
  readonly statusCode: number;
  readonly headers: readonly Pair[];
  readonly body:
    | { readonly tag: "text"; readonly val: string }
    | { readonly tag: "bytes"; readonly val: Uint8Array };
}

/** As core modules list theirs; the endpoint itself stands for its handler. */
export function endpointsText(list: unknown): string {
  // The world's type of `list-endpoints`.
  const endpoints = list as readonly WorldEndpoint[];
  return JSON.stringify(
    endpoints.map(({ method, path }) => ({ method, path, handler: nameOf(method, path) })),
  );
}

export function worldRequest({ endpoint, path, params, query, headers, body }: MatchedRequest) {
  return {
    endpoint: { method: endpoint.method.toLowerCase(), path: endpoint.path },
    path,
    parameters: pairs(params),
    query: pairs(query),
    headers: pairs(headers),
    body: body === undefined || body === null ? undefined : JSON.stringify(body),
  };
}

/** @throws signalk/bad-answer */
export function responseOf(plugin: string, endpoint: Endpoint, answer: unknown): EndpointResponse {
  // The world's type of `handle`.
  const { statusCode, headers, body } = answer as WorldResponse;
  const bytes = typeof body.val === "string" ? Buffer.byteLength(body.val) : body.val.length;
  if (headers.length > headersMax || bytes > bodyBytesMax) {
    const expected = `at most ${headersMax} headers and ${bodyBytesMax} bytes`;
    throw signalkErrors["bad-answer"]({ plugin, name: endpoint.handler, expected });
  }
  const named: Record<string, string> = Object.create(null);
  for (const [name, value] of headers) named[name] = name in named ? `${named[name]}, ${value}` : value;
  return checkResponse(plugin, endpoint.handler, { statusCode, headers: named, body: body.val });
}

function nameOf(method: string, path: string): string {
  return `${method.toUpperCase()} ${path}`;
}

/** Of what has several values or none, those that are there. */
function pairs(record: Readonly<Record<string, unknown>>): Pair[] {
  return Object.entries(record).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value])
      .filter((each) => each !== undefined && each !== null)
      .map((each): Pair => [name, typeof each === "string" ? each : JSON.stringify(each)]),
  );
}
