/** The capabilities that this program knows, Remora's and its hosts', and the imports that need them. */

import { type ImportOffer, type Vocabulary, vocabularyWith } from "remora/policy";

export interface KnownCapabilities {
  readonly vocabulary: Vocabulary;
  readonly offers: readonly ImportOffer[];
}

/** Loaded when a bundle is at hand: most commands need neither a sandbox nor a host. */
export async function knownCapabilities(): Promise<KnownCapabilities> {
  const [{ sandboxImports }, { takCapabilities }] = await Promise.all([
    import("remora/sandbox"),
    import("@remora/tak"),
  ]);
  using sandbox = sandboxImports({
    plugin: "none",
    grants: [],
    audit: { write: () => {} },
    log: { write: () => {} },
    nowMs: () => 0,
  });
  return { vocabulary: vocabularyWith(takCapabilities), offers: sandbox.offers };
}
