/**
 * What a plugin declares against what its artifacts import. A capability that is imported and not declared would be
 * refused when the plugin is loaded; one that is declared and not imported asks the operator for more than is needed.
 */

import {
  type CapabilityName,
  checkImports,
  type ImportNeed,
  type ImportOffer,
  type RefusedImport,
} from "../policy/index.ts";
import type { Manifest } from "./manifest/manifest.ts";

export interface CapabilityUse {
  readonly kind: "undeclared" | "unused";
  readonly capability: CapabilityName;
  /** The imports that need it; none when it is unused. */
  readonly imports: readonly string[];
}

/**
 * Compares a manifest with what its artifacts import.
 *
 * @param needed The imports of all artifacts.
 * @param offers What the sandbox and the host give, and the capability behind each. Capabilities that no offer needs
 *               (a folder, a topic) are used by calls and not by imports, and nothing is said about them.
 * @returns      What does not agree, undeclared first; none when all does.
 */
export function capabilityUses(
  manifest: Manifest,
  needed: readonly ImportNeed[],
  offers: readonly ImportOffer[],
): CapabilityUse[] {
  const imported = new Map<CapabilityName, string[]>();
  for (const one of refusedWithoutGrants(needed, offers)) {
    if (one.why !== "not-granted") continue;
    imported.set(one.capability, [...(imported.get(one.capability) ?? []), one.name]);
  }
  const declared = new Set(manifest.capabilities.map(({ grant }) => grant.capability));
  const offered = new Set(offers.map((offer) => offer.capability));
  const undeclared = [...imported]
    .filter(([capability]) => !declared.has(capability))
    .map(([capability, imports]) => ({ kind: "undeclared", capability, imports }) as const);
  const unused = [...declared]
    .filter((capability) => offered.has(capability) && !imported.has(capability))
    .map((capability) => ({ kind: "unused", capability, imports: [] }) as const);
  return [...undeclared, ...unused];
}

/** The policy's own matching of imports and offers; with nothing granted, it lists all that need something. */
function refusedWithoutGrants(
  needed: readonly ImportNeed[],
  offers: readonly ImportOffer[],
): readonly RefusedImport[] {
  const check = checkImports(needed, { hostFunctions: [], offers, grants: [] });
  return check.kind === "ok" ? [] : (check.error.details as { refused: readonly RefusedImport[] }).refused;
}
