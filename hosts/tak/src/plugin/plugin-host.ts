/** This host as its manager sees it: the worlds that it serves, and how a guest of each is linked and called. */

import type { Instance } from "remora/engine";
import type { PluginContext, PluginHost, WorldBinding } from "remora/manager";
import { takCapabilities, takVocabulary } from "../config/plugins.ts";
import { takErrors } from "../errors.ts";
import { noElevation } from "./elevation.ts";
import { hostFunctionNames, type TakHostOptions, takHostImports } from "./host-functions.ts";
import {
  bindFilter,
  bindTransformer,
  type FilterCalls,
  filterExports,
  type TransformerCalls,
  transformerInterface,
  transformerWorld,
} from "./shapes.ts";
import {
  bindWalledFilter,
  bindWalledTransformer,
  type WalledFilterCalls,
  type WalledTransformerCalls,
} from "./walled-shapes.ts";

/** What a plugin is used for in the chain of this host. */
export interface PluginRole {
  readonly kind: "filter" | "transformer";
  /** Whether a filter gets the event's whole XML. */
  readonly givesXml: boolean;
}

/** The version that manifests name: `[host] name = "tak"`, `version = "^0.1.0"`. */
export const takHostVersion = "0.1.0";

/** The host without a stream, as a program asks for it that runs plugins of any host. */
export function pluginHost({ log }: Pick<TakHostOptions, "log">): PluginHost {
  return takPluginHost({ log, nowMs: Date.now, elevation: noElevation }, new Map());
}

/**
 * @param roles By the plugin's name; a plugin that the chain does not have runs and is not called.
 */
export function takPluginHost(host: TakHostOptions, roles: ReadonlyMap<string, PluginRole>): PluginHost {
  const check = (name: string, kind: PluginRole["kind"]) => {
    const role = roles.get(name);
    // A version of another kind would be called for what it does not have.
    if (role !== undefined && role.kind !== kind) {
      throw takErrors["plugin-kind"]({ plugin: name, wanted: role.kind, found: kind });
    }
  };
  const filter = (world: string, exported: string): WorldBinding<FilterCalls, WalledFilterCalls> => ({
    ...served({ world, exports: [exported] }, host),
    bind(instance: Instance, { name }: PluginContext) {
      check(name, "filter");
      return bindFilter(name, instance, roles.get(name)?.givesXml ?? false);
    },
    bindIsolated(instance, { name }) {
      check(name, "filter");
      return bindWalledFilter({ id: name, instance }, world, roles.get(name)?.givesXml ?? false);
    },
    check: (calls) => void calls.metadata(),
  });
  const transformer: WorldBinding<TransformerCalls, WalledTransformerCalls> = {
    ...served({ world: transformerWorld, exports: [transformerInterface] }, host),
    bind(instance: Instance, { name }: PluginContext) {
      check(name, "transformer");
      return bindTransformer(name, instance);
    },
    bindIsolated(instance, { name }) {
      check(name, "transformer");
      return bindWalledTransformer({ id: name, instance });
    },
    check: (calls) => void calls.metadata(),
  };
  return {
    name: "tak",
    version: takHostVersion,
    vocabulary: takVocabulary,
    // A manager keeps bindings of all kinds, and hands each what that one has made.
    worlds: [
      ...[...filterExports].map(([world, exported]) => filter(world, exported)),
      transformer,
    ] as readonly WorldBinding[],
  };
}

function served(world: Pick<WorldBinding, "world" | "exports">, host: TakHostOptions) {
  return {
    ...world,
    hostFunctions: hostFunctionNames,
    compatibleGrants: takCapabilities.map(({ name }) => ({ capability: name })),
    imports: ({ name }: PluginContext) => takHostImports(name, host),
  };
}
