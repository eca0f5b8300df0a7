/**
 * One random module, original against rewritten: the behaviour must not differ, nor the fuel between ways of rewriting, nor
 * that from what counting operator by operator gives.
 */

import { meteredSide, plainSide, type Variant } from "../conformance/core/side.ts";
import { variants } from "../conformance/core/variants.ts";
import { type Behaviour, behaviourOf } from "./behaviour.ts";
import { countedSide } from "./counted-side.ts";

export type Verdict =
  | { readonly kind: "alike"; readonly calls: number }
  /** Nothing to compare: it does not end soon, its depth is V8's choice, or it does not link. */
  | { readonly kind: "skipped"; readonly why: string }
  | { readonly kind: "different"; readonly variant: string; readonly what: string };

/** Fuel of one call; a random module that needs more is not worth the wait. */
const fuelMax = 20_000_000;

/** @param hasNoNan NaN never arises in it: only then must the strict profile behave like plain V8. */
export function compare(bytes: Uint8Array, hasNoNan: boolean): Verdict {
  // Metered first: it ends whatever the module does.
  const runs: [Variant, Behaviour][] = [];
  for (const variant of variants) {
    const side = meteredSide({ ...variant, fuelMax });
    const behaviour = behaviourOf(bytes, side);
    if (side.isDead) return { kind: "skipped", why: "does not end soon" };
    if (behaviour.isDepthDependent) return { kind: "skipped", why: "recurses too deep" };
    runs.push([variant, behaviour]);
  }
  const plain = behaviourOf(bytes, plainSide());
  if (plain.isDepthDependent) return { kind: "skipped", why: "recurses too deep" };
  const counted = behaviourOf(bytes, countedSide());
  if (counted.isDepthDependent) return { kind: "skipped", why: "recurses too deep" };
  const { fuel } = counted;
  const canonical = runs.find(([variant]) => variant.isCanonical)?.[1];
  for (const [{ name, options, isCanonical }, behaviour] of runs) {
    if (behaviour.lines[0]?.includes("RemoraError") && options.profile === "strict") continue;
    // Canonical NaN bits can change anything, and are meant to; they are the same in every strict run.
    const expected = isCanonical && !hasNoNan ? (canonical ?? plain) : plain;
    const what = firstDifference(expected.lines, behaviour.lines);
    if (what !== undefined) return { kind: "different", variant: name, what };
    if (options.mode !== "fuel") continue;
    // Where canonical NaN bits change what is run, they change its fuel.
    const expectedFuel = isCanonical && !hasNoNan ? (canonical?.fuel ?? fuel) : fuel;
    const spent = firstDifference(expectedFuel.map(String), behaviour.fuel.map(String));
    if (spent !== undefined) return { kind: "different", variant: name, what: `fuel of a call: ${spent}` };
  }
  return { kind: "alike", calls: plain.lines.length };
}

function firstDifference(a: readonly string[], b: readonly string[]): string | undefined {
  const at = Array.from({ length: Math.max(a.length, b.length) }, (_, index) => index).find(
    (i) => a[i] !== b[i],
  );
  return at === undefined ? undefined : `line ${at}: "${a[at]}" and "${b[at]}"`;
}
