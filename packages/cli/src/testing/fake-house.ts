/** A house without a manager: what was asked of it is kept, and it answers what a test says. */

import type { ConsentView, Happening, PluginDetailsView, PluginView } from "@remora/admin";
import { defineErrors, RemoraError } from "remora/base";
import type { House, HouseOptions, OpenHouse } from "../house.ts";
import type { Hosts } from "../program.ts";

const fakeErrors = defineErrors("manager", {
  "no-such-plugin": {
    fault: "operator",
    message: (d: { name: string }) => `Cannot find the plugin "${d.name}"`,
  },
});

export const account: PluginView["account"] = {
  calls: 1_000,
  traps: 2,
  fuelUsed: 5_000,
  cpuMs: 10,
  memoryBytes: 65_536,
  hostCalls: 3,
  refusals: 1,
  sentBytes: 1_500,
  receivedBytes: 20,
  storedBytes: 0,
  instances: 1,
  reloads: 0,
  returns: 0,
  p50ns: 500,
  p95ns: 800,
  p99ns: 900,
};

export function pluginView(changes: Partial<PluginView> = {}): PluginView {
  return {
    name: "geofence",
    version: "1.0.0",
    host: "tak",
    isEnabled: true,
    state: "running",
    breaker: "closed",
    isOnProbation: false,
    held: null,
    failure: null,
    account,
    ...changes,
  };
}

export const held: ConsentView = {
  id: "5a".repeat(32),
  plugin: "geofence",
  version: "1.1.0",
  digest: "d1".repeat(32),
  origin: "/down\u001b[2Jloads/geofence.bundle",
  current: "1.0.0",
  trust: "unsigned",
  publisher: null,
  items: [
    {
      capability: "clock.read",
      target: null,
      why: "To date \u001b[2Jalerts",
      meaning: "Read the time",
      risk: "low",
    },
    {
      capability: "net.http",
      target: "https://a:443",
      why: "Maps",
      meaning: "Send requests",
      risk: "medium",
    },
  ],
  granted: [],
  denied: [],
  problem: null,
};

export interface FakeHouseOptions {
  readonly isRunning?: boolean;
  readonly plugins?: readonly PluginView[];
  readonly held?: readonly ConsentView[];
  /** What is to be installed, which needs the one that waits. */
  readonly neededBy?: string;
  /** Of each change, and of a version that is kept. */
  readonly publisher?: ConsentView["publisher"];
  readonly happenings?: readonly Happening[];
  /** Codes that changes fail with, by the plugin's name or by what is to be installed. */
  readonly failing?: Readonly<Record<string, string>>;
}

export interface FakeHouse {
  readonly asked: unknown[][];
  readonly opened: HouseOptions[];
  readonly hosts: Hosts;
  closed: number;
}

export function fakeHouse(options: FakeHouseOptions = {}): FakeHouse {
  const { isRunning = true, plugins = [pluginView()], happenings = [] } = options;
  const asked: unknown[][] = [];
  const opened: HouseOptions[] = [];
  const named = (name: string) => {
    const found = plugins.find((one) => one.name === name);
    if (found === undefined) throw fakeErrors["no-such-plugin"]({ name });
    return found;
  };
  const mayFail = (what: string) => {
    const code = options.failing?.[what];
    if (code === undefined) return;
    throw new RemoraError({ code, message: `Cannot change ${what}`, fault: "operator", details: undefined });
  };
  const ask =
    (verb: string) =>
    async (...args: readonly unknown[]): Promise<void> => {
      asked.push([verb, ...args]);
      mayFail(String(args[0]));
      named(String(args[0]));
    };
  const change = (name: string, version: string) => ({
    name,
    version,
    from: "1.0.0",
    held: null,
    publisher: options.publisher ?? null,
  });
  const house: House = {
    isRunning,
    list: async () => [...plugins],
    details: async (name) => {
      const { publisher = null } = options;
      const previous = publisher === null ? [] : [{ ...current, version: "0.9.0", publisher }];
      return { ...named(name), ...details, previous };
    },
    install: async (source, more) => {
      const ref = "ref" in source ? source.ref : source.origin;
      asked.push(["install", ref, more]);
      mayFail(ref);
      const { neededBy, held: [waiting = null] = [] } = options;
      const isAgain = neededBy !== undefined && asked.some(([verb]) => verb === "accept");
      const taken = { version: "1.0.0", from: null, publisher: null };
      if (isAgain) return { ...taken, name: neededBy, held: null };
      return { ...taken, name: "geofence", held: waiting, ...(neededBy !== undefined && { neededBy }) };
    },
    update: async (name, range) => {
      asked.push(["update", name, range]);
      mayFail(name);
      return change(name, "1.1.0");
    },
    rollback: async (name, version) => {
      asked.push(["rollback", name, version]);
      return change(name, version ?? "0.9.0");
    },
    remove: ask("remove"),
    enable: ask("enable"),
    disable: ask("disable"),
    reload: ask("reload"),
    settings: async () => null,
    changeSettings: ask("settings"),
    give: ask("give"),
    revoke: ask("revoke"),
    held: async () => [...(options.held ?? [])],
    accept: async ({ plugin, id }, items) => {
      asked.push(["accept", { plugin, id }, items]);
      return change(plugin, "1.1.0");
    },
    refuse: async ({ plugin, id }) => {
      asked.push(["refuse", { plugin, id }]);
      named(plugin);
    },
    audit: async () => [],
    verifyAudit: async () => ({
      kind: "intact",
      lines: 0,
      first: null,
      last: null,
      tornBytes: 0,
      resumptions: [],
      removed: null,
    }),
    async *follow() {
      yield* happenings;
    },
    async close() {
      fake.closed++;
    },
  };
  const openHouse: OpenHouse = async (how) => {
    opened.push(how);
    return house;
  };
  const unused = () => Promise.reject(new Error("not this command"));
  const fake: FakeHouse = {
    asked,
    opened,
    closed: 0,
    hosts: { openHouse, serve: unused, startTak: unused, startDemo: unused },
  };
  return fake;
}

const httpGrant = { capability: "net.http", origins: ["https://a:443"] };

const current = {
  version: "1.0.0",
  digest: "d",
  origin: "a test",
  installedAt: "2026-11-21T12:00:00Z",
  failedWith: null,
};

const details: Omit<PluginDetailsView, keyof PluginView> = {
  current,
  heldVersion: null,
  heldPublisher: null,
  heldProblem: null,
  previous: [],
  trust: { level: "unsigned", text: "unsigned", reason: "it carries no signature" },
  grants: [httpGrant],
  refused: [],
  settings: null,
  neededBy: [],
  manifest: null,
};
