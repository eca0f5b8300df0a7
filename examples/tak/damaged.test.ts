/** Plugins that were cut or changed on their way: refused with a coded error, or run within their limits. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { before, test } from "node:test";
import { createMessage, noElevation, openPluginStage } from "@remora/tak";
import { isRemoraError } from "remora/base";
import { defaultLimits } from "remora/engine";
import { buildExamples, componentPath } from "../build.ts";

let plugin: Uint8Array;

before(async () => {
  await buildExamples();
  plugin = Uint8Array.from(await readFile(componentPath("tak/geofence-filter")));
});

const timeMs = 1_750_000_000_000;
const message = createMessage({ type: "a-f-G", uid: "u", lat: 52.08, lon: 4.31, timeMs, staleMs: timeMs });

/** What becomes of a plugin: the code of an error, or "answers". Anything else is our mistake and comes out. */
function outcome(bytes: Uint8Array): string {
  try {
    const stage = openPluginStage({
      id: "damaged",
      kind: "filter",
      bytes,
      onFailure: "block",
      limits: { ...defaultLimits, fuelMax: 200_000, deadlineMs: 1_000, memoryPagesMax: 64 },
      grants: [],
      givesXml: true,
      host: { log: () => {}, nowMs: () => timeMs, elevation: noElevation, audit: { write: () => {} } },
    });
    try {
      assert.ok(stage.kind === "filter");
      assert.equal(typeof stage.decide(message), "boolean");
    } finally {
      stage.close();
    }
    return "answers";
  } catch (error) {
    if (!isRemoraError(error)) throw error;
    return error.code;
  }
}

test("a plugin that was cut is refused with a coded error, unless only whole custom sections are gone", () => {
  const wholeFrom = plugin.length - lastCustomSections(plugin);
  for (let length = 0; length < wholeFrom; length += 41) {
    assert.notEqual(outcome(plugin.slice(0, length)), "answers", `cut at ${length}`);
  }
});

/** Bytes of the custom sections, id 0, behind the last section that means something. */
function lastCustomSections(bytes: Uint8Array): number {
  let at = 8;
  let meaningful = at;
  while (at < bytes.length) {
    const id = bytes[at++];
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0;
      size |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    at += size;
    if (id !== 0) meaningful = at;
  }
  return bytes.length - meaningful;
}

test("a plugin with a flipped bit is refused, or fails or answers within its limits", () => {
  const codes = new Map<string, number>();
  for (let at = 0; at < plugin.length; at += 11) {
    const damaged = plugin.slice();
    damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
    const code = outcome(damaged);
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  // Every part of it was hit: structure, types, code, and what does not matter.
  for (const layer of ["component/", "wasm/", "engine/", "answers"]) {
    assert.ok(
      [...codes.keys()].some((code) => code.startsWith(layer)),
      `${layer}: ${[...codes.keys()]}`,
    );
  }
});

test("a plugin with bytes behind its end, or twice, is refused", () => {
  assert.notEqual(outcome(Buffer.concat([plugin, Uint8Array.of(0xff)])), "answers");
  assert.notEqual(outcome(Buffer.concat([plugin, plugin])), "answers");
});
