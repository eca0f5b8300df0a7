/** Each hostile plugin in a chain of the TAK host: what it costs, and that nothing else is lost. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { before, test } from "node:test";
import { Chain, createMessage, noElevation, openPluginStage, type PluginStage } from "@remora/tak";
import { defaultLimits } from "remora/engine";
import { buildExamples } from "../../build.ts";
import { hostileGuests } from "./guests.ts";

/** What happens when a plugin is opened or asked about a message: the code of an error, or that it answers. */
const outcomes: Readonly<Record<keyof typeof hostileGuests, Outcome>> = {
  loops: { asked: "engine/out-of-fuel" },
  "loops-at-start": { opened: "engine/out-of-fuel" },
  "loops-in-describe": { asked: "answers" },
  "loops-in-realloc": { asked: "engine/out-of-fuel" },
  "loops-on-host": { asked: "engine/out-of-fuel" },
  "catches-all": { asked: "engine/out-of-fuel" },
  "fills-memory": { asked: "engine/out-of-fuel" },
  recurses: { asked: "engine/stack" },
  "grows-memory": { asked: "answers" },
  "grows-table": { asked: "answers" },
  "wants-4-gib": { opened: "wasm/over-cap" },
  traps: { asked: "engine/unreachable" },
  "divides-by-zero": { asked: "engine/divide" },
  "reads-outside": { asked: "engine/memory" },
  "traps-in-realloc": { asked: "engine/unreachable" },
  "realloc-outside": { asked: "component/trap" },
  "realloc-at-the-end": { asked: "component/trap" },
  "realloc-misaligned": { asked: "component/trap" },
  "realloc-grows": { asked: "answers" },
  "unknown-result": { asked: "component/trap" },
  "describe-outside": { asked: "answers" },
  "describe-pointer-outside": { asked: "answers" },
  "describe-huge": { asked: "answers" },
  "describe-not-utf8": { asked: "answers" },
  "floods-log": { asked: "engine/out-of-fuel" },
  "logs-outside": { asked: "component/trap" },
  "logs-unknown-level": { asked: "component/trap" },
  "logs-a-megabyte": { asked: "answers" },
  "forges-a-handle": { asked: "component/trap" },
  "keeps-its-loan": { asked: "component/trap" },
  "gives-back-twice": { asked: "component/trap" },
  "reads-after-giving-back": { asked: "component/trap" },
  "transforms-outside": { asked: "component/trap" },
  "transforms-huge": { asked: "component/trap" },
  "transforms-neither": { asked: "component/trap" },
  "transforms-to-nonsense": { asked: "tak/transform-result" },
};

type Outcome = { readonly opened: string } | { readonly asked: string };

const limits = { ...defaultLimits, fuelMax: 100_000, deadlineMs: 5_000, memoryPagesMax: 64 };
const lines: string[] = [];

before(async () => {
  await buildExamples();
});

const message = createMessage(
  {
    type: "a-f-G-U-C",
    uid: "unit-1",
    lat: 52.08,
    lon: 4.31,
    timeMs: 1_750_000_000_000,
    staleMs: 1_750_000_060_000,
  },
  '<contact callsign="FALCON"/>',
);

async function open(name: string, onFailure: "block" | "pass"): Promise<PluginStage> {
  return openPluginStage({
    id: name,
    kind: hostileGuests[name]?.world.includes("transformer") ? "transformer" : "filter",
    bytes: await readFile(new URL(`build/${name}.wasm`, import.meta.url)),
    onFailure,
    limits,
    grants: [],
    givesXml: false,
    host: {
      log: (_plugin, _level, line) => lines.push(line),
      nowMs: () => 1_750_000_000_000,
      elevation: noElevation,
      audit: { write: () => {} },
    },
  });
}

test("every hostile plugin has an outcome written down", () => {
  assert.deepEqual(Object.keys(outcomes), Object.keys(hostileGuests));
});

for (const [name, outcome] of Object.entries(outcomes)) {
  const does = hostileGuests[name]?.does ?? "";
  if ("opened" in outcome) {
    test(`a plugin that ${does} is not opened`, async () => {
      await assert.rejects(open(name, "block"), { code: outcome.opened });
    });
    continue;
  }
  test(`a plugin that ${does}: ${outcome.asked}, and the stream goes on`, async () => {
    for (const onFailure of ["block", "pass"] as const) {
      const stage = await open(name, onFailure);
      const codes: string[] = [];
      const chain = new Chain([stage], { onFailed: (_stage, _message, error) => codes.push(error.code) });
      const isFailing: boolean = outcome.asked !== "answers";
      for (let round = 0; round < 3; round++) {
        const passed = chain.run(message) !== undefined;
        assert.equal(passed, !isFailing || onFailure === "pass");
      }
      assert.deepEqual(codes, isFailing ? Array(3).fill(outcome.asked) : []);
      assert.equal(chain.counts().in, 3);
      const isTrap: boolean = isFailing && !outcome.asked.startsWith("tak/");
      assert.equal(stage.metrics().traps, isTrap ? 3 : 0);
      stage.close();
    }
  });
}

test("a flood of log lines is cut, and says so once", async () => {
  const stage = await open("floods-log", "block");
  lines.length = 0;
  new Chain([stage]).run(message);
  assert.equal(lines.length, 101);
  assert.match(lines.at(-1) ?? "", /left out/);
});

test("a line of a megabyte is cut to a kilobyte", async () => {
  const stage = await open("logs-a-megabyte", "block");
  lines.length = 0;
  new Chain([stage]).run(message);
  assert.ok((lines[0]?.length ?? 0) <= 8 * 1_024 + 1);
});
