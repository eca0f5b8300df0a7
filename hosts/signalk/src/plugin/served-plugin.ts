/** A plugin as its server sees it, wherever it came from: an installed package, or a bundle of the manager's. */

import type { LatencyHistogram } from "remora/manager";
import type { EndpointRequest, EndpointResponse } from "./endpoints.ts";
import type { GivenGrant } from "./grants.ts";
import type { ImportedData } from "./import-node-data.ts";
import type { PluginManifest } from "./manifest.ts";
import type { PluginSettings } from "./settings-file.ts";

/** `crashed`: it waits to be started again. `error`: it does not, until somebody starts it. */
export type PluginState = "stopped" | "starting" | "running" | "crashed" | "error";

export interface ServedPlugin {
  readonly id: string;
  readonly manifest: Pick<PluginManifest, "packageName" | "version" | "description" | "keywords">;
  /** As the plugin calls itself. */
  readonly name: string;
  /** JSON Schema of its configuration. */
  readonly schema: unknown;
  readonly state: PluginState;
  /** What the plugin said last, or why it does not run. */
  readonly statusMessage: string;
  readonly settings: PluginSettings;
  readonly grants: readonly GivenGrant[];
  /** What its calls have cost. */
  readonly account: {
    readonly counts: { readonly calls: number; readonly traps: number; readonly fuelUsed: number };
    readonly latency: LatencyHistogram;
  };
  /** Keeps new settings, and starts or stops the plugin as they say. */
  configure(settings: PluginSettings): Promise<void>;
  /** Takes its file as it is now, while requests and deltas wait. */
  reload(): Promise<void>;
  /** Takes files and settings of the Node plugin that it replaces, where it keeps them as that does. */
  importData?(from: string): Promise<ImportedData>;
  /** Answers an HTTP request below `/plugins/{id}`; undefined when the plugin serves no such path. */
  serve(request: EndpointRequest): Promise<EndpointResponse | undefined>;
}
