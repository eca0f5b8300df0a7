/**
 * This host as a manager sees it: the worlds that it serves, and how a guest of each is linked. A guest is described when
 * it is made, and started when its version serves.
 */

import { randomUUID } from "node:crypto";
import { invariant } from "remora/base";
import type { Json } from "remora/bundle";
import { importNames } from "remora/engine";
import type { PluginContext, PluginHost, WorldBinding } from "remora/manager";
import { type CapabilityName, coreVocabulary, type Grant } from "remora/policy";
import { sandboxImports } from "remora/sandbox";
import { type Clock, systemClock } from "../clock.ts";
import { signalkErrors } from "../errors.ts";
import { GuestLink, type LinkOptions, nobody } from "../guest/guest-link.ts";
import { guestServer } from "../guest/guest-server.ts";
import { type GuestHost, Holdings } from "../guest/host.ts";
import type { SignalkGuest } from "../guest/signalk-guest.ts";
import { idVariable } from "../plugin/grants.ts";
import { Pace } from "../plugin/pace.ts";
import { SignalkServer } from "../server.ts";
import type { ServerPort } from "../server-port.ts";
import { BoundGuest } from "./bound-guest.ts";
import { BundleSettings } from "./bundle-settings.ts";

/** Where bundles live: the server that they are plugins of, and what keeps them. */
export interface BundleHouse {
  readonly server: ServerPort;
  readonly pace: Pace;
  readonly clock: Clock;
  /** Of guests' deadlines, as in `PluginDeps`. */
  readonly guestClock?: () => number;
  /** Asks the guest of a plugin that serves then, in its turn. */
  ask<Result>(plugin: string, use: Parameters<GuestHost["ask"]>[0]): Promise<Result>;
  keepSettings(plugin: string, settings: Json): void;
  isDebugged(plugin: string): boolean;
  /** Told of what a plugin says about itself. */
  onStatus(plugin: string, message: string): void;
}

/** The version that manifests name: `[host] name = "signalk"`, `version = "^0.1.0"`. */
export const signalkHostVersion = "0.1.0";

const interfaceOf = (name: string) => `remora:signalk/${name}@0.1.0`;

/** The worlds of components, and the interface that a guest of each exports beside `lifecycle`: any of them may export others, too. */
const componentWorlds: readonly { readonly world: string; readonly exports: readonly string[] }[] = [
  ["subscribing-plugin", "subscriber"],
  ["polled-plugin", "poller"],
  ["commanded-plugin", "command-handler"],
  ["resource-plugin", "resource-provider"],
  ["weather-plugin", "weather-provider"],
  ["radar-plugin", "radar-provider"],
  ["serving-plugin", "endpoints"],
  ["networked-plugin"],
  ["listening-plugin", "event-handler"],
  ["autopilot-plugin", "autopilot-provider"],
  ["plugin"],
].map(([world = "", ...own]) => ({
  world: interfaceOf(world),
  exports: ["lifecycle", ...own].map(interfaceOf),
}));

/** The two conventions of core modules, as worlds. */
const coreWorlds = [
  {
    world: "signalk:core/assemblyscript@0.1.0",
    convention: "assemblyscript",
    exports: ["memory", "__new", "plugin_start"],
  },
  {
    world: "signalk:core/buffer@0.1.0",
    convention: "buffer",
    exports: ["memory", "allocate", "plugin_start"],
  },
] as const;

/** What the host's own functions ask the gate for. */
const capabilities: readonly CapabilityName[] = [
  ...(["data.read", "data.write", "control.put", "provider.register", "http.serve"] as const),
  ...(["net.http", "net.socket", "bus.subscribe", "bus.publish"] as const),
];

/** What every plugin finds: its id, and to tell the time, to throw dice and to write to the log. */
const compatibleGrants: readonly Grant[] = [
  { capability: "wasi.base" },
  { capability: "clock.read" },
  { capability: "random.read" },
  { capability: "log.write" },
  { capability: "env.read", names: [idVariable] },
];

/** The host without a server around it, as a program asks for it that runs plugins of any host: they are made, and not started. */
export function pluginHost({
  log,
}: {
  readonly log: (plugin: string, level: string, line: string) => void;
}): PluginHost {
  const { port: server } = new SignalkServer({ self: `urn:mrn:signalk:uuid:${randomUUID()}` });
  return signalkPluginHost({
    server,
    pace: new Pace(),
    clock: systemClock,
    ask: (plugin) => Promise.reject(signalkErrors["not-running"]({ plugin, state: "without a server" })),
    keepSettings: (plugin) => log(plugin, "warn", "its settings cannot be kept without a server"),
    isDebugged: () => false,
    onStatus: (plugin, message) => log(plugin, "info", message),
  });
}

