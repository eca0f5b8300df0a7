/** The capabilities that this program knows, Remora's and its hosts', and what needs them. */

import type { KnownUses } from "remora/bundle";
import { type Vocabulary, vocabularyWith } from "remora/policy";

export interface KnownCapabilities {
  readonly vocabulary: Vocabulary;
  readonly uses: KnownUses;
}

/** Loaded when a bundle is at hand: most commands need neither a sandbox nor a host. */
export async function knownCapabilities(): Promise<KnownCapabilities> {
  const [{ sandboxImports }, { gatedInterfaces }, { takCapabilities }] = await Promise.all([
    import("remora/sandbox"),
    import("remora/manager"),
    import("@remora/tak"),
  ]);
  using sandbox = sandboxImports({
    plugin: "none",
    grants: [],
    audit: { write: () => {} },
    log: { write: () => {} },
    nowMs: () => 0,
  });
  return {
    vocabulary: vocabularyWith(takCapabilities),
    uses: { offers: sandbox.offers, gated: gatedInterfaces },
  };
}
