/** What an artifact exports against what its world, as the manifest names it, has to export. Decoded, and never run. */

import type { Bundle } from "./bundle.ts";
import { bundleErrors } from "./errors.ts";
import { type ManifestArtifact, versionFits } from "./manifest/manifest.ts";

/** A world that a host serves. */
export interface KnownWorld {
  /** `omnitak:plugin/filter-plugin@0.1.0`. */
  readonly world: string;
  /** What a guest of it must export: interfaces of a component, functions of a core module. */
  readonly exports?: readonly string[];
}

export interface KnownHost {
  /** As manifests name it. */
  readonly name: string;
  readonly worlds: readonly KnownWorld[];
}

/** A guest for 0.1.0 runs in a host that serves 0.1.3, and not the other way round. */
export function worldFits(wanted: string, served: string): boolean {
  const [wantedName, wantedVersion = ""] = wanted.split("@");
  const [servedName, servedVersion = ""] = served.split("@");
  return wantedName === servedName && versionFits(servedVersion, `^${wantedVersion}`);
}

/**
 * Refuses an artifact that does not export what the world that its manifest names has to.
 *
 * @throws bundle/exports     names what is missing
 * @throws wasm/… component/… it cannot be read
 */
export function checkExports(
  bundle: Bundle,
  { file, world }: ManifestArtifact,
  { exports: needed = [] }: KnownWorld,
): void {
  if (needed.length === 0) return;
  const found = bundle.exportsOf(file);
  // An interface has a version of its own, as a world has; a function has none.
  const isThere = (name: string) => found.some((one) => one === name || worldFits(one, name));
  const missing = needed.filter((name) => !isThere(name));
  if (missing.length === 0) return;
  throw bundleErrors.exports({ plugin: bundle.manifest.name, file, world, missing, found });
}

/** Each artifact whose host and world are known. @throws bundle/exports wasm/… component/… */
export function checkWorlds(bundle: Bundle, hosts: readonly KnownHost[]): void {
  const { host, artifacts } = bundle.manifest;
  const worlds = hosts.find(({ name }) => name === host.name)?.worlds ?? [];
  for (const artifact of artifacts) {
    const served = worlds.find(({ world }) => worldFits(artifact.world, world));
    if (served !== undefined) checkExports(bundle, artifact, served);
  }
}
