import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const probe = join(import.meta.dirname, "exhaustion-probe.ts");

async function outcomesWith(...flags: string[]): Promise<Record<string, string[]>> {
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, probe]);
  return JSON.parse(stdout);
}

test("fuel runs out at the same instruction whatever the slice and the tier of V8", async () => {
  const [usual, baseline, optimized] = await Promise.all([
    outcomesWith(),
    outcomesWith("--liftoff-only"),
    outcomesWith("--no-liftoff"),
  ]);
  assert.ok(Object.values(usual).filter(([first]) => first?.startsWith("engine/out-of-fuel")).length >= 30);
  for (const [what, outcomes] of Object.entries(usual)) {
    assert.equal(new Set(outcomes).size, 1, `${what}: ${outcomes.join(" | ")}`);
  }
  assert.deepEqual(baseline, usual);
  assert.deepEqual(optimized, usual);
});
