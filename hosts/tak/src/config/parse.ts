/**
 * Reads the host's YAML file. The names are those of the OmniTAK project where it has them; what it has and
 * this host does not do is refused by name, never ignored. All problems of a file are told at once, each with
 * line and column.
 */

import { type Aggregation, defaultAggregation } from "../aggregate.ts";
import type { FilterSpec } from "../filters/spec.ts";
import type { Route, Routing } from "../routes/route-table.ts";
import { readListener, readServer } from "./connections.ts";
import { readFilter, readFilterFields } from "./filter.ts";
import { Ids, readId } from "./ids.ts";
import { grantableDefault, noPlugins, readPlugins } from "./plugins.ts";
import { ConfigReader, type Section, type Value } from "./reader.ts";
import type { ChainEntry, PluginSettings, StreamLimits, TakConfig } from "./settings.ts";

export interface ParseOptions {
  /** Names of the capabilities that the program can give; a grant of another one is refused. */
  readonly grantable?: Iterable<string>;
}

/**
 * Reads and checks a configuration.
 *
 * @param text YAML 1.2, one document of at most 1 MiB.
 * @param file Its name, for messages.
 * @throws tak/config with `details.problems`: each has line, column, path and message
 */
export function parseTakConfig(text: string, file: string, options: ParseOptions = {}): TakConfig {
  const reader = new ConfigReader(text, file);
  const grantable = new Set(options.grantable ?? grantableDefault);
  const config = reader.root.section((section) => readAll(section, file, grantable));
  reader.throwProblems();
  return config;
}

/** Sections of OmniTAK's files that this host does not have, and what to do instead. */
const refusedSections: Readonly<Record<string, string>> = {
  api: "the administration interface is not available yet",
  app: "there is nothing to set here: connections are bounded at each listener",
  application: "there is nothing to set here: connections are bounded at each listener",
  auth: "the administration interface is not available yet",
  discovery: "discovery is not available yet",
  logging: "logging is set where the program is started",
  metrics: "metrics are not available yet",
  performance: 'buffers are bounded in "limits"',
  security: "the administration interface is not available yet",
  storage: "nothing is stored",
};

function readAll(section: Section, file: string, grantable: ReadonlySet<string>): TakConfig {
  for (const [key, reason] of Object.entries(refusedSections))
    section.refuse(key, `Not available: ${reason}`);
  const connections = { ids: new Ids(), addresses: new Ids() };
  const stages = new Ids();
  const filters = section.readOr("filters", (at) => readFilters(at, stages), []);
  const { plugins, ...pluginsOf } = section.readOr(
    "plugins",
    (at) => at.section((own) => readPlugins(own, { ids: stages, grantable })),
    noPlugins,
  );
  return {
    file,
    listeners: listOf(section, "listeners", (value) => readListener(value, connections)),
    servers: listOf(section, "servers", (value) => readServer(value, connections)),
    chain: readChain(section.get("chain"), [...filters, ...plugins.map(pluginEntry)], stages),
    routing: readRouting(section, connections.ids),
    aggregation: section.readOr("aggregation", (at) => at.section(readAggregation), defaultAggregation),
    limits: section.readOr("limits", (at) => at.section(readStreamLimits), defaultStreamLimits),
    elevation: section.readOr("elevation", (at) => at.section(readElevation), undefined),
    ...pluginsOf,
    grantable,
    plugins,
  };
}

function readElevation(section: Section): string {
  return section.read("folder", (at) => at.text(), "");
}

function listOf<Item>(section: Section, key: string, read: (value: Value) => Item): Item[] {
  return section.readOr(key, (at) => at.list({ lengthMax: 1_000 }).map(read), []);
}

type Candidate = { readonly enabled: boolean; readonly entry: ChainEntry };

function readFilters(value: Value, ids: Ids): Candidate[] {
  if (value.isMapping()) {
    value.problem(
      `Not available with "mode" and "rules": write a list of filters, and their ids into "chain"`,
    );
    return [];
  }
  return value.list({ lengthMax: 1_000 }).map((item) =>
    item.section((section) => ({
      enabled: section.readOr("enabled", (at) => at.boolean(), true),
      entry: {
        kind: "native",
        id: readId(section, ids),
        onFailure: section.readOr("on_failure", (at) => at.oneOf(["block", "pass"]), "block"),
        filter: readFilterFields(section),
      },
    })),
  );
}

