import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { isRemoraError } from "remora/base";
import { load } from "remora/engine";
import { buildExamples } from "../../build.ts";
import { hostileGuests } from "./guests.ts";

before(async () => {
  await buildExamples();
});

const limits = { fuelMax: 1_000_000, deadlineMs: 5000, memoryPagesMax: 64 };

/** What becomes of a call: the code that it fails with, or what it gives when it keeps within its limits. */
const outcomes: Readonly<Record<string, string>> = {
  loops: "engine/out-of-fuel",
  "loops-at-start": "engine/out-of-fuel",
  "loops-in-describe": "engine/out-of-fuel",
  "loops-in-realloc": "engine/out-of-fuel",
  "loops-on-host": "engine/out-of-fuel",
  "catches-all": "engine/out-of-fuel",
  "fills-memory": "engine/out-of-fuel",
  "floods-log": "engine/out-of-fuel",
  recurses: "engine/stack",
  "grows-memory": "pass",
  "grows-table": "pass",
  "realloc-grows": "pass",
  "wants-4-gib": "wasm/over-cap",
  traps: "engine/unreachable",
  "traps-in-realloc": "engine/unreachable",
  "divides-by-zero": "engine/divide",
  "reads-outside": "engine/memory",
  "realloc-outside": "component/trap",
  "realloc-at-the-end": "component/trap",
  "realloc-misaligned": "component/trap",
  "unknown-result": "component/trap",
  "describe-outside": "component/trap",
  "describe-pointer-outside": "component/trap",
  "describe-huge": "component/trap",
  "describe-not-utf8": "component/trap",
  "logs-outside": "component/trap",
  "logs-unknown-level": "component/trap",
  "logs-a-megabyte": "pass",
  "forges-a-handle": "component/trap",
  "keeps-its-loan": "component/trap",
  "gives-back-twice": "component/trap",
  "reads-after-giving-back": "component/trap",
  "transforms-outside": "component/trap",
  "transforms-huge": "component/trap",
  "transforms-neither": "component/trap",
  "transforms-to-nonsense": "0",
};

describe("a plugin that means harm takes no more than its own call with it", () => {
  for (const [name, { does }] of Object.entries(hostileGuests)) {
    test(`${name}, which ${does}`, async () => {
      assert.equal(await outcomeOf(name, limits), outcomes[name]);
    });
  }

  for (const name of ["loops", "catches-all", "loops-on-host", "floods-log"]) {
    test(`${name} is stopped by the clock when there is fuel for ever`, async () => {
      const startedAt = process.threadCpuUsage();
      const outcome = await outcomeOf(name, { ...limits, fuelMax: Number.MAX_SAFE_INTEGER, deadlineMs: 20 });
      assert.equal(outcome, "engine/deadline");
      assert.ok(process.threadCpuUsage(startedAt).user < 2_000_000);
    });
  }
});

class Message {
  lat(): number {
    return 52.08;
  }
}

async function outcomeOf(name: string, limited: typeof limits): Promise<string> {
  const bytes = await readFile(join(import.meta.dirname, "build", `${name}.wasm`));
  const host = { log: () => {}, getCurrentTimeMs: () => 0n, queryElevation: () => undefined };
  const imports = {
    "omnitak:plugin/host@0.1.0": host,
    "remora:tak/messages@0.1.0": { Message },
  };
  try {
    using instance = await load(bytes, { imports, limits: limited });
    const [path, args] = callOf(name);
    const { result, report } = instance.call(path, args);
    assert.ok(report.memoryPages <= limited.memoryPagesMax);
    return String(result);
  } catch (error) {
    assert.ok(isRemoraError(error), String(error));
    return error.code;
  }
}

function callOf(name: string): [path: string[], args: unknown[]] {
  const { world } = hostileGuests[name] ?? assert.fail(name);
  if (world.includes("lazy")) return [["lazy", "evaluate"], [new Message()]];
  if (world.includes("transformer")) return [["transformer", "transform"], [new Uint8Array(8)]];
  if (name.includes("describe")) return [["filter", "describe"], []];
  const message = { cotType: "a-f-G", uid: "A", lat: 52, lon: 4, time: "2026-01-01T00:00:00Z" };
  return [["filter", "evaluate"], [message]];
}
