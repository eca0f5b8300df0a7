/**
 * The server's door: HTTP on Node's own server, and the way to streams. Whoever comes here is a stranger: sizes are
 * bounded, paths are decoded once, and a page of another origin may not change anything.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { isShallow } from "../delta/delta.ts";
import { signalkErrors } from "../errors.ts";
import { type ApiResponse, failed, notFound } from "./exchange.ts";
import { findRoute, type Route } from "./router.ts";

export interface HttpServerOptions {
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  readonly routes: readonly Route[];
  /** Those that come and go, for paths that none of the others is for. */
  readonly changingRoutes?: () => readonly Route[];
  /** Takes a connection that wants to become a stream; `path` is decoded. */
  readonly upgrade: (
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    target: { readonly path: readonly string[]; readonly query: Readonly<Record<string, string>> },
  ) => void;
  readonly log: (line: string) => void;
}

export interface RunningHttp {
  readonly address: string;
  readonly port: number;
  close(): Promise<void>;
}

export const bodyBytesMax = 1024 * 1024;
/** What is written and compared with others later is walked along its depth. */
const bodyDepthMax = 64;
const pathLengthMax = 2_048;

/** @throws signalk/listen-failed the port cannot be had */
export async function openHttp(options: HttpServerOptions): Promise<RunningHttp> {
  const server = createServer((request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      options.log(`${request.method} failed: ${error instanceof Error ? error.message : String(error)}`);
      if (!response.headersSent) send(response, failed(500, "Internal error"), false);
    });
  });
  server.on("upgrade", (request, socket: Duplex, head) => {
    const target = targetOf(request.url ?? "");
    if (target === undefined || !isOwnOrigin(request)) socket.destroy();
    else options.upgrade(request, socket, head, target);
  });
  await listen(server, options);
  // A server on a port has such an address.
  const { address, port } = server.address() as AddressInfo;
  return {
    address,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, { host, port }: HttpServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException) =>
      reject(
        signalkErrors["listen-failed"](
          { address: `${host}:${port}`, reason: error.code ?? error.message },
          error,
        ),
      );
    server.once("error", refuse);
    server.listen({ host, port }, () => {
      server.off("error", refuse);
      resolve();
    });
  });
}

async function answer(
  options: HttpServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const method = request.method ?? "GET";
  const isHead = method === "HEAD";
  const target = targetOf(request.url ?? "");
  if (target === undefined) return send(response, failed(400, "The path is malformed"), isHead);
  const { routes, changingRoutes } = options;
  const find = (some: readonly Route[]) => findRoute(some, isHead ? "GET" : method, target.path);
  const found = find(routes) ?? find(changingRoutes?.() ?? []);
  if (found === undefined) return send(response, notFound, isHead);
  if (found === "method") return send(response, failed(405, `${method} is not allowed here`), isHead);
  if (!isHead && method !== "GET" && !isOwnOrigin(request)) {
    return send(response, failed(403, "A page of another origin may not do this"), isHead);
  }
  const body = await readBody(request);
  if ("status" in body) return send(response, body, isHead);
  const { query } = target;
  const result = await found.handler({
    method,
    params: found.params,
    query,
    headers: request.headers,
    body: body.data,
  });
  send(response, result, isHead);
}

/** The path's parts, decoded, and the query. A part that decodes to a separator is no part. */
function targetOf(url: string): { path: string[]; query: Record<string, string> } | undefined {
  if (!url.startsWith("/") || url.length > pathLengthMax) return undefined;
  const [path = "", search = ""] = url.split("?", 2);
  const parts: string[] = [];
  for (const part of path
    .replace(/(?<=.)\/$/, "")
    .split("/")
    .slice(1)) {
    const decoded = decode(part);
    if (decoded === undefined || /[/\0]/.test(decoded) || decoded === "..") return undefined;
    parts.push(decoded);
  }
  const query: Record<string, string> = Object.create(null);
  for (const [name, value] of new URLSearchParams(search)) query[name] = value;
  return { path: parts, query };
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    // Its only failure: the escapes are no UTF-8.
    return undefined;
  }
}

/** A browser says where a page came from; other clients do not, and are nobody's page. */
function isOwnOrigin({ headers }: IncomingMessage): boolean {
  const { origin, host } = headers;
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}

async function readBody(request: IncomingMessage): Promise<{ readonly data: unknown } | ApiResponse> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > bodyBytesMax) return failed(413, `The body has more than ${bodyBytesMax} bytes`);
    parts.push(part);
  }
  if (length === 0) return { data: undefined };
  // A page can send text anywhere without being asked; JSON it can not.
  if (!/^application\/(?:[\w.-]+\+)?json\b/.test(request.headers["content-type"] ?? "")) {
    return failed(415, "The body must be application/json");
  }
  let data: unknown;
  try {
    data = JSON.parse(Buffer.concat(parts).toString("utf8"));
  } catch {
    return failed(400, "The body is no JSON");
  }
  return isShallow(data, bodyDepthMax)
    ? { data }
    : failed(400, `The body is nested more than ${bodyDepthMax} levels deep`);
}

function send(response: ServerResponse, answer: ApiResponse, isHead: boolean): void {
  const text = "json" in answer ? (JSON.stringify(answer.json) ?? "null") : answer.text;
  const headers = "json" in answer ? { "Content-Type": "application/json; charset=utf-8" } : answer.headers;
  response.writeHead(answer.status, { ...headers, "Content-Length": Buffer.byteLength(text) });
  response.end(isHead ? undefined : text);
}
