/** Components that are made of components: guests that call each other, and what they hand over. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { allocator } from "./testing/guests.test.ts";
import { codeOf, componentFromWat, load } from "./testing/harness.test.ts";

const memoryOptions = (instance: string) =>
  `(memory (core memory ${instance} "memory")) (realloc (core func ${instance} "cabi_realloc"))`;

/** Two guests: the inner one greets in one encoding, the outer one asks it in another. */
async function greeting(inner: string, outer: string): Promise<Uint8Array> {
  return componentFromWat(`(component
    (component $inner
      (core module $m ${allocator}
        (func (export "same") (param i32 i32) (result i32)
          (i32.store (i32.const 8) (local.get 0)) (i32.store (i32.const 12) (local.get 1)) (i32.const 8)))
      (core instance $i (instantiate $m))
      (func (export "same") (param "text" string) (result string)
        (canon lift (core func $i "same") ${memoryOptions("$i")} string-encoding=${inner})))
    (component $outer
      (import "same" (func $same (param "text" string) (result string)))
      (core module $libc ${allocator})
      (core instance $l (instantiate $libc))
      (core func $s (canon lower (func $same) ${memoryOptions("$l")} string-encoding=${outer}))
      (core module $m
        (import "l" "memory" (memory 1))
        (import "h" "same" (func $same (param i32 i32 i32)))
        (func (export "ask") (param i32 i32) (result i32)
          (call $same (local.get 0) (local.get 1) (i32.const 16)) (i32.const 16)))
      (core instance $i (instantiate $m
        (with "l" (instance $l))
        (with "h" (instance (export "same" (func $s))))))
      (func (export "ask") (param "text" string) (result string)
        (canon lift (core func $i "ask") ${memoryOptions("$l")} string-encoding=${outer})))
    (instance $a (instantiate $inner))
    (instance $b (instantiate $outer (with "same" (func $a "same"))))
    (export "ask" (func $b "ask")))`);
}

const encodings = ["utf8", "utf16", "latin1+utf16"];

for (const inner of encodings) {
  for (const outer of encodings) {
    test(`strings go from a ${outer} guest to a ${inner} guest and back`, async () => {
      const { exports } = load(await greeting(inner, outer));
      for (const text of ["", "hello", "Ångström", "☃ and 𐍈", "x".repeat(300), `${"ÿ".repeat(100)}☃`]) {
        assert.equal(exports.ask(text), text);
      }
    });
  }
}

test("more than sixteen parameters and more than one result go through both memories", async () => {
  const count = 20;
  const params = Array.from({ length: count }, (_, index) => `(param "p${index}" u16)`).join(" ");
  const loads = Array.from(
    { length: count },
    (_, index) => `(i32.load16_u offset=${2 * index} (local.get 0))`,
  );
  const sum = loads.reduce((all, one) => `(i32.add ${all} ${one})`);
  const { exports } = load(
    await componentFromWat(`(component
      (core module $m ${allocator}
        (func (export "sum") (param i32) (result i32)
          (i32.store (i32.const 8) ${sum}) (i32.store (i32.const 12) (i32.const 7)) (i32.const 8)))
      (core instance $i (instantiate $m))
      (func (export "sum") ${params} (result (tuple u32 u32))
        (canon lift (core func $i "sum") ${memoryOptions("$i")})))`),
  );
  const values = Array.from({ length: count }, (_, index) => index * 3);
  assert.deepEqual(exports.sum(...values), [570, 7]);
  assert.equal(
    codeOf(() => exports.sum(...values.slice(0, -1), 65_536)),
    "component/type-mismatch",
  );
});

