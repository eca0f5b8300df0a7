/** Resources that are represented by an i64 (Explainer.md, "resource", gated by 🐘). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { asyncHostFunction } from "../component/index.ts";
import { openArtifact } from "./artifact.ts";
import { openIsolation } from "./isolation/open.ts";
import { defaultLimits } from "./limits.ts";
import { load } from "./load.ts";

/** More than a number holds exactly, and negative as an i64. */
const rep = 0xfedc_ba98_7654_3211n;

/** Makes resources, is given them back, and keeps the representation of the last that was destroyed. */
const making = (asks = "") => `(component
  ${asks}
  (core module $d (global $last (mut i64) (i64.const 0)) (global $count (mut i32) (i32.const 0))
    (func (export "dtor") (param i64) (global.set $last (local.get 0))
      (global.set $count (i32.add (global.get $count) (i32.const 1))))
    (func (export "last") (result i64) (global.get $last))
    (func (export "count") (result i32) (global.get $count)))
  (core instance $d (instantiate $d))
  (type $thing (resource (rep i64) (dtor (core func $d "dtor"))))
  (core func $new (canon resource.new $thing))
  (core func $rep (canon resource.rep $thing))
  (core func $drop (canon resource.drop $thing))
  (core module $m
    (import "h" "new" (func $new (param i64) (result i32)))
    (import "h" "rep" (func $rep (param i32) (result i64)))
    (import "h" "drop" (func $drop (param i32)))
    (func (export "make") (param i64) (result i32) (call $new (local.get 0)))
    (func (export "take") (param i32) (result i64) (local $rep i64)
      (local.set $rep (call $rep (local.get 0)))
      (call $drop (local.get 0))
      (local.get $rep)))
  (core instance $i (instantiate $m (with "h" (instance
    (export "new" (func $new)) (export "rep" (func $rep)) (export "drop" (func $drop))))))
  (export $exported "thing" (type $thing))
  (func (export "make") (param "rep" u64) (result (own $exported)) (canon lift (core func $i "make")))
  (func (export "take") (param "thing" (own $exported)) (result u64) (canon lift (core func $i "take")))
  (func (export "last") (result u64) (canon lift (core func $d "last")))
  (func (export "count") (result u32) (canon lift (core func $d "count"))))`;

const plain = await parse(making());
/** The same where a host function may wait: then a destructor is a task of its own. */
const waiting = await parse(
  making(`(import "nap" (func $nap)) (core func $n (canon lower (func $nap)))
    (core module $w (import "h" "nap" (func)))
    (core instance (instantiate $w (with "h" (instance (export "nap" (func $n))))))`),
);

for (const level of ["inline", "worker", "process"] as const) {
  for (const [what, bytes] of [
    ["synchronous", plain],
    ["waiting", waiting],
  ] as const) {
    test(`${level}, ${what}: a resource that is an i64 is made, handed over and destroyed by it`, async () => {
      await using isolation = openIsolation(level, { threadsMax: 1 });
      const guest = await isolation.instantiate(openArtifact(bytes), {
        imports: { nap: asyncHostFunction(async () => {}) },
        limits: defaultLimits,
      });
      const call = async (name: string, ...args: unknown[]) => (await guest.call(name, args)).result;
      const thing = (await call("make", rep)) as Disposable;
      assert.equal(await call("take", thing), rep);
      assert.equal(await call("last"), rep);
      await assert.rejects(call("take", thing), { code: "component/type-mismatch" });
      const zero = (await call("make", 0n)) as Disposable;
      zero[Symbol.dispose]();
      assert.equal(await call("last"), 0n);
      assert.equal(await call("count"), 2);
    });
  }
}

test("another component is lent such a resource by a handle", async () => {
  const bytes = await parse(`(component
    (component $maker
      (type $thing (resource (rep i64)))
      (core func $new (canon resource.new $thing))
      (core module $m (import "h" "new" (func $new (param i64) (result i32)))
        (func (export "make") (result i32) (call $new (i64.const -1))))
      (core instance $i (instantiate $m (with "h" (instance (export "new" (func $new))))))
      (export $exported "thing" (type $thing))
      (func (export "make") (result (own $exported)) (canon lift (core func $i "make"))))
    (component $user
      (import "thing" (type $thing (sub resource)))
      (core func $drop (canon resource.drop $thing))
      (core module $m (import "h" "drop" (func $drop (param i32)))
        (func (export "look") (param i32) (result i32) (call $drop (local.get 0)) (i32.const 7)))
      (core instance $i (instantiate $m (with "h" (instance (export "drop" (func $drop))))))
      (func (export "look") (param "thing" (borrow $thing)) (result u32) (canon lift (core func $i "look"))))
    (instance $maker (instantiate $maker))
    (alias export $maker "thing" (type $thing))
    (instance $user (instantiate $user (with "thing" (type $thing))))
    (export "maker" (instance $maker))
    (export "user" (instance $user)))`);
  const { exports } = await load<{
    maker: { make(): Disposable };
    user: { look(thing: Disposable): number };
  }>(bytes, { imports: {} });
  const thing = exports.maker.make();
  assert.equal(exports.user.look(thing), 7);
  assert.equal(exports.user.look(thing), 7);
});

const component = (body: string) => `(component
  (core module $d (func (export "dtor") (param i32)))
  (core instance $d (instantiate $d))
  (core module $m (func (export "f") (param i32)))
  (core instance $i (instantiate $m))
  ${body})`;

for (const [what, text, code] of [
  [
    "lent to what implements it, of which the specification has no core type",
    `(type $thing (resource (rep i64))) (export $e "thing" (type $thing))
      (func (export "look") (param "things" (tuple (borrow $e))) (canon lift (core func $i "f")))`,
    "component/unsupported",
  ],
  [
    "destroyed by a function that takes an i32",
    `(type (resource (rep i64) (dtor (core func $d "dtor"))))`,
    "component/invalid",
  ],
  ["an f32", "(type (resource (rep f32)))", "component/invalid"],
] as const) {
  test(`a resource that is ${what} is refused`, async () => {
    await assert.rejects(async () => load(await parse(component(text)), { imports: {} }), { code });
  });
}