export function signalkPluginHost(house: BundleHouse): PluginHost {
  const names = hostFunctionNames(house);
  return {
    name: "signalk",
    version: signalkHostVersion,
    vocabulary: coreVocabulary,
    // A manager keeps bindings of all kinds, and hands each what that one has made.
    worlds: [
      ...componentWorlds.map((world) =>
        binding({ ...world, kind: "component", hostFunctions: names }, house),
      ),
      ...coreWorlds.map((core) => binding({ ...core, kind: "module", hostFunctions: names }, house)),
    ] as readonly WorldBinding[],
  };
}

interface World extends Pick<WorldBinding, "world" | "hostFunctions" | "exports"> {
  readonly kind: LinkOptions["kind"];
  /** Of core modules. */
  readonly convention?: (typeof coreWorlds)[number]["convention"];
}

/** A guest that is being made. */
interface Linked {
  readonly host: GuestHost;
  readonly link: GuestLink;
}

function binding({ kind, convention, ...world }: World, house: BundleHouse): WorldBinding<BoundGuest> {
  const settings = new WeakMap<PluginContext, BundleSettings>();
  const linked = new WeakMap<PluginContext, Linked>();
  const settingsOf = (plugin: PluginContext) => {
    const known =
      settings.get(plugin) ?? new BundleSettings(plugin, (data) => house.keepSettings(plugin.name, data));
    settings.set(plugin, known);
    return known;
  };
  const linkedTo = (plugin: PluginContext) => {
    const made = linked.get(plugin);
    invariant(made !== undefined, "an instance is linked before it is bound");
    return made;
  };
  const bound = (plugin: PluginContext, host: GuestHost, guest: SignalkGuest) => {
    const isDebugged = () => house.isDebugged(plugin.name);
    return new BoundGuest({ host, guest, settings: settingsOf(plugin), isDebugged });
  };
  return {
    ...world,
    instancesMax: 1,
    takesSettings: true,
    capabilities,
    compatibleGrants,
    clock: () => house.guestClock,
    environment: (plugin) => ({ [idVariable]: plugin }),
    imports: (plugin) => (access, life) => {
      const host = guestHost(plugin, settingsOf(plugin), house);
      const link = new GuestLink(host, house.clock);
      life.onEnd(() => host.holdings.close());
      linked.set(plugin, { host, link });
      return link.imports({ kind, hasFetch: true }, access);
    },
    bind(instance, plugin) {
      const { host, link } = linkedTo(plugin);
      return bound(plugin, host, link.open(instance, convention));
    },
    async bindIsolated(instance, plugin) {
      const { host, link } = linkedTo(plugin);
      return bound(plugin, host, await link.openIsolated(instance, kind, convention));
    },
  };
}

function guestHost(plugin: PluginContext, settings: BundleSettings, house: BundleHouse): GuestHost {
  const { name, sandbox } = plugin;
  const { server, pace } = house;
  return {
    plugin: name,
    server: guestServer(server, pace, (message) => house.onStatus(name, message)),
    sandbox,
    gate: sandbox.gate,
    settings,
    log: (level, text) => {
      if (level !== "debug" || house.isDebugged(name)) plugin.log(level, text);
    },
    holdings: new Holdings(),
    ask: (use) => house.ask(name, use),
  };
}

/** Of both kinds of guests: none finds what is for the other, since it is not given. */
function hostFunctionNames({ server, clock }: BundleHouse): readonly string[] {
  using sandbox = sandboxImports({
    plugin: "none",
    grants: [],
    audit: { write: () => {} },
    log: { write: () => {} },
    nowMs: () => 0,
  });
  const host: GuestHost = {
    plugin: "none",
    server,
    sandbox,
    gate: sandbox.gate,
    settings: { read: () => "", save: () => false },
    log: () => {},
    holdings: new Holdings(),
    ask: () => Promise.reject(signalkErrors["not-running"]({ plugin: "none", state: "nobody" })),
  };
  const link = new GuestLink(host, clock);
  const kinds = ["component", "module"] as const;
  return kinds.flatMap((kind) => importNames(link.imports({ kind, hasFetch: true }, nobody)));
}
