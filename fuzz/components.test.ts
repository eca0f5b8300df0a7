import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { componentSeeds, growthBytesMax, judgeComponent } from "./components.ts";

// Our own file, beside this one.
const { components: kept } = JSON.parse(readFileSync(join(import.meta.dirname, "kept.json"), "utf8")) as {
  components: number[];
};

test("a component that was changed is refused or runs within its limits, and the host stays as it was", async () => {
  const seeds = await componentSeeds();
  const before = process.memoryUsage.rss();
  let called = 0;
  for (const seed of [...kept, ...Array.from({ length: 500 }, (_, index) => 1_000 + index)]) {
    const verdict = await judgeComponent(seeds, seed);
    assert.notEqual(verdict.kind, "wrong", `seed ${seed}: ${JSON.stringify(verdict)}`);
    if (verdict.kind === "called") called++;
  }
  assert.ok(called > 0, "some of them run");
  assert.ok(process.memoryUsage.rss() - before < growthBytesMax, "in little memory");
});
