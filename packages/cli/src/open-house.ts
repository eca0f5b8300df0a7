/** The plugins of a folder for one command: through the program that holds them, or opened here. */

import {
  isAlive,
  localOperations,
  type Operations,
  openAdmin,
  readEndpoint,
  remoteOperations,
} from "@remora/admin";
import {
  folderSource,
  giveAll,
  type Manager,
  type OpenManagerOptions,
  openManager,
  recoveredText,
} from "remora/manager";
import { harmless } from "remora/policy";
import type { Serve } from "./commands/serve.ts";
import { policyAsker } from "./consent-policy.ts";
import { happeningLine } from "./happening-text.ts";
import { commandName, whenFree } from "./held-folder.ts";
import { loadHosts } from "./host-packages.ts";
import type { House, HouseOptions, HouseUse, OpenHouse } from "./house.ts";

export const openHouse: OpenHouse = (options) => whenFree(() => openOnce(options), options);

async function openOnce(options: HouseOptions): Promise<House> {
  const endpoint = readEndpoint(options.folder);
  if (endpoint !== undefined && (await isAlive(endpoint))) {
    return { ...remoteOperations(endpoint), isRunning: true };
  }
  const manager = await openFolder(options);
  const { trail } = manager;
  if (trail === undefined)
    throw new Error("Invariant broken: a manager without an audit of ours keeps a trail");
  const own = localOperations({ manager, trail, closesManager: true });
  return options.use === "develop" ? reachable(own, manager, options) : { ...own, isRunning: false };
}

/** What runs until it is stopped is found by other commands as any program is. */
async function reachable(
  own: Operations,
  manager: Manager,
  { onTrouble = () => {} }: HouseOptions,
): Promise<House> {
  try {
    const log = (line: string) => onTrouble("admin/internal", line);
    const admin = await openAdmin({ manager, log, nowMs: Date.now });
    return {
      ...own,
      isRunning: true,
      async close() {
        await admin.close();
        await own.close();
      },
    };
  } catch (error) {
    await own.close();
    throw error;
  }
}

const startsPlugins: Readonly<Record<HouseUse, boolean>> = {
  look: false,
  change: true,
  live: false,
  develop: true,
};

async function openFolder({
  folder,
  use,
  trust = "verified",
  keys,
  hostPackages = [],
  onTrouble = () => {},
  onRecovered = () => {},
}: HouseOptions): Promise<Manager> {
  const isOwn = use === "develop";
  return openManager({
    folder,
    hosts: await loadHosts(hostPackages, () => {}),
    who: isOwn ? "remora dev" : commandName,
    startsPlugins: startsPlugins[use],
    onEvent: (event) => {
      if (event.kind === "trouble") onTrouble(event.code, event.reason);
      if (event.kind === "recovered") onRecovered(event.plugin, recoveredText(event));
    },
    policy: { trust: isOwn ? "unsigned" : trust, ...(keys !== undefined && { keys }) },
    ...(isOwn && { asker: giveAll }),
  });
}

export const serve: Serve = async (options) => {
  const { folder, address, port, hosts, sources, trust, keys, consent, hostPackages, log } = options;
  const pluginHosts = await loadHosts(hostPackages, (plugin, level, line) =>
    log(`${harmless(plugin)} ${level}: ${line}`),
  );
  const opened: OpenManagerOptions = {
    folder,
    hosts: pluginHosts,
    ...(consent !== undefined && { asker: policyAsker(consent) }),
    who: "remora serve",
    sources: sources.map((path) => folderSource(path)),
    policy: { ...(trust !== undefined && { trust }), ...(keys !== undefined && { keys }) },
    onEvent: (event) => {
      // Lines of plugins come from their host already.
      const line = event.kind === "log" ? undefined : happeningLine({ ...event });
      if (line !== undefined) log(line);
    },
  };
  const manager = await whenFree(() => openManager(opened), options);
  try {
    const admin = await openAdmin({ manager, address, port, hosts, log, nowMs: Date.now });
    return {
      address: admin.address,
      async close() {
        await admin.close();
        await manager.close();
      },
    };
  } catch (error) {
    await manager.close();
    throw error;
  }
};
