/** Steps 3 and 4 of an install: whose it is, and what it is. Everything is decoded and nothing is run. */

import { nearNames } from "../../base/index.ts";
import {
  type Bundle,
  bundleErrors,
  capabilityUses,
  checkExports,
  type Isolation,
  isolations,
  type Manifest,
  mayRun,
  openBundle,
  signatureOf,
  type Trust,
  type TrustRule,
  type TrustStore,
  trustOf,
  versionFits,
  worldFits,
} from "../../bundle/index.ts";
import { defaultLimits, type Limits } from "../../engine/index.ts";
import { checkImports, type ImportOffer, type Vocabulary } from "../../policy/index.ts";
import { busHostFunctions, gatedInterfaces } from "../bus/plugin-bus.ts";
import { interfaceNames, type PluginInterface } from "../calls/plugin-interfaces.ts";
import { managerErrors } from "../errors.ts";
import type { PluginHost, WorldBinding } from "../host.ts";

/**
 * Step 3: reads all of the bundle, checks its signature and asks the rule whether such a plugin runs.
 *
 * @throws bundle/…          it cannot be read, or what is in it is not what it says
 * @throws manager/untrusted it is, and nobody whom the rule trusts has signed it
 */
export function verify(
  bytes: Uint8Array,
  {
    vocabulary,
    keys,
    rule,
    nowMs,
  }: {
    readonly vocabulary: Vocabulary;
    readonly keys: TrustStore;
    readonly rule: (plugin: string) => TrustRule;
    /** Milliseconds since 1970. */
    readonly nowMs: number;
  },
): { readonly bundle: Bundle; readonly trust: Trust } {
  const bundle = openBundle(bytes, { vocabulary });
  bundle.checkContents();
  const trust = trustOf(signatureOf(bundle), keys, nowMs);
  const lowest = rule(bundle.manifest.name);
  if (!mayRun(trust, lowest)) {
    throw managerErrors.untrusted({ trust: trust.text, reason: trust.reason, rule: lowest });
  }
  return { bundle, trust };
}

/** What a bundle is in this host. */
export interface Inspected {
  readonly manifest: Manifest;
  readonly host: PluginHost;
  readonly world: WorldBinding;
  /** The artifact's name in the bundle. */
  readonly file: string;
  readonly isolation: Isolation;
  /** What it gets, within the policy's ceiling. */
  readonly limits: Limits;
  /** Interfaces that it gets from the plugins that it needs. */
  readonly provided: readonly PluginInterface[];
}

export interface InspectOptions {
  readonly hosts: readonly PluginHost[];
  /** What the sandbox can give. */
  readonly offers: readonly ImportOffer[];
  /** For a plugin that asks for nothing. */
  readonly limits: Partial<Limits>;
  /** By the operator for this plugin, whatever it asks. */
  readonly limitsOwn: Partial<Limits>;
  readonly limitsMax: Limits;
  /** In place of those, for one on the host's own thread. */
  readonly limitsMaxInline: Partial<Limits>;
  readonly isolation: Isolation;
  /** Interfaces that it gets from the plugins that it needs. */
  readonly provided: readonly PluginInterface[];
}

/**
 * Step 4: the host and world that it is for; imports within the world and the declared capabilities; limits within the
 * ceiling.
 *
 * @throws manager/no-host manager/no-world manager/limits manager/isolation
 * @throws bundle/exports         it does not export what its world has to
 * @throws bundle/capabilities    it uses what it does not declare, or declares what it does not use
 * @throws policy/imports-refused it imports what nobody here gives
 * @throws wasm/… component/…     its artifact cannot be decoded
 */
export function inspect(bundle: Bundle, options: InspectOptions): Inspected {
  const { manifest } = bundle;
  const place = placeOf(bundle, options);
  const { world } = place;
  checkExports(bundle, { file: place.file, world: world.world }, world);
  const names = bundle.artifactNames();
  const implied = world.compatibleGrants ?? [];
  const offered = options.offers.filter(
    (offer) => !implied.some(({ capability }) => capability === offer.capability),
  );
  const uses = capabilityUses(manifest, names, { offers: offered, gated: gatedInterfaces }).filter(
    ({ kind, capability }) => kind === "undeclared" || world.capabilities?.includes(capability) !== true,
  );
  if (uses.length > 0) throw bundleErrors.capabilities({ plugin: manifest.name, uses });
  const check = checkImports(names.imports, {
    plugin: manifest.name,
    hostFunctions: [...world.hostFunctions, ...busHostFunctions, ...interfaceNames(options.provided)],
    offers: options.offers,
    grants: [...implied, ...manifest.capabilities.map(({ grant }) => grant)],
  });
  if (check.kind === "refused") throw check.error;
  return place;
}

/**
 * Where a bundle that was inspected runs, by the hosts and the policy of now.
 *
 * @throws manager/no-host manager/no-world manager/limits manager/isolation
 */
export function placeOf({ manifest }: Bundle, options: InspectOptions): Inspected {
  const host = hostOf(manifest, options.hosts);
  const served = worldOf(manifest, host);
  const isolation = isolationOf(manifest, served.world, options);
  const { provided } = options;
  return { manifest, host, ...served, isolation, limits: limitsOf(manifest, isolation, options), provided };
}

function hostOf(manifest: Manifest, hosts: readonly PluginHost[]): PluginHost {
  const { name, version } = manifest.host;
  const host = hosts.find((one) => one.name === name);
  if (host !== undefined && versionFits(host.version, version)) return host;
  // Of another version than the one that is here, it is no mistake in the name.
  const names = host === undefined ? hosts.map((one) => one.name) : [];
  const found = hosts.map((one) => `${one.name} ${one.version}`);
  throw managerErrors["no-host"]({ host: name, version, near: nearNames(name, names), found });
}

function worldOf(
  manifest: Manifest,
  host: PluginHost,
): { readonly world: WorldBinding; readonly file: string } {
  for (const world of host.worlds) {
    const artifact = manifest.artifacts.find((one) => worldFits(one.world, world.world));
    if (artifact !== undefined) return { world, file: artifact.file };
  }
  throw managerErrors["no-world"]({
    host: host.name,
    wanted: manifest.artifacts.map((one) => one.world),
    served: host.worlds.map((one) => one.world),
  });
}

/** The stronger of what the plugin asks for and what the policy wants at least, if its world can be called there. */
function isolationOf(manifest: Manifest, world: WorldBinding, { isolation }: InspectOptions): Isolation {
  const level = Math.max(isolations.indexOf(manifest.isolation), isolations.indexOf(isolation));
  const asked = isolations[level] ?? "inline";
  if (asked !== "inline" && world.bindIsolated === undefined) {
    throw managerErrors.isolation({ asked, available: ["inline"] });
  }
  return asked;
}

function limitsOf(manifest: Manifest, isolation: Isolation, options: InspectOptions): Limits {
  const { limits, limitsOwn } = options;
  const limitsMax = { ...options.limitsMax, ...(isolation === "inline" && options.limitsMaxInline) };
  const asked: Limits = { ...defaultLimits, ...limits, ...manifest.limits, ...limitsOwn };
  const names = Object.keys(limitsMax) as (keyof Limits)[]; // the keys of a `Limits`
  const beyond = names
    .filter((name) => asked[name] > limitsMax[name])
    .map((name) => ({ name, asked: asked[name], allowed: limitsMax[name] }));
  if (beyond.length > 0) throw managerErrors.limits({ limits: beyond });
  return asked;
}
