/** Operations on the manager of another process, through its admin interface. */

import { isRemoraError, RemoraError } from "remora/base";
import type { Endpoint } from "./endpoint-file.ts";
import { adminErrors } from "./errors.ts";
import type { AuditQuery, Happening, Operations } from "./operations.ts";
import { readEvents } from "./read-events.ts";
import { type ProblemView, uploadOriginCharsMax } from "./views.ts";

/** Errors have the codes and sentences that they have over there. */
export function remoteOperations(endpoint: Endpoint): Operations {
  const ask = <Answer>(method: string, path: string, body?: unknown) =>
    send<Answer>(endpoint, { method, path, ...(body !== undefined && { body }) });
  const of = (name: string, more = "") => `/v1/plugins/${encodeURIComponent(name)}${more}`;
  const consent = (name: string, more: string) => `/v1/consents/${encodeURIComponent(name)}/${more}`;
  return {
    list: async () =>
      (await ask<{ plugins: Awaited<ReturnType<Operations["list"]>> }>("GET", "/v1/plugins")).plugins,
    details: (name) => ask("GET", of(name)),
    install: (source, options = {}) =>
      "ref" in source
        ? ask("POST", "/v1/plugins", { ref: source.ref, ...options })
        : ask("POST", `/v1/bundles?${uploadQuery(source.origin, options)}`, source.bytes),
    update: (name, range) => ask("POST", of(name, "/update"), { ...(range !== undefined && { range }) }),
    rollback: (name, version) =>
      ask("POST", of(name, "/rollback"), { ...(version !== undefined && { version }) }),
    remove: (name, { data }) => ask("DELETE", of(name, `?data=${data}`)),
    enable: (name) => ask("POST", of(name, "/enable")),
    disable: (name) => ask("POST", of(name, "/disable")),
    reload: (name) => ask("POST", of(name, "/reload")),
    settings: async (name) => (await ask<{ settings: unknown }>("GET", of(name, "/settings"))).settings,
    changeSettings: (name, settings) => ask("PUT", of(name, "/settings"), { settings }),
    give: (name, grant) => ask("POST", of(name, "/grants"), grant),
    revoke: (name, grant) => ask("POST", of(name, "/grants/revoke"), grant),
    held: async () =>
      (await ask<{ consents: Awaited<ReturnType<Operations["held"]>> }>("GET", "/v1/consents")).consents,
    accept: ({ plugin, id }, items) =>
      ask("POST", consent(plugin, "accept"), { id, ...(items !== undefined && { items }) }),
    refuse: ({ plugin, id }) => ask("POST", consent(plugin, "refuse"), { id }),
    audit: async (query) =>
      (
        await ask<{ records: Awaited<ReturnType<Operations["audit"]>> }>(
          "GET",
          `/v1/audit?${auditQuery(query)}`,
        )
      ).records,
    verifyAudit: (expected) => {
      const query = expected === undefined ? "" : `?seq=${expected.seq}&hash=${expected.hash}`;
      return ask("GET", `/v1/audit/verify${query}`);
    },
    follow: (options) => follow(endpoint, options),
    close: async () => {},
  };
}

function uploadQuery(origin: string, { isEnabled }: { readonly isEnabled?: boolean }): URLSearchParams {
  const query = new URLSearchParams();
  if (origin !== "") query.set("origin", origin.slice(0, uploadOriginCharsMax));
  if (isEnabled !== undefined) query.set("isEnabled", String(isEnabled));
  return query;
}

function auditQuery({ recordsMax, beforeSeq, plugin, kind }: AuditQuery): URLSearchParams {
  const query = new URLSearchParams({ limit: String(recordsMax) });
  if (beforeSeq !== undefined) query.set("before", String(beforeSeq));
  if (plugin !== undefined) query.set("plugin", plugin);
  if (kind !== undefined) query.set("kind", kind);
  return query;
}

interface Ask {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
}

