/** Feature gates (WIT.md, "Feature Gates"): which items are there, and what is said about those that are. */

import type { Attributes, Gate, InterfaceItem, WorldItem } from "./ast.ts";
import { witErrors } from "./errors.ts";
import type { PackageName, Stability } from "./model.ts";
import { placeOf, type Span } from "./source.ts";

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
    if (found[gate.kind] !== undefined) throw refuse(`"@${gate.kind}" stands here twice`);
    if (gate.kind === "unstable") {
      found.unstable = gate.feature;
      if (open !== "all" && !open.has(gate.feature)) closedBy = gate.feature;
    } else {
      if (owner.version === undefined) throw refuse(`"@${gate.kind}" needs a package with a version`);
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

/** "If an item is *contained* by a gated item, it must also be compatibly gated": held for what is unstable. */
export function checkContained(item: InterfaceItem | WorldItem): void {
  const isInside = isUnstable(item.attributes);
  for (const member of item.items) {
    const span = "name" in member ? member.name.span : "path" in member ? member.path.span : member.span;
    if (isInside) requireGate(member.attributes, span, item.name.text);
    if (member.kind !== "type" || member.body.kind !== "resource" || !isUnstable(member.attributes)) continue;
    for (const func of member.body.funcs) requireGate(func.attributes, func.name.span, member.name.text);
  }
}

function requireGate(attributes: Attributes, span: Span, container: string): void {
  if (isUnstable(attributes)) return;
  const what = `this is inside "${container}", which is unstable, and needs a gate "@unstable" of its own`;
  throw witErrors["wit-gate"]({ ...placeOf(span), what });
}

function isUnstable(attributes: Attributes): boolean {
  return attributes.gates.some((gate) => gate.kind === "unstable");
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
