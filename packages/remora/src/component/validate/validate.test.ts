import assert from "node:assert/strict";
import { test } from "node:test";
import { isRemoraError } from "../../base/index.ts";
import { decodeComponent } from "../binary/decode.ts";
import { componentFromWat } from "../testing/harness.test.ts";
import { validateComponent } from "./validate.ts";

async function validate(text: string): Promise<void> {
  validateComponent(decodeComponent(await componentFromWat(`(component ${text})`)));
}

/** What is said to be wrong is wrong somewhere in the file. */
async function expectInvalid(text: string, why: RegExp): Promise<void> {
  await assert.rejects(validate(text), (error) => {
    assert(isRemoraError(error, "component/invalid"), String(error));
    const { what, offset } = error.details as { what: string; offset: number };
    assert.match(what, why);
    assert(offset >= 8, "behind the header");
    return true;
  });
}

const core = `(core module $m
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable)
    (func (export "f"))
    (func (export "g") (param i32 i32))
    (func (export "h") (result i32) unreachable))
  (core instance $i (instantiate $m))`;

const valid: readonly (readonly [string, string])[] = [
  ["an empty component", ""],
  [
    "a resource that is named before it is used",
    `(type $r (resource (rep i32))) (export $s "r" (type $r)) ${core}
    (func (export "f") (result (own $s)) (canon lift (core func $i "h")))`,
  ],
  [
    "an instance with more than is asked for",
    `(component $c (import "a" (instance (export "f" (func)))))
    (import "a" (instance $a (export "f" (func)) (export "g" (func))))
    (instance (instantiate $c (with "a" (instance $a))))`,
  ],
  [
    "a resource given for one that is left open",
    `(component $c (import "r" (type $r (sub resource)))
      (import "f" (func (param "r" (borrow $r)))))
    (import "s" (type $s (sub resource))) (import "f" (func $f (param "r" (borrow $s))))
    (instance (instantiate $c (with "r" (type $s)) (with "f" (func $f))))`,
  ],
  [
    "a record under the name that it was imported with",
    `(type $r' (record (field "x" u32))) (import "r" (type $r (eq $r')))
    (import "f" (func (param "r" $r)))`,
  ],
  [
    "an outer type without resources",
    `(type $t (list u8)) (component (alias outer 1 $t (type $u)) (export "t" (type $u)))`,
  ],
  [
    "a component that imports less than is asked",
    `(component $c (import "a" (component (import "x" (func)) (import "y" (func)))))
    (component $d (import "x" (func)))
    (instance (instantiate $c (with "a" (component $d))))`,
  ],
];

for (const [what, text] of valid) {
  test(`${what} is valid`, () => validate(text));
}

