/**
 * OmniTAK's API over this host: its paths, its JSON, its roles and its statuses; with figures that were measured,
 * changes that happen, and sockets that ask who comes.
 * https://github.com/engindearing-projects/omniTAK, docs/PLUGIN_API.md and crates/omnitak-api
 */

import type { Connections } from "../connections.ts";
import type { TakHost } from "../host.ts";
import type { KeptChanges } from "../kept-changes.ts";
import { authRoutes } from "./auth-routes.ts";
import { connectionRoutes } from "./connection-routes.ts";
import { cotRoutes } from "./cot-routes.ts";
import { filterRoutes } from "./filter-routes.ts";
import { type JsonSchema, objectWith, someText, someTime } from "./json-schema.ts";
import { liveSockets } from "./live-sockets.ts";
import type { ApiAnswer, ApiRoute, ApiSocket } from "./mounted.ts";
import { Observations } from "./observations.ts";
import { pluginRoutes } from "./plugin-routes.ts";
import { withoutFolder } from "./plugin-views.ts";
import { systemRoutes } from "./system-routes.ts";

export interface OmnitakApi {
  readonly name: string;
  readonly prefix: string;
  readonly routes: readonly ApiRoute[];
  readonly sockets: readonly ApiSocket[];
  readonly problemSchema: JsonSchema;
  problem(status: number, error: { readonly code: string; readonly message: string }): ApiAnswer;
  /** Ends the watching of the host. */
  close(): void;
}

export interface OmnitakApiOptions {
  readonly host: TakHost;
  readonly connections: Connections;
  /** What was made over this API, which a restart finds again. */
  readonly kept: KeptChanges;
  /** Where paths of requests begin, and what they do not leave. */
  readonly pluginFolder: string;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  /** What the process holds. */
  readonly memoryBytes: () => number;
}

export function omnitakApi(options: OmnitakApiOptions): OmnitakApi {
  const { host, connections, kept, pluginFolder, nowMs, memoryBytes } = options;
  const { manager } = host;
  const seen = new Observations(manager, nowMs);
  const live = liveSockets({ host, connections, seen, nowMs });
  return {
    name: "OmniTAK",
    prefix: "/api/v1",
    routes: [
      ...pluginRoutes({ host, pluginFolder, seen, nowMs }),
      ...systemRoutes({ host, connections, seen, nowMs, memoryBytes }),
      ...connectionRoutes({ connections, kept, nowMs }),
      ...filterRoutes({ host, kept, nowMs }),
      ...cotRoutes({ host, connections, nowMs }),
      ...authRoutes(nowMs),
    ],
    sockets: live.sockets,
    problemSchema,
    problem: (status, { code, message }) =>
      problem(status, { code, message: withoutFolder(message, manager.folder) }, nowMs()),
    close() {
      live.close();
      seen.close();
    },
  };
}

const problemSchema = {
  ...objectWith(
    { error: someText, message: someText, details: objectWith({ code: someText }), timestamp: someTime },
    ["details"],
  ),
  description: "Why it could not be done; `details.code` is a code of docs/errors.md",
};

/** By its documents: a request that is not right is 400, whatever is not right about it. */
function problem(
  status: number,
  { code, message }: { readonly code: string; readonly message: string },
  nowMs: number,
): ApiAnswer {
  const answered = statuses[code] ?? ([413, 415, 422].includes(status) ? 400 : status);
  const isInvalid = invalid.has(code);
  const error = isInvalid
    ? "validation_error"
    : (codes[answered] ?? (answered >= 500 ? "internal_error" : "bad_request"));
  return {
    status: answered,
    body: { error, message, details: { code }, timestamp: new Date(nowMs).toISOString() },
  };
}

const invalid: ReadonlySet<string> = new Set([
  "admin/bad-name",
  "admin/bad-request",
  "admin/unsupported-type",
  "manager/settings",
  "tak/api-request",
]);

const statuses: Readonly<Record<string, number>> = {
  "tak/no-such-connection": 404,
  "tak/no-such-filter": 404,
  "tak/connection-exists": 409,
  "tak/connection-of-file": 409,
  "tak/not-reloaded": 500,
  "tak/plugin-held": 409,
};

const codes: Readonly<Record<number, string>> = {
  401: "unauthorized",
  403: "insufficient_permissions",
  404: "not_found",
  409: "conflict",
  429: "rate_limit_exceeded",
};
