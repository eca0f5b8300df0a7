/**
 * WebAssembly/testsuite, every script on plain V8 and on rewritten modules, command by command. A command differs
 * when its outcome does: the value to the bit, the trap, the refusal. So does a call whose fuel depends on the slices.
 */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ConformanceReport } from "../main.ts";
import { type Suite, type SuiteMissing, suiteFolder } from "../suites.ts";
import { type Known, known } from "./known.ts";
import { type Prepared, prepareScript } from "./prepare.ts";
import { areAlike, meteredSide, plainSide, type Run, runScript } from "./side.ts";
import { variants } from "./variants.ts";

const suite: Suite = {
  name: "testsuite",
  url: "https://github.com/WebAssembly/testsuite.git",
  // 2026-06-17
  commit: "193e551ff22663995b1ac95dc62344133669e14b",
};

/** Proposals that V8 14 has, beside the standard; of the others nothing would run on either side. */
const folders = [".", "legacy", "custom", "proposals/threads"];

interface Difference {
  readonly file: string;
  readonly line: number;
  readonly variant: string;
  readonly plain: string;
  readonly metered: string;
}

export async function runCore(log: (line: string) => void): Promise<ConformanceReport | SuiteMissing> {
  const found = suiteFolder(suite);
  if ("missing" in found) return found;
  const files = folders.flatMap((folder) =>
    readdirSync(join(found.folder, folder))
      .filter((name) => name.endsWith(".wast"))
      .map((name) => (folder === "." ? name : `${folder}/${name}`)),
  );
  const differences: Difference[] = [];
  const refused: Record<string, number> = {};
  let assertions = 0;
  let skipped = 0;
  let invalidAccepted = 0;
  for (const file of files) {
    const script = await prepareScript(readFileSync(join(found.folder, file), "utf8"));
    const plain = runScript(script, plainSide(), false);
    const canonical = runScript(script, plainSide(), true);
    const notRun = script.steps.filter(({ kind }) => kind === "skip").length;
    assertions += script.steps.length - notRun;
    skipped += notRun;
    /** Fuel of each call, by profile, from the first variant that counts it. */
    const fuelOf = new Map<string, Run["fuel"]>();
    for (const variant of variants) {
      const expected = variant.isCanonical ? canonical : plain;
      const metered = runScript(script, meteredSide(variant), variant.isCanonical);
      const { mode, profile } = variant.options;
      const counted = mode === "fuel" ? (fuelOf.get(profile) ?? metered.fuel) : metered.fuel;
      if (mode === "fuel") fuelOf.set(profile, counted);
      for (const [index, step] of script.steps.entries()) {
        const [a = "", b = ""] = [expected.outcomes[index], metered.outcomes[index]];
        if (step.kind === "reject" && b === "accepted" && a !== "accepted") invalidAccepted++;
        if (b.startsWith("returned") && counted[index] !== metered.fuel[index]) {
          const [few, many] = [`fuel ${counted[index]}`, `fuel ${metered.fuel[index]}`];
          differences.push({ file, line: step.line, variant: variant.name, plain: few, metered: many });
        }
        if (areAlike(a, b, variant.isCanonical)) continue;
        // An invalid module may be refused by one of our limits before V8 has a look at it.
        if (step.kind === "reject" && a === "invalid" && b === "refused wasm/limit") continue;
        if (isRefusal(script, metered.outcomes, index, a)) {
          refused[variant.name] = (refused[variant.name] ?? 0) + 1;
          continue;
        }
        const { line } = step;
        differences.push({ file, line, variant: variant.name, plain: a, metered: b });
      }
    }
  }
  return report();

  function report(): ConformanceReport {
    const isKnown = ({ file, line }: Known | Difference) => `${file}:${line}`;
    const expected = new Set(known.map(isKnown));
    const unexpected = differences.filter((difference) => !expected.has(isKnown(difference)));
    const seen = new Set(differences.map(isKnown));
    const passing = known.filter((entry) => !seen.has(isKnown(entry)));
    for (const { file, line, variant, plain, metered } of unexpected) {
      log(`${file}:${line}: ${variant}: plain V8 "${plain}", rewritten "${metered}"`);
    }
    for (const { file, line } of passing) log(`${file}:${line}: known to differ, and does not any more`);
    return {
      facts: {
        files: files.length,
        assertions,
        skipped,
        variants: variants.map(({ name }) => name),
        differing: unexpected.length,
        invalidAccepted,
        refused,
        known,
        passing,
      },
      isGood: unexpected.length === 0 && passing.length === 0 && invalidAccepted === 0,
    };
  }
}

const outsideOfProfile = "refused wasm/refused-feature";

/** The module is outside of the profile, or the action's module is; refusing is what a profile is for. */
function isRefusal(script: Prepared, outcomes: readonly string[], index: number, plain: string): boolean {
  const step = script.steps[index];
  const own = outcomes[index] ?? "";
  if (own === outsideOfProfile) return step?.kind !== "reject" || plain !== "accepted";
  if (step?.kind === "action" || step?.kind === "register") {
    return own === "no instance" && outcomes[step.instance] === outsideOfProfile;
  }
  // It imports from a module that was refused.
  return own === "unlinkable" && outcomes.includes(outsideOfProfile);
}
