/**
 * Step 7 of an install: one version of a plugin, made and healthy. It is whole before anybody calls it, and two of
 * the same plugin can be there at once, the one that serves and the one that is to take over.
 */

import type { Json } from "../bundle/index.ts";
import { type CompileCache, openArtifact } from "../engine/index.ts";
import type { Grant } from "../policy/index.ts";
import { type AuditSink, type LogLevel, type Sandbox, sandboxImports } from "../sandbox/index.ts";
import { managerErrors } from "./errors.ts";
import {
  checkHealth,
  configure,
  restoreState,
  saveState,
  settingsInterface,
  takesState,
} from "./handover/guest-interface.ts";
import type { PluginContext } from "./host.ts";
import type { Inspected } from "./install/inspect.ts";
import type { LatencyHistogram } from "./latency.ts";
import { Plugin } from "./plugin.ts";
import type { PluginPolicy } from "./policy.ts";
import type { InstalledVersion } from "./store/entry.ts";

export interface PrepareOptions {
  readonly version: InstalledVersion;
  readonly inspected: Inspected;
  /** The artifact's bytes. */
  readonly artifact: Uint8Array;
  readonly grants: readonly Grant[];
  readonly denials: readonly Grant[];
  /** With secrets in place of references. */
  readonly settings: Json | undefined;
  readonly sandbox: PluginPolicy["sandbox"];
  /** The plugin's own; there already. */
  readonly dataFolder: string;
  readonly cache: CompileCache;
  readonly instancesMax: number;
  readonly latency: LatencyHistogram;
  readonly audit: AuditSink;
  readonly log: (level: LogLevel, text: string) => void;
  readonly nowMs: () => number;
}

export class RunningVersion {
  readonly version: InstalledVersion;
  readonly inspected: Inspected;
  readonly grants: readonly Grant[];
  readonly sandbox: Sandbox;
  readonly plugin: Plugin<unknown>;

  /**
   * Makes the version and asks it for its health.
   *
   * @throws policy/… engine/… component/… wasm/… it cannot be made
   * @throws manager/settings-refused manager/unhealthy
   */
  constructor(options: PrepareOptions) {
    const { version, inspected, artifact, grants, instancesMax, cache } = options;
    const { name } = inspected.manifest;
    this.version = version;
    this.inspected = inspected;
    this.grants = grants;
    this.sandbox = openSandbox(name, options);
    try {
      const context = contextOf(options, this.sandbox);
      const { world, limits } = inspected;
      this.plugin = new Plugin<unknown>({
        id: name,
        artifact: openArtifact(artifact, { plugin: name, cache }),
        limits,
        hostImports: world.imports(context),
        hostFunctions: world.hostFunctions,
        grants,
        sandbox: this.sandbox,
        instancesMax,
        latency: options.latency,
        bind: (instance) => {
          const isTaken = context.settings === undefined || world.takesSettings === true;
          if (!isTaken && !configure(name, instance, context.settings)) {
            const reason = `it does not export "${settingsInterface}"`;
            throw managerErrors["settings-refused"]({ plugin: name, reason });
          }
          return world.bind(instance, context);
        },
      });
      this.checkHealth();
    } catch (error) {
      this.sandbox.close();
      throw error;
    }
  }

  get name(): string {
    return this.inspected.manifest.name;
  }

  /** @throws manager/unhealthy engine/… */
  checkHealth(): void {
    this.plugin.examine((instance, calls) => {
      checkHealth(this.name, instance);
      this.inspected.world.check?.(calls);
    });
  }

  /**
   * Step 8: what this version kept in memory, for the one that takes over. Nothing of it changes.
   *
   * @returns Whether there was something to hand over.
   * @throws manager/state engine/… one of them failed; this version can go on
   */
  handOver(to: RunningVersion): boolean {
    const isWanted = to.plugin.examine(takesState);
    const state = isWanted ? this.plugin.examine((one) => saveState(this.name, one)) : undefined;
    if (state === undefined) return false;
    to.plugin.examine((instance) => restoreState(to.name, instance, state));
    return true;
  }

  /**
   * Takes no more calls; those that run come to their end, which their deadlines bound, before the sandbox goes.
   * Resolves when all is closed.
   */
  drain(): Promise<void> {
    return new Promise((resolve) => {
      this.plugin.close(() => {
        this.sandbox.close();
        resolve();
      });
    });
  }
}

function openSandbox(plugin: string, options: PrepareOptions): Sandbox {
  const { grants, denials, inspected, audit, log, nowMs, dataFolder } = options;
  return sandboxImports({
    plugin,
    grants,
    denials,
    vocabulary: inspected.host.vocabulary,
    audit,
    log: { write: ({ level, text }) => log(level, text) },
    nowMs,
    ...(grants.some(({ capability }) => capability === "fs.private") && {
      privateFolder: `${dataFolder}/files`,
    }),
    keyValueFile: `${dataFolder}/keys.sqlite`,
    ...options.sandbox,
  });
}

function contextOf(
  { version, inspected, grants, settings, log }: PrepareOptions,
  sandbox: Sandbox,
): PluginContext {
  const { manifest } = inspected;
  return { name: manifest.name, version: version.version, manifest, grants, sandbox, settings, log };
}
