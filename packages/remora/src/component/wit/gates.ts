/** Feature gates (WIT.md, "Feature Gates"): which items are there, and what is said about those that are. */

import type { Gate } from "./ast.ts";
import { witErrors } from "./errors.ts";
import type { PackageName, Stability } from "./model.ts";
import { placeOf } from "./source.ts";

/** Features that the reader asked for; `"all"` opens every gate. */
export type OpenFeatures = ReadonlySet<string> | "all";

export interface GateVerdict {
  readonly stability: Stability;
  /** The feature that has to be asked for, when the item is not there. */
  readonly closedBy: string | undefined;
}

/** Reads an item's gates. Throws when they contradict each other or the package's version. */
export function judgeGates(gates: readonly Gate[], owner: PackageName, open: OpenFeatures): GateVerdict {
  const found: { since?: string; unstable?: string; deprecated?: string } = {};
  let closedBy: string | undefined;
  for (const gate of gates) {
    const refuse = (what: string) => witErrors["wit-gate"]({ ...placeOf(gate.span), what });
    if (owner.version === undefined) throw refuse("a gate needs a package with a version");
    if (found[gate.kind] !== undefined) throw refuse(`"@${gate.kind}" stands here twice`);
    if (gate.kind === "unstable") {
      found.unstable = gate.feature;
      if (open !== "all" && !open.has(gate.feature)) closedBy = gate.feature;
    } else {
      found[gate.kind] = gate.version;
      if (gate.kind === "since" && isNewer(gate.version, owner.version)) {
        throw refuse(`version ${gate.version} is newer than the package, which is at ${owner.version}`);
      }
    }
    if (found.since !== undefined && found.unstable !== undefined) {
      throw refuse('an item is either "@since" a version or "@unstable", not both');
    }
  }
  const [last] = gates;
  if (last !== undefined && found.since === undefined && found.unstable === undefined) {
    const what = '"@deprecated" stands beside "@since" or "@unstable"';
    throw witErrors["wit-gate"]({ ...placeOf(last.span), what });
  }
  return { stability: found, closedBy };
}

/** By the numbers alone: a package at `0.3.0-rc` has what is there since 0.3.0. */
function isNewer(version: string, other: string): boolean {
  const numbers = (text: string) => text.split(/[.+-]/, 3).map(Number);
  const [left, right] = [numbers(version), numbers(other)];
  for (let index = 0; index < 3; index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