const sharing = await componentFromWat(`(component
  (component $maker
    (core module $m
      (global $dropped (mut i32) (i32.const 0))
      (func (export "dtor") (param i32) (global.set $dropped (i32.add (global.get $dropped) (local.get 0))))
      (func (export "dropped") (result i32) (global.get $dropped))
      (func (export "peek") (param i32) (result i32) (local.get 0)))
    (core instance $i (instantiate $m))
    (type $r' (resource (rep i32) (dtor (core func $i "dtor"))))
    (export $r "thing" (type $r'))
    (core func $new (canon resource.new $r))
    (core module $n (import "" "new" (func $new (param i32) (result i32)))
      (func (export "make") (param i32) (result i32) (call $new (local.get 0))))
    (core instance $j (instantiate $n (with "" (instance (export "new" (func $new))))))
    (func (export "make") (param "rep" u32) (result (own $r)) (canon lift (core func $j "make")))
    (func (export "peek") (param "thing" (borrow $r)) (result u32) (canon lift (core func $i "peek")))
    (func (export "dropped") (result u32) (canon lift (core func $i "dropped"))))
  (component $user
    (import "maker" (instance $maker
      (export "thing" (type $r (sub resource)))
      (export "make" (func (param "rep" u32) (result (own $r))))
      (export "peek" (func (param "thing" (borrow $r)) (result u32)))
      (export "dropped" (func (result u32)))))
    (alias export $maker "thing" (type $r))
    (core func $make (canon lower (func $maker "make")))
    (core func $peek (canon lower (func $maker "peek")))
    (core func $dropped (canon lower (func $maker "dropped")))
    (core func $drop (canon resource.drop $r))
    (core module $m
      (import "" "make" (func $make (param i32) (result i32)))
      (import "" "peek" (func $peek (param i32) (result i32)))
      (import "" "dropped" (func $dropped (result i32)))
      (import "" "drop" (func $drop (param i32)))
      (func (export "run") (param $rep i32) (result i32) (local $h i32)
        (local.set $h (call $make (local.get $rep)))
        (if (i32.ne (call $peek (local.get $h)) (local.get $rep)) (then unreachable))
        (call $drop (local.get $h))
        (call $dropped))
      (func (export "steal") (param $rep i32) (result i32) (call $peek (local.get $rep))))
    (core instance $i (instantiate $m (with "" (instance
      (export "make" (func $make)) (export "peek" (func $peek))
      (export "dropped" (func $dropped)) (export "drop" (func $drop))))))
    (func (export "run") (param "rep" u32) (result u32) (canon lift (core func $i "run")))
    (func (export "steal") (param "rep" u32) (result u32) (canon lift (core func $i "steal"))))
  (instance $a (instantiate $maker))
  (instance $b (instantiate $user (with "maker" (instance $a))))
  (export "run" (func $b "run"))
  (export "steal" (func $b "steal"))
  (export "maker" (instance $a)))`);

test("a resource is made in one guest, used and dropped in another, and destroyed where it was made", () => {
  const { exports } = load(sharing);
  assert.equal(exports.run(40), 40);
  assert.equal(exports.run(2), 42);
});

test("what the host got from one guest it can lend to that guest again", () => {
  const { exports } = load(sharing);
  const thing = exports.maker.make(77);
  assert(thing instanceof exports.maker.Thing);
  assert.equal(exports.maker.peek(thing), 77);
  thing[Symbol.dispose]();
  assert.equal(exports.maker.dropped(), 77);
  assert.equal(
    codeOf(() => exports.maker.peek(thing)),
    "component/type-mismatch",
  );
});

test("a number is no handle: a guest cannot reach a resource that it was not given", () => {
  const { exports } = load(sharing);
  exports.maker.make(77);
  assert.equal(
    codeOf(() => exports.steal(1)),
    "component/trap",
  );
});

test("an instance that is being called is not called again on the way", async () => {
  const { exports, engine } = load(
    await componentFromWat(`(component
      (component $inner
        (import "back" (func $back))
        (core func $b (canon lower (func $back)))
        (core module $m (import "" "back" (func $back)) (func (export "go") (call $back)))
        (core instance $i (instantiate $m (with "" (instance (export "back" (func $b))))))
        (func (export "go") (canon lift (core func $i "go"))))
      (core module $table (table (export "t") 1 funcref) (type $f (func))
        (func (export "call") (call_indirect (type $f) (i32.const 0))))
      (core instance $t (instantiate $table))
      (func $back (canon lift (core func $t "call")))
      (instance $a (instantiate $inner (with "back" (func $back))))
      (core func $go (canon lower (func $a "go")))
      (core module $fill (import "" "t" (table 1 funcref)) (import "" "go" (func $go)) (elem (i32.const 0) $go))
      (core instance (instantiate $fill (with "" (instance (export "t" (table $t "t")) (export "go" (func $go))))))
      (export "go" (func $a "go")))`),
  );
  assert.equal(
    codeOf(() => exports.go()),
    "component/trap",
  );
  assert.equal(engine.state, "poisoned");
});

test("what a guest imports it can export again", async () => {
  const { exports } = load(
    await componentFromWat(
      `(component (import "host" (func $f (param "x" u32) (result u32))) (export "again" (func $f)))`,
    ),
    { host: (x: number) => x + 1 },
  );
  assert.equal(exports.again(41), 42);
});

test("an imported core module is given as bytes", async () => {
  const bytes = await componentFromWat(`(component
    (import "code" (core module $m (export "f" (func (result i32)))))
    (core instance $i (instantiate $m))
    (func (export "f") (result u32) (canon lift (core func $i "f"))))`);
  const code = await componentFromWat(`(module (func (export "f") (result i32) i32.const 9))`);
  assert.equal(load(bytes, { code }).exports.f(), 9);
  assert.equal(
    codeOf(() => load(bytes)),
    "component/missing-imports",
  );
});
