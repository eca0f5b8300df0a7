/**
 * Bundles in signalk-server: what the operator has put into a folder is installed when the plugin of this host starts, which
 * each change in its form makes it do; and what was taken out of the folder is removed, without its files and settings.
 */

import { readdir } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import { isRemoraError } from "remora/base";
import type { ConsentRequest, Manager } from "remora/manager";
import { harmless } from "remora/policy";
import type { BundlePlugin } from "../managed/bundle-plugin.ts";
import { type BundleDeps, type Bundles, openBundles } from "../managed/bundles.ts";
import { bundleWebapps } from "../webapps/webapps.ts";
import { answerTo, type BundleSettings } from "./bundle-form.ts";
import type { Isolation } from "./isolation-settings.ts";
import type { PluginList } from "./plugin-list.ts";
import { ShownSettings } from "./shown-settings.ts";
import type { WebappList } from "./webapp-list.ts";

/** Files and folders that are looked at in one start. */
const entriesMax = 256;

export interface ServerBundlesOptions {
  readonly settings: BundleSettings;
  readonly isolation: Isolation;
  readonly list: PluginList;
  readonly webapps: WebappList;
  /** Gets one line at a time. */
  readonly log: (line: string) => void;
}

export interface ServerBundles {
  readonly manager: Manager;
  get(id: string): BundlePlugin | undefined;
  all(): readonly BundlePlugin[];
  /** Installs what is in the folder, removes what is no longer, and gives or refuses what the operator has answered. */
  takeIn(): Promise<void>;
  /** What waits for an answer since then. */
  held(): readonly ConsentRequest[];
  close(): Promise<void>;
}

/**
 * Those that were here before begin to run.
 *
 * @param deps The data folder is the server's own configuration folder.
 * @throws manager/folder manager/folder-held manager/entry-damaged as `openManager`
 */
export async function openServerBundles(
  options: ServerBundlesOptions,
  deps: Omit<BundleDeps, "isTaken" | "onChange">,
): Promise<ServerBundles> {
  const { settings, list, webapps, log } = options;
  const told = (error: unknown) => {
    if (!isRemoraError(error)) throw error;
    // One that waits is in the form.
    if (!(isRemoraError(error.cause) && error.cause.code === "manager/held")) log(textOf(error));
  };
  const shown = new ShownSettings(deps.dataFolder, told);
  let isClosed = false;
  const onChange = (bundles: Bundles) => {
    if (isClosed) return;
    follow(bundles, list, shown);
    // As of packages, those that are switched off are not listed.
    webapps.show(bundleWebapps(bundles.all().filter((plugin) => plugin.settings.enabled)));
  };
  const isTaken = (id: string) => list.has(id) && !shown.has(id);
  const bundles = await openBundles(managerOptions(deps.dataFolder, options), { ...deps, isTaken, onChange });
  onChange(bundles);
  const { manager } = bundles;
  let held: readonly ConsentRequest[] = [];
  return {
    manager,
    get: (id) => bundles.get(id),
    all: () => bundles.all(),
    held: () => held,
    async takeIn() {
      await takeFolder(manager, resolve(deps.dataFolder, settings.folder), told);
      await answerHeld(manager, settings, told);
      held = await manager.held();
    },
    async close() {
      isClosed = true;
      webapps.show([]);
      await bundles.close();
      await shown.settled();
    },
  };
}

function managerOptions(configPath: string, { settings, isolation }: ServerBundlesOptions) {
  const { trust, keys } = settings;
  const levels = [...isolation.exceptions].map(([plugin, level]) => [plugin, { isolation: level }]);
  return {
    folder: join(configPath, "plugin-config-data", "remora", "bundles"),
    who: "Remora in signalk-server",
    policy: { trust, keys, isolation: isolation.common, plugins: Object.fromEntries(levels) },
  };
}

/** The server's list has those that there are, and their settings where it looks for them. */
function follow(bundles: Bundles, list: PluginList, shown: ShownSettings): void {
  for (const id of list.ids()) {
    if (shown.has(id) && bundles.get(id) === undefined) {
      list.remove(id);
      shown.forget(id);
    }
  }
  for (const plugin of bundles.all()) {
    // The manager that they have in common stops them.
    if (!list.has(plugin.id)) list.add({ plugin, stop: async () => {} });
    shown.show(plugin);
  }
}

async function takeFolder(manager: Manager, folder: string, told: (error: unknown) => void): Promise<void> {
  const found = await bundlesIn(folder);
  for (const { name } of manager.list()) {
    const origin = manager.versions(name).current?.origin ?? "";
    // What somebody has installed from elsewhere stays.
    const isGone = origin.startsWith(`${folder}${sep}`) && !found.includes(origin);
    if (isGone) await manager.remove(name).catch(told);
  }
  for (const path of found) await manager.install(path).catch(told);
}

/** Files that are bundles by their names, and folders of plugins; none where there is no such folder. */
async function bundlesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.name.startsWith(".") && (entry.isDirectory() || entry.name.endsWith(".bundle")))
    .map(({ name }) => join(folder, name))
    .sort()
    .slice(0, entriesMax);
}

async function answerHeld(
  manager: Manager,
  settings: BundleSettings,
  told: (error: unknown) => void,
): Promise<void> {
  for (const request of await manager.held()) {
    const answer = answerTo(request, settings);
    if (answer === "give") await manager.accept(request).catch(told);
    if (answer === "refuse") await manager.refuse(request).catch(told);
  }
}

function textOf(error: Error): string {
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : "";
  return harmless(`${error.message}${cause}`, 1_000);
}
