/** Before anything is measured: both loaders give a plugin the same texts, and it does the same on both. */

import assert from "node:assert/strict";
import { depthOf } from "./deltas.ts";
import type { Loaded } from "./loaded.ts";

/** Of the plugin that echoes: each text is that of `JSON.stringify`, to the byte. */
export async function compareTexts(pair: readonly Loaded[], deltas: readonly object[]): Promise<void> {
  const wanted = deltas.map((delta) => JSON.stringify(delta));
  for (const loaded of pair) {
    await told(loaded, deltas);
    assert.deepEqual(
      loaded.statuses().filter((text) => text.startsWith("{")),
      wanted,
    );
  }
}

/** Of the depth alarm: one alarm when it gets shallow, and one that takes it back. */
export async function compareAlarms(pair: readonly Loaded[]): Promise<void> {
  for (const loaded of pair) {
    await told(loaded, [9, 2.5, 2.4, 3.2, 9].map(depthOf));
    assert.equal(loaded.emitted(), 2);
  }
}

/** Of the plugin that counts, when both are closed: it has heard the same. */
export function compareSums(pair: readonly Loaded[]): void {
  const sums = pair.map((loaded) => loaded.statuses().filter((text) => /^[0-9a-f]{8}$/.test(text)));
  assert.equal(sums[0]?.length, 1);
  assert.deepEqual(sums[0], sums[1]);
}

async function told(loaded: Loaded, deltas: readonly object[]): Promise<void> {
  const before = loaded.delivered();
  for (const delta of deltas) loaded.say(delta);
  while (loaded.delivered() < before + deltas.length) await new Promise(setImmediate);
}