async function send<Answer>(endpoint: Endpoint, ask: Ask): Promise<Answer> {
  const response = await reach(endpoint, ask);
  if (response.status === 204) return undefined as Answer;
  // The other side is the same version of this code, on the same machine: its schemas are these types.
  const answer = await objectOf(response, endpoint);
  if (!response.ok) throw toldError(answer as ProblemView);
  return answer as Answer;
}

/** @throws admin/foreign-answer another program has the port of a manager that was killed */
async function objectOf(response: Response, endpoint: Endpoint): Promise<object> {
  const { status } = response;
  const { address } = endpoint;
  const answer: unknown = await response.json().catch((error: unknown) => {
    if (error instanceof SyntaxError) return undefined;
    throw unreachable(endpoint, error);
  });
  const isOurs = typeof answer === "object" && answer !== null && (response.ok || "error" in answer);
  if (!isOurs) throw adminErrors["foreign-answer"]({ address, status });
  return answer;
}

/** One that is busy starting a large plugin answers late. */
const aliveMsMax = 10_000;

/**
 * Whether the manager that wrote the endpoint is still there. One that was killed leaves it behind, and its port may be
 * another program's by now, which need not answer at all.
 */
export async function isAlive(endpoint: Endpoint, withinMs: number = aliveMsMax): Promise<boolean> {
  const signal = AbortSignal.timeout(withinMs);
  try {
    const response = await reach(endpoint, { method: "GET", path: "/v1/plugins" }, signal);
    const answer = await objectOf(response, endpoint);
    // Whoever does not know the token is another manager; one that was asked too much is ours.
    return response.ok ? "plugins" in answer : response.status !== 401;
  } catch (error) {
    if (signal.aborted || isRemoraError(error)) return false;
    throw error;
  }
}

async function reach(
  endpoint: Endpoint,
  { method, path, body }: Ask,
  signal?: AbortSignal,
): Promise<Response> {
  const isBytes = body instanceof Uint8Array;
  const type = isBytes ? "application/octet-stream" : "application/json";
  try {
    return await fetch(new URL(path, endpoint.address), {
      method,
      headers: {
        authorization: `Bearer ${endpoint.token}`,
        ...(body !== undefined && { "content-type": type }),
      },
      ...(body !== undefined && { body: isBytes ? new Uint8Array(body) : JSON.stringify(body) }),
      ...(signal !== undefined && { signal }),
    });
  } catch (cause) {
    if (signal?.aborted === true) throw cause;
    throw unreachable(endpoint, cause);
  }
}

/** What Node says of a connection that there is none, or that was cut: the reason is behind it. */
function unreachable({ address }: Endpoint, cause: unknown): RemoraError {
  const { code } = ((cause as Error).cause ?? {}) as { readonly code?: string };
  const reason = (code !== undefined && meanings[code]) || (code ?? String(cause));
  return adminErrors.unreachable({ address, reason }, cause);
}

const meanings: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nobody listens there",
  ECONNRESET: "the connection was cut",
  UND_ERR_SOCKET: "the connection was cut",
  UND_ERR_HEADERS_TIMEOUT: "it does not answer",
};

function toldError({ error, message, fault }: ProblemView): RemoraError {
  const known = ["guest", "publisher", "operator", "platform"] as const;
  return new RemoraError({
    code: error,
    message,
    fault: known.find((one) => one === fault) ?? "platform",
    details: undefined,
  });
}

async function* follow(
  endpoint: Endpoint,
  { metrics, signal }: { readonly metrics: boolean; readonly signal: AbortSignal },
): AsyncIterable<Happening> {
  const path = `/v1/events?metrics=${metrics}`;
  try {
    const response = await reach(endpoint, { method: "GET", path }, signal);
    if (!response.ok) throw toldError((await objectOf(response, endpoint)) as ProblemView);
    if (response.body !== null) yield* readEvents(response.body);
  } catch (error) {
    if (signal.aborted) return;
    throw isRemoraError(error) ? error : unreachable(endpoint, error);
  }
}
