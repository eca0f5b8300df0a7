import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { controlFlowModule } from "./control-flow-modules.ts";
import { compare } from "./differ.ts";
import { judgeDistance } from "./distance.ts";
import { judgeMalformed, malformedModule } from "./malformed.ts";
import { flavours, ModuleMaker } from "./random-modules.ts";

// Our own file, beside this one.
const { seeds, controlFlow } = JSON.parse(readFileSync(join(import.meta.dirname, "kept.json"), "utf8")) as {
  seeds: number[];
  controlFlow: number[];
};

test("random modules that were kept behave alike before and after the rewrite, and malformed ones are refused", async () => {
  using maker = new ModuleMaker();
  let alike = 0;
  for (const seed of seeds) {
    const flavour = flavours[seed % flavours.length];
    assert.ok(flavour);
    const bytes = await maker.make(seed, flavour);
    assert.ok(bytes, `seed ${seed}`);
    const verdict = compare(bytes, flavour.hasNoNan);
    assert.notEqual(verdict.kind, "different", `seed ${seed}, ${flavour.name}: ${JSON.stringify(verdict)}`);
    if (verdict.kind === "alike") alike++;
    for (let round = 0; round < 20; round++) {
      const judged = judgeMalformed(malformedModule(bytes, seed * 20 + round));
      assert.deepEqual(judged, { kind: "answered" }, `seed ${seed}, ${flavour.name}, malformed ${round}`);
    }
  }
  assert.ok(alike > seeds.length / 2);
});

test("modules of nothing but control flow count as operator by operator, and notice soon that they are to stop", () => {
  for (const seed of controlFlow) {
    const bytes = controlFlowModule(seed);
    const verdict = compare(bytes, true);
    assert.notEqual(verdict.kind, "different", `seed ${seed}: ${JSON.stringify(verdict)}`);
    assert.equal(judgeDistance(bytes).kind, "within", `seed ${seed}`);
  }
});
