/** A version as it is kept: its bundle in the store, and what an entry says of it. */

import { isDeepStrictEqual } from "node:util";
import type { Bundle, Json, TrustRule } from "../../bundle/index.ts";
import type { Core } from "../core.ts";
import type { Entry, InstalledVersion, KeptVersion } from "../store/entry.ts";
import type { Inspected } from "./inspect.ts";

interface Incoming {
  readonly bytes: Uint8Array;
  readonly bundle: Bundle;
  readonly origin: string;
  readonly inspected: Inspected;
  readonly vouched: TrustRule | undefined;
}

/** What is longer is no path. */
const originCharsMax = 4_096;

export async function keepVersion(incoming: Incoming, core: Core): Promise<InstalledVersion> {
  return versionOf(incoming, await core.store.keep(incoming.bytes), core);
}

/** What an entry says of a bundle with this SHA-256, which whoever writes it keeps before. */
export function versionOf(
  { bundle, origin, inspected, vouched }: Incoming,
  sha256: string,
  core: Core,
): InstalledVersion {
  return {
    version: inspected.manifest.version,
    digest: bundle.digest,
    sha256,
    origin: origin.slice(0, originCharsMax),
    installedAt: new Date(core.clock.dateMs()).toISOString(),
    needs: Object.fromEntries(inspected.manifest.dependencies),
    ...(vouched !== undefined && { trust: vouched }),
  };
}

/** What an entry keeps of the version that runs when one with these settings takes its place. */
export function replacedBy(settings: Json | undefined, current: InstalledVersion, entry: Entry): KeptVersion {
  const { grants, settings: before } = entry;
  return {
    ...current,
    grants,
    ...(!isDeepStrictEqual(before, settings) && { settings: before ?? null }),
  };
}

/** Those that a kept version begins with when it runs again. */
export function settingsOfKept({ settings: kept }: KeptVersion, { settings }: Entry): Json | undefined {
  return kept === undefined ? settings : (kept ?? undefined);
}

/** With the settings that one of its name has left, unless there are others. */
export async function firstEntry(
  { manifest, host }: Inspected,
  settings: Json | undefined,
  { files }: Core,
): Promise<Entry> {
  return {
    name: manifest.name,
    host: host.name,
    isEnabled: true,
    current: undefined,
    candidate: undefined,
    held: undefined,
    previous: [],
    grants: [],
    refused: [],
    settings: settings ?? (await files.settingsLeft(manifest.name)),
    isRemoved: false,
    removesData: false,
    last: undefined,
  };
}
