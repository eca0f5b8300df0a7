/**
 * Hosts by the names of their packages. A package that is a host exports `pluginHost`: the host without what it
 * serves, which is enough to see whether its plugins run.
 */

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { PluginHost } from "remora/manager";
import { cliErrors } from "./errors.ts";

/** What a host's package exports as `pluginHost`. */
export type MakePluginHost = (options: {
  /** Gets a line of a plugin's, already made harmless. */
  readonly log: (plugin: string, level: string, line: string) => void;
}) => PluginHost | Promise<PluginHost>;

/** Those that come with this program. */
const ownPackages: readonly string[] = ["@remora/tak", "@remora/signalk"];

/**
 * @param packages Others: names of packages that are installed beside this program, or paths of files.
 * @throws cli/not-a-host it cannot be loaded, or exports no `pluginHost`
 */
export async function loadHosts(
  packages: readonly string[],
  log: Parameters<MakePluginHost>[0]["log"],
): Promise<readonly PluginHost[]> {
  return Promise.all([...ownPackages, ...packages].map(async (name) => (await loadHost(name))({ log })));
}

async function loadHost(name: string): Promise<MakePluginHost> {
  const specifier = /^[./]/.test(name) ? pathToFileURL(resolve(name)).href : name;
  let exported: unknown;
  try {
    ({ pluginHost: exported } = (await import(specifier)) as { pluginHost?: unknown });
  } catch (cause) {
    // Which file of this program asked for it is of no use to whoever named it.
    const reason = (cause instanceof Error ? cause.message : String(cause)).replace(/ imported from .*$/, "");
    throw cliErrors["not-a-host"]({ name, reason }, cause);
  }
  if (typeof exported === "function") return exported as MakePluginHost; // as a host's package promises by that name
  throw cliErrors["not-a-host"]({ name, reason: 'it exports no function "pluginHost"' });
}
