/** A version as it is kept: its bundle in the store, and what an entry says of it. */

import type { Bundle, TrustRule } from "../../bundle/index.ts";
import type { Core } from "../core.ts";
import type { Entry, InstalledVersion } from "../store/entry.ts";
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

export function emptyEntry({ manifest, host }: Inspected): Entry {
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
    isRemoved: false,
    removesData: false,
    last: undefined,
  };
}
