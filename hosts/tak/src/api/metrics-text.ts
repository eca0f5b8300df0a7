/**
 * Metrics by the names that OmniTAK documents, in Prometheus' text format (version 0.0.4). One series a plugin: how many
 * plugins there are is the operator's choice, and beyond a bound they have none of their own.
 */

import { accountOf } from "remora/manager";
import type { SystemOptions } from "./system-routes.ts";

/** Seconds, as in its documents. */
const boundsSeconds = [0.000_01, 0.000_1, 0.001, 0.01, 0.1, 1] as const;
const pluginsMax = 200;

export function metricsText(options: SystemOptions & { readonly uptimeSeconds: number }): string {
  const { host, connections } = options;
  const received = host.stats().messages;
  const { messagesOut: sent } = connections.counts();
  const open = connections.endpoints.reduce((sum, { openCount }) => sum + openCount, 0);
  return [
    ...family("omnitak_connections_total", "gauge", "Connections of the configuration", [
      ["", connections.endpoints.length],
    ]),
    ...family("omnitak_connections_active", "gauge", "Open connections", [["", open]]),
    ...family("omnitak_messages_received_total", "counter", "Events that arrived", [["", received]]),
    ...family("omnitak_messages_sent_total", "counter", "Events that went out", [["", sent]]),
    ...family("omnitak_messages_processed_total", "counter", "Both together", [["", received + sent]]),
    ...family("omnitak_uptime_seconds", "gauge", "Since the host began", [["", options.uptimeSeconds]]),
    ...pluginFamilies(options),
    "",
  ].join("\n");
}

type Series = readonly [labels: string, value: number];

function family(name: string, type: string, help: string, series: readonly Series[]): string[] {
  return [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...series.map(([labels, value]) => `${name}${labels} ${value}`),
  ];
}

function pluginFamilies({ host: { manager }, seen }: SystemOptions): string[] {
  // Names of plugins are lower-case letters, digits and hyphens: nothing in them has to be escaped.
  const all = manager
    .list()
    .slice(0, pluginsMax)
    .map(({ name }) => ({ name, account: accountOf(manager.get(name)) }));
  const errors = all.flatMap(({ name, account }): Series[] => {
    const timeouts = seen.timeouts(name);
    const of = (type: string) => `{plugin_id="${name}",error_type="${type}"}`;
    return [
      [of("timeout"), timeouts],
      [of("trap"), Math.max(0, account.traps - timeouts)],
    ];
  });
  return [
    ...family(
      "omnitak_plugin_executions_total",
      "counter",
      "Calls into the plugin",
      all.map(({ name, account }) => [`{plugin_id="${name}"}`, account.calls]),
    ),
    ...family("omnitak_plugin_errors_total", "counter", "Calls that failed by fault of the plugin", errors),
    "# HELP omnitak_plugin_execution_duration_seconds Of the calls that are timed, one in sixteen",
    "# TYPE omnitak_plugin_execution_duration_seconds histogram",
    ...all.flatMap(({ name }) => histogram(name, manager.get(name).latency)),
  ];
}

function histogram(
  plugin: string,
  latency: { readonly total: number; readonly sumNs: number; countWithin(ns: number): number },
): string[] {
  const metric = "omnitak_plugin_execution_duration_seconds";
  const label = `plugin_id="${plugin}"`;
  return [
    ...boundsSeconds.map((le) => `${metric}_bucket{${label},le="${le}"} ${latency.countWithin(le * 1e9)}`),
    `${metric}_bucket{${label},le="+Inf"} ${latency.total}`,
    `${metric}_sum{${label}} ${latency.sumNs / 1e9}`,
    `${metric}_count{${label}} ${latency.total}`,
  ];
}
