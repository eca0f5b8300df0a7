/**
 * A whole request in one call, for hosts that give their guests a function of their own for it. Redirects are
 * followed, and each is a request like the first: the gate decides again and the name is resolved again.
 */

import { joinedBytes } from "../../base/index.ts";
import type { HttpClient, HttpRequest, OpenResponse } from "./client.ts";
import { HttpFailure } from "./failure.ts";
import { type Header, isCredential } from "./headers.ts";
import { targetOf } from "./target.ts";

export interface WholeRequest extends HttpRequest {
  readonly body?: Uint8Array;
}

export interface WholeResponse {
  readonly status: number;
  readonly headers: readonly Header[];
  readonly body: Uint8Array;
  /** Where the response came from, after redirects. */
  readonly url: string;
}

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Sends a request and receives all of its response.
 *
 * @throws HttpFailure with the reason in the terms of wasi:http
 */
export async function requestWhole(client: HttpClient, first: WholeRequest): Promise<WholeResponse> {
  const deadlineMs = performance.now() + client.limits.httpTimeMsMax;
  let request = first;
  for (let followed = 0; ; followed++) {
    const totalMs = deadlineMs - performance.now();
    if (totalMs <= 0) throw new HttpFailure({ tag: "HTTP-response-timeout" });
    const { response, location } = await exchange(client, request, totalMs);
    if (location === undefined) return { ...response, url: request.url };
    if (followed >= client.limits.httpRedirectsMax) throw new HttpFailure({ tag: "loop-detected" });
    request = redirected(request, { status: response.status, location });
  }
}

async function exchange(
  client: HttpClient,
  request: WholeRequest,
  totalMs: number,
): Promise<{ response: Omit<WholeResponse, "url">; location: string | undefined }> {
  const body = request.body ?? new Uint8Array(0);
  const headers = request.headers.filter(([name]) => name.toLowerCase() !== "content-length");
  if (body.length > 0) headers.push(["Content-Length", new TextEncoder().encode(String(body.length))]);
  const open = client.open({ ...request, headers }, { totalMs });
  try {
    if (body.length > 0) open.write(body);
    open.end();
    const response = await open.response;
    const location = redirects.has(response.status) ? headerValue(response, "location") : undefined;
    const received = location === undefined ? await bodyOf(response) : new Uint8Array(0);
    // It may have been taken while nothing came: an empty body asks nobody.
    if (!open.isGiven) throw new HttpFailure({ tag: "connection-terminated" });
    return { response: { ...response, body: received }, location };
  } finally {
    open.close();
  }
}

/** The body, which the client bounds. */
async function bodyOf(response: OpenResponse): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  try {
    for await (const part of response.body) {
      response.take(part);
      parts.push(part);
    }
  } catch (error) {
    // Ours says why; whatever else ended it, it is not whole.
    throw error instanceof HttpFailure ? error : new HttpFailure({ tag: "HTTP-response-incomplete" });
  }
  if (!response.body.complete) throw new HttpFailure({ tag: "HTTP-response-incomplete" });
  return joinedBytes(parts);
}

function redirected(
  request: WholeRequest,
  options: { readonly status: number; readonly location: string },
): WholeRequest {
  const { status, location } = options;
  const from = targetOf(request.url);
  if (!URL.canParse(location, from.url)) throw new HttpFailure({ tag: "HTTP-request-URI-invalid" });
  // Read relative to where we are, and then as strictly as the first.
  const url = /^[a-z][a-z0-9+.-]*:/i.test(location) ? location : new URL(location, from.url).href;
  const to = targetOf(url);
  const isSeeOther = status === 303 || ((status === 301 || status === 302) && request.method === "POST");
  const method = isSeeOther && request.method !== "HEAD" ? "GET" : request.method;
  const isElsewhere = to.origin !== from.origin;
  const headers = request.headers.filter(([name]) => {
    const lower = name.toLowerCase();
    if (isElsewhere && isCredential(lower)) return false;
    return method === request.method || !lower.startsWith("content-");
  });
  const { body: _dropped, ...bodiless } = request;
  return { ...(method === request.method ? request : bodiless), method, url, headers };
}

function headerValue(response: OpenResponse, wanted: string): string | undefined {
  const found = response.headers.find(([name]) => name.toLowerCase() === wanted);
  return found === undefined ? undefined : Buffer.from(found[1]).toString("latin1");
}
