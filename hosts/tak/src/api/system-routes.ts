/** How the host is: status, health, metrics, and what was done by whom. */

import type { Connections } from "../connections.ts";
import type { TakHost } from "../host.ts";
import { takHostVersion } from "../plugin/plugin-host.ts";
import { wholeOf } from "./body.ts";
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
    look("/api/v1/status", "The host in figures", async () => {
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
    look("/api/v1/health", "Whether all plugins are well", async () => health(options), "everybody"),
    {
      method: "GET",
      path: "/api/v1/metrics",
      role: "reader",
      summary: "Metrics by OmniTAK's names, in the text format of Prometheus",
      handle: async () => ({
        status: 200,
        type: "text/plain; version=0.0.4; charset=utf-8",
        body: metricsText({ ...options, uptimeSeconds: uptimeSeconds() }),
      }),
    },
    look("/api/v1/audit", "Who did what, newest first", ({ query }) => audit(host, query), "admin"),
  ];
}

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
async function audit({ manager }: TakHost, { limit = "100" }: Readonly<Record<string, string | undefined>>) {
  const recordsMax = wholeOf(limit, "limit", { max: 1_000 });
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
