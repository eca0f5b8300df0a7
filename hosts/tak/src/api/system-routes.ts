/** How the host is: status, health, metrics, and what was done by whom. */

import type { Connections } from "../connections.ts";
import type { TakHost } from "../host.ts";
import { takHostVersion } from "../plugin/plugin-host.ts";
import { described, ifThere, type Read, readAs, wholeText } from "./body.ts";
import {
  listOf,
  objectWith,
  oneOfTexts,
  orNull,
  someCount,
  someFlag,
  someNumber,
  someText,
  someTime,
  someUuid,
} from "./json-schema.ts";
import { metricsText } from "./metrics-text.ts";
import { type ApiRoute, look } from "./mounted.ts";
import type { Observations } from "./observations.ts";
import { healthView } from "./plugin-views.ts";
import { uuidOf } from "./uuid.ts";

export interface SystemOptions {
  readonly host: TakHost;
  readonly connections: Pick<Connections, "endpoints" | "counts">;
  readonly seen: Observations;
  readonly nowMs: () => number;
  /** Of the process. */
  readonly memoryBytes: () => number;
}

export function systemRoutes(options: SystemOptions): ApiRoute[] {
  const { host, connections, nowMs, memoryBytes } = options;
  const startedAtMs = performance.now();
  const uptimeSeconds = () => Math.floor((performance.now() - startedAtMs) / 1_000);
  return [
    look({ path: "/api/v1/status", summary: "The host in figures", answer: statusSchema }, async () => {
      const { messages } = host.stats();
      const seconds = uptimeSeconds();
      return {
        uptime_seconds: seconds,
        active_connections: openCount(connections),
        messages_processed: messages,
        messages_per_second: seconds === 0 ? 0 : messages / seconds,
        memory_usage_bytes: memoryBytes(),
        active_filters: host.config.chain.length + host.rules.enabledCount,
        version: takHostVersion,
        timestamp: new Date(nowMs()).toISOString(),
      };
    }),
    look(
      {
        path: "/api/v1/health",
        summary: "Whether all plugins are well",
        role: "everybody",
        answer: healthSchema,
      },
      async () => health(options),
    ),
    {
      method: "GET",
      path: "/api/v1/metrics",
      role: "reader",
      summary: "Metrics by OmniTAK's names, in the text format of Prometheus",
      schema: { answers: { 200: { description: "Metrics", type: "text/plain", schema: someText } } },
      handle: async () => ({
        status: 200,
        type: "text/plain; version=0.0.4; charset=utf-8",
        body: metricsText({ ...options, uptimeSeconds: uptimeSeconds() }),
      }),
    },
    look(
      {
        path: "/api/v1/audit",
        summary: "Who did what, newest first",
        role: "admin",
        query: auditQuery,
        answer: auditSchema,
      },
      ({ query }) => audit(host, readAs(auditQuery, query)),
    ),
  ];
}

const statusSchema = objectWith({
  uptime_seconds: someCount,
  active_connections: someCount,
  messages_processed: someCount,
  messages_per_second: someNumber,
  memory_usage_bytes: someCount,
  active_filters: someCount,
  version: someText,
  timestamp: someTime,
});

const healthSchema = objectWith({
  status: oneOfTexts(["healthy", "degraded"]),
  timestamp: someTime,
  plugins: objectWith({
    total: someCount,
    healthy: someCount,
    degraded: someCount,
    unhealthy: someCount,
    disabled: someCount,
  }),
});

const auditQuery = { limit: ifThere(described(wholeText({ min: 1, max: 1_000 }), "Default 100")) };

const auditSchema = listOf(
  objectWith({
    id: someUuid,
    user: someText,
    role: orNull(oneOfTexts(["admin", "operator", "readonly"])),
    action: someText,
    resource: someText,
    details: objectWith({ seq: someCount, status: someCount }, ["status"]),
    source_ip: someText,
    timestamp: someTime,
    success: someFlag,
  }),
);

function openCount({ endpoints }: SystemOptions["connections"]): number {
  return endpoints.reduce((sum, endpoint) => sum + endpoint.openCount, 0);
}

function health({ host, seen, nowMs }: SystemOptions) {
  const counts = { total: 0, healthy: 0, degraded: 0, unhealthy: 0, disabled: 0 };
  for (const info of host.manager.list()) {
    counts.total++;
    counts[healthView(info, seen, nowMs()).status]++;
  }
  // Whoever removed it did not take its place in the chain, where every event fails until it is there again.
  const gone = host.places.filter(({ isThere }) => !isThere).length;
  counts.total += gone;
  counts.unhealthy += gone;
  const isWell = counts.degraded === 0 && counts.unhealthy === 0;
  const timestamp = new Date(nowMs()).toISOString();
  return { status: isWell ? "healthy" : "degraded", timestamp, plugins: counts };
}

const roles: Readonly<Record<string, string>> = { admin: "admin", operator: "operator", reader: "readonly" };

/** Of the trail, what people did: plugins' own passages through the gate are in the whole of it. */
async function audit({ manager }: TakHost, { limit: recordsMax = 100 }: Read<typeof auditQuery>) {
  const { trail } = manager;
  if (trail === undefined) return [];
  const records = await trail.read({
    recordsMax,
    isWanted: ({ event: { kind } }) => kind === "admin.answered" || kind.startsWith("admin.log"),
  });
  return records.map(({ seq, hash, at, event }) => {
    const { kind, what, by, role, plugin, path, from, status } = event;
    return {
      id: uuidOf("record", `${seq} ${hash}`),
      user: by,
      role: roles[String(role)] ?? null,
      action: what ?? (kind === "admin.logged-in" ? "log in" : "log in, refused"),
      resource: plugin === undefined ? (path ?? "") : `/api/v1/plugins/${plugin}`,
      details: { seq, ...(status !== undefined && { status }) },
      source_ip: from ?? "",
      timestamp: at,
      success: typeof status === "number" ? status < 400 : kind === "admin.logged-in",
    };
  });
}
