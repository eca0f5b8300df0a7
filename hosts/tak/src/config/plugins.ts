/**
 * Reads `plugins`: OmniTAK's settings, and ours for each plugin (`on_failure`, `limits`, `grants`,
 * `xml_payload`). Nothing is granted to all plugins at once; what OmniTAK would and this host does not do is
 * refused rather than ignored.
 */

import { isRemoraError } from "remora/base";
import { isolations } from "remora/bundle";
import { defaultLimits, type Limits } from "remora/engine";
import { type CapabilityDefinition, type Grant, parseGrant, vocabularyWith } from "remora/policy";
import { type Ids, readId } from "./ids.ts";
import type { Json, Section, Value } from "./reader.ts";
import type { PluginSettings, TakConfig } from "./settings.ts";

/** Host functions of `omnitak:plugin`, which every plugin has; a grant of one says so and changes nothing. */
export const takCapabilities: readonly CapabilityDefinition[] = [
  { name: "tak.log", risk: "low", meaning: "Write lines to the host's log" },
  { name: "tak.clock", risk: "low", meaning: "Read the time in milliseconds" },
  { name: "tak.elevation", risk: "low", meaning: "Ask for the height of a place" },
];

export const takVocabulary = vocabularyWith(takCapabilities);

/**
 * What this host can give: its own functions, and of the sandbox what a guest on the caller's thread can use at
 * once. Files and the network come with isolation, where a guest may wait.
 */
export const grantableDefault: readonly string[] = [
  ...takCapabilities.map(({ name }) => name),
  ...["wasi.base", "clock.read", "random.read", "log.write"],
];

export const pageBytes = 65_536;

type PluginsSettings = Pick<
  TakConfig,
  "pluginDir" | "managerFolder" | "trust" | "trustedKeys" | "hotReload" | "plugins"
>;

/** Of a file that says nothing of plugins. */
export const noPlugins: PluginsSettings = {
  pluginDir: "./plugins",
  managerFolder: "./.remora",
  trust: "verified",
  trustedKeys: undefined,
  hotReload: false,
  plugins: [],
};

/**
 * @param context Ids that are taken in the chain, and the capabilities that the program around this
 *                configuration can give.
 */
export function readPlugins(
  section: Section,
  context: { readonly ids: Ids; readonly grantable: ReadonlySet<string> },
): PluginsSettings {
  const pluginDir = section.readOr("plugin_dir", (at) => at.text(), noPlugins.pluginDir);
  const limits = section.readOr("resource_limits", (at) => at.section(readResourceLimits), takLimits);
  section.readOr("sandbox_policy", (at) => at.section(readSandboxPolicy), undefined);
  const read = (kind: PluginSettings["kind"]) => (value: Value) =>
    value.section((plugin) => readPlugin(plugin, { kind, limits, ...context }));
  return {
    pluginDir,
    managerFolder: section.readOr(
      "manager_folder",
      (at) => at.text({ lengthMax: 500 }),
      noPlugins.managerFolder,
    ),
    trust: section.readOr(
      "trust",
      (at) => at.oneOf(["verified", "self-signed", "unsigned"]),
      noPlugins.trust,
    ),
    trustedKeys: section.readOr<string | undefined>(
      "trusted_keys",
      (at) => at.text({ lengthMax: 500 }),
      undefined,
    ),
    hotReload: section.readOr("hot_reload", (at) => at.boolean(), false),
    plugins: [
      ...section.readOr("filters", (at) => at.list({ lengthMax: 1_000 }).map(read("filter")), []),
      ...section.readOr("transformers", (at) => at.list({ lengthMax: 1_000 }).map(read("transformer")), []),
    ],
  };
}

/** The engine's, with the memory that OmniTAK gives, and a deadline with which a live stream barely stutters. */
export const takLimits: Limits = { ...defaultLimits, deadlineMs: 250, memoryPagesMax: 800 };

function readResourceLimits(section: Section): Limits {
  // Calls are made on one thread, one after the other, so that any number of at least one holds.
  section.readOr("max_concurrent_executions", (at) => at.integer({ min: 1, max: 1_000_000 }), 1);
  return {
    ...takLimits,
    deadlineMs: section.readOr(
      "max_execution_time_ms",
      (at) => at.number({ min: 0.01, max: 3_600_000 }),
      takLimits.deadlineMs,
    ),
    memoryPagesMax: section.readOr("max_memory_bytes", pagesOfBytes, takLimits.memoryPagesMax),
  };
}

