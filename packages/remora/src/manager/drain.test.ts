/** A version that fails while it is drained: it costs its own calls, and nobody else notices. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type AsyncCalls,
  expectRejected,
  guests,
  ref,
  rig,
  runAsync,
  settled,
  walledHost,
} from "./testing/rig.test.ts";

const policy = { healthEveryMs: 0, limits: { fuelMax: 50_000_000, deadlineMs: 20_000 } };

/** Spins for a while before it fails, so that another version can take over meanwhile. */
const failsLate = (end: string) => `(func (export "run") (param i32) (result i32) (local i32)
  (if (i32.eqz (local.get 0)) (then (return (i32.const 7))))
  (loop (br_if 0 (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (i32.const 3000000))))
  ${end})`;

const ends: Readonly<Record<string, readonly [end: string, code: string]>> = {
  traps: ["(unreachable)", "engine/unreachable"],
  loops: ["(loop (br 0)) (unreachable)", "engine/out-of-fuel"],
};

for (const isolation of ["worker", "process"] as const) {
  const top = `isolation = "${isolation}"`;
  for (const [what, [end, code]] of Object.entries(ends)) {
    test(`${isolation}: one that ${what} while it is drained costs its own call, and no breaker and no version`, async (t) => {
      const { manager, events } = await rig(t, {
        hosts: [walledHost],
        policy: { ...policy, probationMs: 0 },
      });
      const plugin = await manager.install<AsyncCalls>(await ref(failsLate(end), { top }));
      assert.equal(await plugin.useAsync(runAsync, 0), 7);
      const drained = expectRejected(plugin.useAsync(runAsync, 1), code);
      await manager.install(await ref(guests.adds(10), { top, version: "1.1.0" }));
      assert.equal(await plugin.useAsync(runAsync, 1), 11, "the new one serves while the old one is drained");
      await drained;
      assert.equal(await plugin.useAsync(runAsync, 2), 12);
      assert.deepEqual([plugin.state, plugin.breaker], ["running", "closed"]);
      assert.equal(manager.info("adder").version, "1.1.0");
      assert.ok(!events.some(({ kind }) => kind === "returned"));
      await settled(() => plugin.counts().traps === 1, 10_000);
    });
  }
}
