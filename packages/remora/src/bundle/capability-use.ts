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
  /** The imports that need it, or the exports that are called by it; none when it is unused. */
  readonly imports: readonly string[];
}

/** What artifacts have to do with their surroundings. */
export interface ArtifactNames {
  readonly imports: readonly ImportNeed[];
  /** Of components, the interfaces and functions. */
  readonly exports: readonly string[];
}

/** An interface that any plugin may have, and that does nothing without one of these capabilities. */
export interface GatedInterface {
  readonly name: string;
  readonly side: keyof ArtifactNames;
  readonly capabilities: readonly [CapabilityName, ...CapabilityName[]];
}

export interface KnownUses {
  /** What the sandbox and the host give, and the capability behind each. */
  readonly offers: readonly ImportOffer[];
  readonly gated: readonly GatedInterface[];
}

/**
 * Compares a manifest with what its artifacts import and export.
 *
 * @param names Of all artifacts.
 * @param known Capabilities that are behind none of it (a folder) are used by calls, and nothing is said about them.
 * @returns     What does not agree, undeclared first; none when all does.
 */
export function capabilityUses(manifest: Manifest, names: ArtifactNames, known: KnownUses): CapabilityUse[] {
  const { offers, gated } = known;
  const declared = new Set(manifest.capabilities.map(({ grant }) => grant.capability));
  const imported = new Map<CapabilityName, string[]>();
  for (const [capability, name] of offersUsed(names.imports, offers)) {
    const names = imported.get(capability);
    if (names === undefined) imported.set(capability, [name]);
    else names.push(name); // a publisher may import one thing a hundred thousand times
  }
  const used = new Set(imported.keys());
  for (const { name, side, capabilities } of gated) {
    const [capability] = capabilities;
    const needs = side === "imports" ? names.imports : names.exports.map((from) => ({ from }));
    const [found] = offersUsed(needs, [{ import: name, capability }]);
    if (found === undefined) continue;
    for (const each of capabilities) used.add(each);
    // Any of them makes sense of it; where there is none, the first stands for all.
    if (!capabilities.some((each) => declared.has(each))) imported.set(capability, [found[1]]);
  }
  const undeclared = [...imported]
    .filter(([capability]) => !declared.has(capability))
    .map(([capability, imports]) => ({ kind: "undeclared", capability, imports }) as const);
  const usable = new Set([
    ...offers.map((offer) => offer.capability),
    ...gated.flatMap(({ capabilities }) => capabilities),
  ]);
  const unused = [...declared]
    .filter((capability) => usable.has(capability) && !used.has(capability))
    .map((capability) => ({ kind: "unused", capability, imports: [] }) as const);
  return [...undeclared, ...unused];
}

function offersUsed(
  needed: readonly ImportNeed[],
  offers: readonly ImportOffer[],
): [capability: CapabilityName, name: string][] {
  return refusedWithoutGrants(needed, offers).flatMap((one) =>
    one.why === "not-granted" ? [[one.capability, one.name]] : [],
  );
}

/** The policy's own matching of imports and offers; with nothing granted, it lists all that need something. */
function refusedWithoutGrants(
  needed: readonly ImportNeed[],
  offers: readonly ImportOffer[],
): readonly RefusedImport[] {
  const check = checkImports(needed, { hostFunctions: [], offers, grants: [] });
  return check.kind === "ok" ? [] : (check.error.details as { refused: readonly RefusedImport[] }).refused;
}
