/** Fuel where control leaves a function by an exception: what the frames counted that it went through must not be lost. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { assemble, meter } from "./rig.test.ts";

test("a function that is left by what its callee throws has paid for its turns", async () => {
  const throwers = [
    `(func $f (throw $t))`,
    `(func $f (call $g)) (func $g (throw $t))`,
    `(func $f (return_call $g)) (func $g (throw $t))`,
    `(func $f (block $h (result exnref) (try_table (catch_all_ref $h) (throw $t)) (unreachable)) (throw_ref))`,
  ];
  for (const thrower of throwers) {
    const bytes = await assemble(`(module (tag $t) ${thrower}
      (func $turns (param i32)
        (loop $again
          (global.set $n (i32.add (global.get $n) (i32.const 1)))
          (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (call $f))
      (global $n (export "n") (mut i32) (i32.const 0))
      (func (export "run")
        (block $caught (try_table (catch_all $caught) (call $turns (i32.const 1000))))))`);
    const { exports, consumed } = meter(bytes, { slice: 2 ** 30 });
    exports.run();
    assert.equal(exports.n.value, 1_000);
    assert.ok(consumed() >= 1_000 * 9, `${consumed()} with ${thrower}`);
  }
});
