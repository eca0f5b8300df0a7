/**
 * What a host tells the manager of itself: its name, the worlds that it serves and how a guest of each is linked and
 * called. A host implements this once; the manager does the rest of a plugin's life.
 */

import type { Json, Manifest } from "../bundle/index.ts";
import type { GuestAccess, HostImports, Instance, IsolatedInstance } from "../engine/index.ts";
import type { CapabilityName, Grant, Vocabulary } from "../policy/index.ts";
import type { LogLevel, Sandbox } from "../sandbox/index.ts";

export interface PluginHost {
  /** As manifests name it: `tak`. */
  readonly name: string;
  /** Semantic Versioning; a plugin runs when the range in its manifest has it. */
  readonly version: string;
  /** The core's capabilities and the host's own: `vocabularyWith`. */
  readonly vocabulary: Vocabulary;
  /** From the most to the least preferred: of a bundle's artifacts, the first that is for one of these runs. */
  readonly worlds: readonly WorldBinding[];
}

/** One world: how a guest of it is linked, and what the host calls in it. */
export interface WorldBinding<Calls = unknown, WalledCalls = Calls> {
  /** `omnitak:plugin/filter-plugin@0.1.0`. Artifacts for an earlier, compatible version fit as well. */
  readonly world: string;
  /**
   * What a guest must export, by name: interfaces of a component, functions of a core module. An artifact without them
   * is refused when it is packed and before it runs. Default: `bind` says so.
   */
  readonly exports?: readonly string[];
  /** What the host gives to import, by name: `importNames` of `imports`. Known before any plugin is there. */
  readonly hostFunctions: readonly string[];
  /**
   * The host's functions for one plugin; or, where they need the guest's memory or what was granted to it, for one
   * instance.
   */
  imports(plugin: PluginContext): HostImports | ImportsOfInstance;
  /**
   * Takes what the host calls out of a fresh instance, after it was given its settings. Runs guest code only if the
   * world has something to be called first.
   *
   * @throws RemoraError the world's exports are not all there
   */
  bind(instance: Instance, plugin: PluginContext): Calls;
  /**
   * The same for a guest on another thread or in another process, whose exports are called by name and give promises; it
   * gives what `useAsync` hands to the host. A world without it runs on the host's own thread alone.
   */
  bindIsolated?(guest: IsolatedInstance, plugin: PluginContext): WalledCalls | Promise<WalledCalls>;
  /** For worlds whose guests go on between calls: the most live instances of one version. Default: the policy's. */
  readonly instancesMax?: number;
  /**
   * The clock that deadlines of a plugin's guests on the host's own thread are of, in milliseconds. Default: the
   * monotonic one.
   */
  clock?(plugin: PluginContext): (() => number) | undefined;
  /**
   * Variables that guests of this world may find, as `env.read` grants them by name; the operator's own, by policy, come
   * before. Default: none.
   */
  environment?(plugin: string): Readonly<Record<string, string>>;
  /** True where `bind` hands over the settings in the world's own way; else `remora:plugin/settings` takes them. */
  readonly takesSettings?: boolean;
  /** Asks the guest something harmless, to see whether it answers; beside `remora:plugin/health`. */
  check?(calls: Calls): void;
  /**
   * Grants that plugins of this world have without being asked for: what existing plugins of the host rely on and
   * never declare. Shown to the operator like any other, and revocable by the policy's denials.
   */
  readonly compatibleGrants?: readonly Grant[];
  /**
   * Capabilities that the host's own functions ask the gate for: one that is declared is then not held for unused
   * because no import of the sandbox needs it.
   */
  readonly capabilities?: readonly CapabilityName[];
}

/** Makes the host's functions for one instance, before it is made. */
export type ImportsOfInstance = (guest: GuestAccess, life: InstanceLife) => HostImports;

/** When an instance is gone, for hosts that hold something for it. */
export interface InstanceLife {
  /** Calls back once, when the instance is closed or could not be made: nothing of it can be called any more. */
  onEnd(act: () => void): void;
}

/** A plugin as its host sees it while it is linked. */
export interface PluginContext {
  readonly name: string;
  readonly version: string;
  readonly manifest: Manifest;
  /** All that it was given. */
  readonly grants: readonly Grant[];
  /** Its own; `sandbox.gate` is what every effect of a host function passes. */
  readonly sandbox: Sandbox;
  /** With defaults and secrets filled in; undefined when it has none. Must not be written anywhere. */
  readonly settings: Json | undefined;
  /** Writes into the plugin's log, as the plugin: what a stranger wrote is made harmless on the way. */
  log(level: LogLevel, text: string): void;
}