function readSandboxPolicy(section: Section): void {
  for (const key of ["allow_network", "allow_filesystem_read", "allow_filesystem_write", "allow_env_vars"]) {
    section.readOr(
      key,
      refuseTrue("nothing is allowed to all plugins at once: use a plugin's grants"),
      false,
    );
  }
  const paths = section.get("allowed_paths");
  if (paths !== undefined && paths.list().length > 0) {
    paths.problem("Not available: no path is allowed to all plugins at once: use a plugin's grants");
  }
}

interface PluginDefaults {
  readonly kind: PluginSettings["kind"];
  readonly limits: Limits;
  readonly ids: Ids;
  readonly grantable: ReadonlySet<string>;
}

function readPlugin(section: Section, { kind, limits, ids, grantable }: PluginDefaults): PluginSettings {
  const givesXml = section.get("xml_payload");
  if (kind === "transformer")
    givesXml?.problemOfKey("Has a meaning for a filter alone: a transformer gets all");
  return {
    id: readId(section, ids),
    kind,
    path: section.read("path", (at) => at.text({ lengthMax: 500 }), ""),
    enabled: section.readOr("enabled", (at) => at.boolean(), true),
    config: section.readOr<Json | undefined>("config", (at) => at.json(), undefined),
    onFailure: section.readOr("on_failure", (at) => at.oneOf(["block", "pass"]), "block"),
    limits: section.readOr("limits", (at) => at.section((own) => readLimits(own, limits)), limits),
    isolation: section.readOr("isolation", (at) => at.oneOf(isolations), "inline"),
    grants: section.readOr("grants", (at) => at.list().flatMap((item) => readGrant(item, grantable)), []),
    givesXml: givesXml?.boolean() ?? false,
  };
}

function readLimits(section: Section, general: Limits): Limits {
  const count = { min: 1, max: Number.MAX_SAFE_INTEGER };
  const memory = section.spelling("memory_pages", "memory_bytes");
  return {
    waitMsFree: general.waitMsFree,
    fuelMax: section.readOr("fuel", (at) => at.integer(count), general.fuelMax),
    deadlineMs: section.readOr(
      "deadline_ms",
      (at) => at.number({ min: 0.01, max: 3_600_000 }),
      general.deadlineMs,
    ),
    memoryPagesMax: section.readOr(
      memory,
      (at) => (memory === "memory_bytes" ? pagesOfBytes(at) : at.integer({ min: 1, max: 65_536 })),
      general.memoryPagesMax,
    ),
    tableElementsMax: section.readOr(
      "table_elements",
      (at) => at.integer({ min: 1, max: 10_000_000 }),
      general.tableElementsMax,
    ),
    stackSlotsMax: section.readOr(
      "stack_slots",
      (at) => at.integer({ min: 64, max: 1_048_576 }),
      general.stackSlotsMax,
    ),
  };
}

/** Whole pages that fit: a limit is never rounded up. */
function pagesOfBytes(value: Value): number {
  return Math.floor(value.integer({ min: pageBytes, max: 65_536 * pageBytes }) / pageBytes);
}

/** `tak.log`, or `{ capability: net.http, origins: [...] }`. */
function readGrant(value: Value, grantable: ReadonlySet<string>): Grant[] {
  const written = value.json();
  try {
    const grant = parseGrant(
      typeof written === "string" ? { capability: written } : written,
      value.path,
      takVocabulary,
    );
    if (grantable.has(grant.capability)) return [grant];
    value.problem(`The capability "${grant.capability}" is not available yet in this host`);
  } catch (error) {
    // What policy says about a grant is a problem like the others, and told with them.
    if (!isRemoraError(error)) throw error;
    value.problem(error.message);
  }
  return [];
}

function refuseTrue(reason: string): (value: Value) => boolean {
  return (value) => {
    const isOn = value.boolean();
    if (isOn) value.problem(`Must be false: ${reason}`);
    return isOn;
  };
}
