/** The capabilities that this program knows, Remora's and its hosts', and what needs them. */

import type { KnownUses } from "remora/bundle";
import { type Vocabulary, vocabularyWith } from "remora/policy";

export interface KnownCapabilities {
  readonly vocabulary: Vocabulary;
  readonly uses: KnownUses;
}

/** Loaded when a bundle is at hand: most commands need neither a sandbox nor a host. */
export async function knownCapabilities(): Promise<KnownCapabilities> {
  const [{ sandboxOffers }, { gatedInterfaces }, { takCapabilities }] = await Promise.all([
    import("remora/sandbox"),
    import("remora/manager"),
    import("@remora/tak"),
  ]);
  return {
    vocabulary: vocabularyWith(takCapabilities),
    uses: { offers: sandboxOffers, gated: gatedInterfaces },
  };
}
