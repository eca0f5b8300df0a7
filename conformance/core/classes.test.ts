import assert from "node:assert/strict";
import { test } from "node:test";
import { classes } from "./classes.ts";
import { prepareScript } from "./prepare.ts";
import { areAlike, meteredSide, plainSide, runScript } from "./side.ts";
import { variants } from "./variants.ts";

for (const [name, source] of Object.entries(classes)) {
  test(`a rewritten module does to the bit what the original does: ${name}`, async () => {
    const script = await prepareScript(source);
    assert.ok(
      script.steps.every((step) => step.kind !== "skip"),
      script.steps.map((step) => (step.kind === "skip" ? step.why : "")).join(""),
    );
    const plain = runScript(script, plainSide(), false).outcomes;
    const canonical = runScript(script, plainSide(), true).outcomes;
    assert.equal(plain[0], "instantiated");
    assert.ok(plain.some((outcome) => outcome.startsWith("returned")));
    for (const variant of variants) {
      const { outcomes } = runScript(script, meteredSide(variant), variant.isCanonical);
      if (variant.options.profile === "strict" && outcomes[0]?.startsWith("refused")) continue;
      const expected = variant.isCanonical ? canonical : plain;
      for (const [index, outcome] of outcomes.entries()) {
        const wanted: string = expected[index] ?? "";
        const line: number | undefined = script.steps[index]?.line;
        const what: string = `${variant.name}, line ${line}: plain "${wanted}", rewritten "${outcome}"`;
        assert.ok(areAlike(wanted, outcome, variant.isCanonical), what);
      }
    }
  });
}