function pluginEntry(plugin: PluginSettings): Candidate {
  return { enabled: plugin.enabled, entry: { kind: "plugin", id: plugin.id, plugin } };
}

/** Without `chain:` the native filters come first, then the filter plugins, then the transformers. */
function readChain(value: Value | undefined, candidates: readonly Candidate[], ids: Ids): ChainEntry[] {
  const enabled = candidates.filter((candidate) => candidate.enabled).map((candidate) => candidate.entry);
  if (value === undefined) return enabled;
  const places = new Ids();
  const order = value.list({ lengthMax: 1_000 }).map((item) => {
    const id = ids.refer(item, "filter or plugin");
    places.claim(id, item);
    return id;
  });
  for (const { id } of enabled) {
    // It would never run, which is not what "enabled" says.
    if (id !== "" && !order.includes(id)) value.problem(`"${id}" is enabled and has no place in the chain`);
  }
  return order.flatMap((id) => enabled.find((entry) => entry.id === id) ?? []);
}

const strategies = ["all", "first_match", "multicast", "unicast", "first"] as const;

function readRouting(section: Section, connections: Ids): Routing | undefined {
  const strategy = section.readOr("strategy", (at) => at.oneOf(strategies), "all");
  const defaultDestination = section.readOr(
    "default_destination",
    (at) => connections.refer(at, "listener or server"),
    undefined,
  );
  const ids = new Ids();
  const routes = listOf(section, "routes", (value) => readRoute(value, ids, connections));
  if (routes.length === 0 && defaultDestination === undefined) return undefined;
  const isAll = strategy === "all" || strategy === "multicast";
  return { strategy: isAll ? "all" : "first_match", defaultDestination, routes };
}

function readRoute(value: Value, ids: Ids, connections: Ids): Route {
  return value.section((section) => ({
    id: readId(section, ids),
    description: section.readOr("description", (at) => at.text({ isEmptyAllowed: true }), ""),
    filter: section.read<FilterSpec>("filter", readFilter, { type: "or", filters: [] }),
    destinations: section.read(
      "destinations",
      (at) => at.list({ lengthMin: 1 }).map((item) => connections.refer(item, "listener or server")),
      [],
    ),
    priority: section.readOr("priority", (at) => at.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), 0),
    enabled: section.readOr("enabled", (at) => at.boolean(), true),
  }));
}

function readAggregation(section: Section): Aggregation {
  return {
    enabled: section.readOr("enabled", (at) => at.boolean(), defaultAggregation.enabled),
    uidsMax: section.readOr(
      "max_uids",
      (at) => at.integer({ min: 100, max: 10_000_000 }),
      defaultAggregation.uidsMax,
    ),
    windowMs: section.readOr(
      "dedup_window_secs",
      (at) => at.durationMs({ minMs: 100, maxMs: 3_600_000 }),
      defaultAggregation.windowMs,
    ),
  };
}

const defaultStreamLimits: StreamLimits = {
  eventBytesMax: 1024 * 1024,
  badEventsMax: 100,
  queueBytesMax: 4 * 1024 * 1024,
};

function readStreamLimits(section: Section): StreamLimits {
  const bytes = { min: 1_024, max: 1024 * 1024 * 1024 };
  return {
    eventBytesMax: section.readOr(
      "max_event_bytes",
      (at) => at.integer(bytes),
      defaultStreamLimits.eventBytesMax,
    ),
    badEventsMax: section.readOr(
      "max_bad_events",
      (at) => at.integer({ min: 1, max: 1_000_000 }),
      defaultStreamLimits.badEventsMax,
    ),
    queueBytesMax: section.readOr(
      "max_queue_bytes",
      (at) => at.integer(bytes),
      defaultStreamLimits.queueBytesMax,
    ),
  };
}
