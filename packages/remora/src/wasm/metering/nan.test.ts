import assert from "node:assert/strict";
import { test } from "node:test";
import { assemble, meter } from "./rig.test.ts";

const program = `(module (memory 1) (global $g (mut f64) (f64.const 0))
  (func $div (param f64 f64) (result f64) (f64.div (local.get 0) (local.get 1)))
  (func $id (param f64) (result i64) (i64.reinterpret_f64 (local.get 0)))
  (func (export "reinterpret") (param f64) (result i64) (i64.reinterpret_f64 (f64.div (local.get 0) (f64.const 0))))
  (func (export "callee") (param f64) (result i64) (i64.reinterpret_f64 (call $div (local.get 0) (f64.const 0))))
  (func (export "argument") (param f64) (result i64) (call $id (f64.sqrt (f64.sub (local.get 0) (f64.const 1)))))
  (func (export "store") (param f64) (result i64)
    (f64.store (i32.const 8) (f64.add (f64.const 1) (f64.mul (local.get 0) (f64.div (f64.const 0) (local.get 0))))) (i64.load (i32.const 8)))
  (func (export "local") (param f64) (result i64) (local f64)
    (local.set 1 (f64.min (f64.div (local.get 0) (local.get 0)) (f64.const 3))) (i64.reinterpret_f64 (local.get 1)))
  (func (export "global") (param f64) (result i64) (global.set $g (f64.div (local.get 0) (f64.const 0))) (i64.reinterpret_f64 (global.get $g)))
  (func (export "branch") (param f64) (result i64)
    (i64.reinterpret_f64 (block $b (result f64) (f64.div (local.get 0) (f64.const 0)) (br_if $b (i32.const 1)))))
  (func (export "deep") (param f64) (result i64)
    (i64.or (i64.reinterpret_f64 (f64.copysign (f64.div (local.get 0) (f64.const 0)) (f64.div (local.get 0) (f64.const 0))))
            (i64.const 0)))
  (func (export "single") (param f64) (result i64)
    (i64.shl (i64.extend_i32_u (i32.reinterpret_f32 (f32.div (f32.demote_f64 (local.get 0)) (f32.const 0)))) (i64.const 29)))
  (func (export "vector") (param f64) (result i64)
    (i64x2.extract_lane 1 (f64x2.div (f64x2.splat (local.get 0)) (v128.const f64x2 0 0))))
  (func (export "moved") (result i64)
    (i64.store (i32.const 0) (i64.const 0xfff4000000000123))
    (f64.store (i32.const 8) (f64.neg (f64.neg (f64.load (i32.const 0))))) (i64.load (i32.const 8)))
  (func (export "compared") (param f64) (result i32) (f64.lt (f64.div (local.get 0) (f64.const 0)) (f64.const 1))))`;

const canonical = 0x7ff8000000000000n;

test("strict: a NaN that arithmetic made is the canonical one wherever its bits show", async () => {
  const { exports } = meter(await assemble(program), { options: { profile: "strict" } });
  for (const name of ["reinterpret", "callee", "store", "local", "global", "branch", "deep", "vector"]) {
    assert.equal(BigInt.asUintN(64, exports[name](0)), canonical, name);
  }
  assert.equal(BigInt.asUintN(64, exports.argument(-1)), canonical);
  assert.equal(exports.single(0), 0x7fc00000n << 29n);
});

test("strict: a NaN that is only moved keeps its bits, and comparisons compare", async () => {
  const { exports } = meter(await assemble(program), { options: { profile: "strict" } });
  assert.equal(BigInt.asUintN(64, exports.moved()), 0xfff4000000000123n);
  assert.equal(exports.compared(0), 0);
});

test("strict: making NaNs canonical costs no fuel, and numbers that are none stay as they are", async () => {
  const bytes = await assemble(program);
  const strict = meter(bytes, { options: { profile: "strict" } });
  const plain = meter(bytes);
  for (const argument of [0, 1, -2.5, 1e300, Number.POSITIVE_INFINITY]) {
    for (const name of ["callee", "store", "local", "branch", "deep", "single", "vector"]) {
      const [a, b] = [strict.exports[name](argument), plain.exports[name](argument)];
      const isNan =
        argument === 0 || (argument === Number.POSITIVE_INFINITY && (name === "local" || name === "store"));
      if (!isNan) assert.equal(a, b, `${name} ${argument}`);
      assert.equal(strict.consumed(), plain.consumed());
    }
  }
});
