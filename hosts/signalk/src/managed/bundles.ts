/** The bundles of a server: its manager, and each of them as a plugin. */

import type { Json } from "remora/bundle";
import { type Manager, type ManagerEvent, type OpenManagerOptions, openManager } from "remora/manager";
import type { Clock } from "../clock.ts";
import { signalkErrors } from "../errors.ts";
import type { GuestHost } from "../guest/host.ts";
import { type GuestClock, guestClockOf } from "../plugin/guest-clock.ts";
import { type PluginDeps, signalkLimits } from "../plugin/plugin-deps.ts";
import { BundlePlugin } from "./bundle-plugin.ts";
import { signalkPluginHost } from "./plugin-host.ts";

/**
 * The manager's folder and the operator's rules. What a plugin gets that asks for nothing, and the most that one on the event
 * loop can ask for, are `signalkLimits`, unless the policy says otherwise.
 */
export type BundleOptions = Pick<
  OpenManagerOptions,
  "folder" | "policy" | "asker" | "sources" | "secrets" | "who" | "onEvent"
>;

export interface BundleDeps
  extends Pick<PluginDeps, "server" | "dataFolder" | "clock" | "pace" | "log" | "guestClock" | "limits"> {
  /** Whether there is another plugin of that id: it stays, and the bundle is not served. */
  readonly isTaken: (id: string) => boolean;
  /** Told when there is one more or one less, or another version or other settings of one. */
  readonly onChange?: (bundles: Bundles) => void;
}

interface OpenedDeps extends BundleDeps {
  readonly guestClock: GuestClock;
}

/** A guest that failed is started afresh, and what it knew is lost: so many times are too many, however often it was called. */
const breaker = { failureShareMin: 0 } as const;
/** Signal K's own figures. */
const backOff = { firstMs: 2_000, maxMs: 30_000 } as const;

/** @throws as `openManager` */
export async function openBundles(options: BundleOptions, deps: BundleDeps): Promise<Bundles> {
  const { policy = {}, onEvent } = options;
  const { clock, limits, pace } = deps;
  const guestClock = guestClockOf(deps.guestClock, pace.nowMs);
  let bundles: Bundles | undefined;
  const most = { ...signalkLimits, ...limits };
  const manager = await openManager({
    who: "a Signal K host",
    ...options,
    hosts: [
      signalkPluginHost({
        ...deps,
        guestClock,
        ask: (plugin, use) => (bundles ? bundles.ask(plugin, use) : Promise.reject(notServed(plugin))),
        keepSettings: (plugin, settings) => bundles?.keepSettings(plugin, settings),
        isDebugged: (plugin) => bundles?.get(plugin)?.settings.enableDebug ?? false,
        onStatus: (plugin, message) => bundles?.get(plugin)?.said(message),
      }),
    ],
    policy: {
      ...policy,
      breaker: { ...breaker, ...policy.breaker },
      backOff: { ...backOff, ...policy.backOff },
      limits: { ...most, ...policy.limits },
      limitsMaxInline: { ...most, ...policy.limitsMaxInline },
    },
    clock: managerClock(clock),
    onEvent: (event) => {
      if (event.kind === "log") deps.log(event.plugin, levelOf(event.level), event.text);
      bundles?.happened(event);
      onEvent?.(event);
    },
  });
  bundles = new Bundles(manager, { ...deps, guestClock });
  await bundles.followAll();
  return bundles;
}

export class Bundles {
  readonly manager: Manager;
  readonly #deps: OpenedDeps;
  readonly #byId = new Map<string, BundlePlugin>();
  /** Told once that another has their id. */
  readonly #refused = new Set<string>();

  constructor(manager: Manager, deps: OpenedDeps) {
    this.manager = manager;
    this.#deps = deps;
  }

  get(id: string): BundlePlugin | undefined {
    return this.#byId.get(id);
  }

  all(): readonly BundlePlugin[] {
    return [...this.#byId.values()];
  }

  /** Those that the manager had when it was opened. */
  async followAll(): Promise<void> {
    for (const { name } of this.manager.list()) {
      const plugin = this.#adopt(name);
      await plugin?.refresh();
      plugin?.follow();
    }
  }

  happened(event: ManagerEvent): void {
    const { plugin } = event;
    if (!this.manager.has(plugin)) {
      this.#byId.get(plugin)?.close();
      this.#byId.delete(plugin);
      this.#deps.onChange?.(this);
      return;
    }
    this.#adopt(plugin)?.happened(event);
  }

  ask<Result>(plugin: string, use: Parameters<GuestHost["ask"]>[0]): Promise<Result> {
    const found = this.#byId.get(plugin);
    return found === undefined ? Promise.reject(notServed(plugin)) : (found.ask(use) as Promise<Result>);
  }

  keepSettings(plugin: string, settings: Json): void {
    this.manager.keepSettings(plugin, settings).catch((error: unknown) => {
      this.#deps.log(plugin, "error", error instanceof Error ? error.message : String(error));
    });
  }

  /** Stops all of them and lets go of the folder; what they were and did can still be read. */
  async close(): Promise<void> {
    await this.manager.close();
  }

  #adopt(name: string): BundlePlugin | undefined {
    const known = this.#byId.get(name);
    if (known !== undefined) return known;
    if (this.#deps.isTaken(name)) {
      if (!this.#refused.has(name)) {
        this.#refused.add(name);
        this.#deps.log(name, "error", signalkErrors["id-taken"]({ plugin: name }).message);
      }
      return undefined;
    }
    const onRead = () => this.#deps.onChange?.(this);
    const plugin = new BundlePlugin({ ...this.#deps, manager: this.manager, name, onRead });
    this.#byId.set(name, plugin);
    return plugin;
  }
}

function notServed(plugin: string): Error {
  return signalkErrors["not-running"]({ plugin, state: "not served" });
}

function levelOf(level: string): "debug" | "warn" | "error" {
  if (level === "critical" || level === "error") return "error";
  return level === "warn" ? "warn" : "debug";
}

function managerClock(clock: Clock): NonNullable<OpenManagerOptions["clock"]> {
  return {
    dateMs: () => clock.epochMs(),
    monotonicMs: () => clock.nowMs(),
    after: (ms, callback) => clock.after(ms, callback),
  };
}
