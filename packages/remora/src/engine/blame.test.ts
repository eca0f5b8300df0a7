/** One plugin's failure inside of another one's host function is not the other one's. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { openArtifact } from "./artifact.ts";
import { openIsolation } from "./isolation/open.ts";
import { defaultLimits } from "./limits.ts";
import { load } from "./load.ts";

type Functions = Readonly<Record<string, () => unknown>>;

const trapping = await parse(`(module
  (func (export "trap") unreachable)
  (func (export "loop") (loop (br 0))))`);

const asking = {
  "core module": await parse(`(module (import "env" "ask" (func $ask)) (func (export "run") (call $ask)))`),
  component: await parse(`(component
    (import "env" (instance $env (export "ask" (func))))
    (core func $ask (canon lower (func $env "ask")))
    (core module $m (import "env" "ask" (func $ask)) (func (export "run") (call $ask)))
    (core instance $i (instantiate $m (with "env" (instance (export "ask" (func $ask))))))
    (func (export "run") (canon lift (core func $i "run"))))`),
};

for (const [kind, bytes] of Object.entries(asking)) {
  for (const failing of ["trap", "loop"]) {
    for (const level of ["inline", "worker"] as const) {
      test(`${level}, ${kind}: the ${failing} of another plugin is a failure of the host function`, async () => {
        await using isolation = openIsolation(level);
        const other = await load<Functions>(trapping, { plugin: "other", limits: { fuelMax: 1_000 } });
        const guest = await isolation.instantiate(openArtifact(bytes, { plugin: "innocent" }), {
          limits: defaultLimits,
          imports: { env: { ask: () => other.exports[failing]?.() } },
        });
        await assert.rejects(guest.call("run", []), (error: Error & { fault?: string }) => {
          assert.equal(error.fault, "platform");
          assert.match(error.message, /innocent.*"other"/);
          return true;
        });
        assert.ok(other.isPoisoned);
      });
    }
  }
}
