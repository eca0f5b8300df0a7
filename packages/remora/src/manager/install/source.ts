/**
 * Where plugins come from by name. A registry is one such source, a folder of bundles another. What a source says is
 * not believed: the digest that it gave must be the one of what it sends, and everything is verified after that.
 */

import semver from "semver";

/** One version that a source has. */
export interface Offered {
  readonly name: string;
  readonly version: string;
  /** Of the bundle. */
  readonly digest: string;
}

export interface PluginSource {
  /** For people: `registry.example.org`, a folder. */
  readonly name: string;
  /** All versions of a plugin, in any order; none when it has none. Rejects when it cannot say. */
  versions(plugin: string): Promise<readonly Offered[]>;
  /** The bundle's file, in pieces; whoever reads stops when there are too many. */
  fetch(offered: Offered): AsyncIterable<Uint8Array>;
}

/** Of all these, those that are higher than the version that runs: whoever can withhold it cannot take anybody back. */
export function newerThan<Version extends { readonly offered: Offered }>(
  found: readonly Version[],
  current: string,
): readonly Version[] {
  return found.filter(({ offered }) => semver.gt(offered.version, current));
}

/** What a range has, the highest version first; of pre-releases only those that the range names. */
export function bestFirst(offered: readonly Offered[], range: string): readonly Offered[] {
  return offered
    .filter(({ version }) => semver.satisfies(version, range))
    .sort((a, b) => semver.rcompare(a.version, b.version));
}
