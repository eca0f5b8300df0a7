/**
 * signalk-server with its own loader for plugins, and signalk-server with this host in its place: the same plugins,
 * the same requests and the same deltas have the same answers, but for `deviations.ts`, where each has its reason.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { deviations } from "./deviations.ts";
import { type Difference, differencesOf } from "./differences.ts";
import { packages } from "./probes.ts";
import { whyNoServer } from "./real-server.ts";
import { tell } from "./transcript.ts";

test("the same plugins, requests and deltas have the same answers, but for the deviations that have a reason", async (t) => {
  const missing = await whyNoServer();
  if (missing !== undefined) return t.skip(missing);
  const { folders, skipped } = await packages(t);
  if (skipped.length > 0)
    return t.skip(skipped.map(({ folder, reason }) => `${folder}: ${reason}`).join("; "));
  const [theirs, ours] = [await tell(t, "theirs", folders), await tell(t, "ours", folders)];
  const expected = deviations.flatMap(({ differences }) => differences);
  assert.deepEqual(inOrder(differencesOf(theirs, ours)), inOrder(expected));
});

function inOrder(differences: readonly Difference[]): Difference[] {
  return differences.toSorted((one, other) => (one.at < other.at ? -1 : 1));
}