const invalid: readonly (readonly [string, string, RegExp])[] = [
  [
    "a thread that keeps an i64 beside an i32",
    "(core func (canon context.get i32 0)) (core func (canon context.set i64 1))",
    /context.set of i64 beside one of i32/,
  ],
  [
    "an allocator for another kind of memory",
    `(core module $m (memory (export "memory") i64 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable)
      (func (export "take") (param i64 i64)))
    (core instance $i (instantiate $m))
    (func (param "text" string) (canon lift (core func $i "take")
      (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))`,
    /realloc has type .*expected \(i64 i64 i64 i64\)/,
  ],
  ["a function that is not there", `(canon lower (func 0) (core func))`, /unknown function 0/],
  ["a type that is not there", `(type (list 7))`, /unknown type 7/],
  ["an own of what is no resource", `(type $t u32) (type (own $t))`, /not a resource type/],
  ["a record without fields", `(type (record))`, /without fields/],
  ["two fields of one name", `(type (record (field "a" u8) (field "A" u8)))`, /conflicts/],
  ["a field that is not in kebab case", `(type (record (field "aB" u8)))`, /kebab case/],
  [
    "33 flags",
    `(type (flags ${Array.from({ length: 33 }, (_, index) => `"f${index}"`).join(" ")}))`,
    /33 flags/,
  ],
  [
    "a borrow in a result",
    `(type $r (resource (rep i32))) (type (func (result (borrow $r))))`,
    /borrowed handle in a result/,
  ],
  ["a resource inside a type", `(type (instance (type (resource (rep i32)))))`, /inside a type/],
  [
    "a destructor of another type",
    `${core} (type (resource (rep i32) (dtor (core func $i "f"))))`,
    /destructor/,
  ],
  [
    "a missing argument",
    `(component $c (import "f" (func))) (instance (instantiate $c))`,
    /missing argument "f"/,
  ],
  [
    "an argument of another sort",
    `(component $c (import "f" (func))) (component $d)
    (instance (instantiate $c (with "f" (component $d))))`,
    /expected a func, found a component/,
  ],
  [
    "an argument of another type",
    `(component $c (import "f" (func (param "x" u32)))) (import "g" (func $g (param "x" s32)))
    (instance (instantiate $c (with "f" (func $g))))`,
    /parameter "x"/,
  ],
  [
    "a parameter of another name",
    `(component $c (import "f" (func (param "x" u32)))) (import "g" (func $g (param "y" u32)))
    (instance (instantiate $c (with "f" (func $g))))`,
    /named "x"/,
  ],
  [
    "an instance without an export",
    `(component $c (import "a" (instance (export "f" (func))))) (import "a" (instance $a))
    (instance (instantiate $c (with "a" (instance $a))))`,
    /missing expected export "f"/,
  ],
  [
    "one resource given for another",
    `(component $c (import "r" (type $r (sub resource)))
      (import "f" (func (param "r" (borrow $r)))))
    (import "s" (type $s (sub resource))) (import "t" (type $t (sub resource)))
    (import "f" (func $f (param "r" (borrow $t))))
    (instance (instantiate $c (with "r" (type $s)) (with "f" (func $f))))`,
    /parameter "r"/,
  ],
  [
    "two resources of two instances of one component",
    `(component $c (type $r (resource (rep i32))) (export "r" (type $r)))
    (component $d (import "r" (type $r (sub resource))) (import "s" (type (eq $r))))
    (instance $a (instantiate $c)) (instance $b (instantiate $c))
    (instance (instantiate $d (with "r" (type $a "r")) (with "s" (type $b "r"))))`,
    /resource types are not the same/,
  ],
  [
    "a core import that is missing",
    `(core module $m (import "a" "b" (func))) (core instance (instantiate $m))`,
    /core import "a" "b"/,
  ],
  [
    "a core import of another type",
    `${core} (core module $n (import "a" "f" (func (param i32))))
    (core instance (instantiate $n (with "a" (instance $i))))`,
    /expected core func/,
  ],
  [
    "a lifted function of another type",
    `${core} (func (param "x" u32) (canon lift (core func $i "f")))`,
    /lifted core function/,
  ],
  [
    "a string without a memory",
    `${core} (func (param "x" string) (canon lift (core func $i "g")))`,
    /memory is required/,
  ],
  [
    "a string to a guest without an allocator",
    `${core} (func (param "x" string)
    (canon lift (core func $i "g") (memory (core memory $i "memory"))))`,
    /realloc is required/,
  ],
  [
    "an export that no instance has",
    `(import "a" (instance $a)) (alias export $a "f" (func))`,
    /no export "f"/,
  ],
  [
    "an outer type that refers to a resource",
    `(type $r (resource (rep i32)))
    (component (alias outer 1 $r (type $s)) (export "r" (type $s)))`,
    /refers to a resource type/,
  ],
  [
    "an export of a resource that has no name",
    `(type $r (resource (rep i32))) ${core}
    (func (export "f") (result (own $r)) (canon lift (core func $i "h")))`,
    /no name outside/,
  ],
  [
    "an import with a record that has no name",
    `(type $r (record (field "x" u8))) (import "f" (func (param "r" $r)))`,
    /no name outside/,
  ],
  ["two imports of one name", `(import "foo-bar" (func)) (import "foo-BAR" (func))`, /conflicts/],
  ["an import name that is none", `(import "Foo_bar" (func))`, /neither/],
  ["a version that is none", `(import "a:b/c@1.x" (instance))`, /neither/],
  ["a method of no resource", `(import "[method]r.f" (func))`, /no resource "r"/],
  [
    "a method without its object",
    `(import "r" (type $r (sub resource))) (import "[method]r.f" (func))`,
    /"self"/,
  ],
  [
    "a constructor of something else",
    `(import "r" (type $r (sub resource))) (import "[constructor]r" (func (result u32)))`,
    /does not return/,
  ],
  [
    "making handles to the resource of another",
    `(import "r" (type $r (sub resource))) (core func (canon resource.new $r))`,
    /not a resource of this component/,
  ],
  [
    "an export that does not fit what it is declared to be",
    `(import "f" (func $f (param "x" u8))) (export "g" (func $f) (func (param "x" u16)))`,
    /does not fit/,
  ],
];

for (const [what, text, why] of invalid) {
  test(`${what} is not valid`, () => expectInvalid(text, why));
}
