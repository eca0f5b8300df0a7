/** One random module, original against rewritten: the behaviour must not differ, nor the fuel between ways of rewriting. */

import { meteredSide, plainSide, type Variant } from "../conformance/core/side.ts";
import { variants } from "../conformance/core/variants.ts";
import { type Behaviour, behaviourOf } from "./behaviour.ts";

export type Verdict =
  | { readonly kind: "alike"; readonly calls: number }
  /** Nothing to compare: it does not end soon, its depth is V8's choice, or it does not link. */
  | { readonly kind: "skipped"; readonly why: string }
  | { readonly kind: "different"; readonly variant: string; readonly what: string };

/** Fuel of one call; a random module that needs more is not worth the wait. */
const fuelMax = 20_000_000;

export function compare(bytes: Uint8Array): Verdict {
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
  const [fuel] = runs
    .filter(([variant]) => variant.options.mode === "fuel")
    .map(([, behaviour]) => behaviour.fuel);
  for (const [{ name, options, isCanonical }, behaviour] of runs) {
    const refusal = behaviour.lines[0] ?? "";
    if (refusal.includes("RemoraError") && options.profile === "strict") continue;
    const what = firstDifference(visible(plain.lines, isCanonical), visible(behaviour.lines, isCanonical));
    if (what !== undefined) return { kind: "different", variant: name, what };
    if (options.mode !== "fuel" || fuel === undefined) continue;
    const spent = firstDifference(fuel.map(String), behaviour.fuel.map(String));
    if (spent !== undefined) return { kind: "different", variant: name, what: `fuel of a call: ${spent}` };
  }
  return { kind: "alike", calls: plain.lines.length };
}

/** Canonical NaN bits show in memory, and are meant to. */
function visible(lines: readonly string[], isCanonical: boolean): readonly string[] {
  return isCanonical ? lines.filter((line) => !line.startsWith("memory ")) : lines;
}

function firstDifference(a: readonly string[], b: readonly string[]): string | undefined {
  const at = Array.from({ length: Math.max(a.length, b.length) }, (_, index) => index).find(
    (i) => a[i] !== b[i],
  );
  return at === undefined ? undefined : `line ${at}: "${a[at]}" and "${b[at]}"`;
}
