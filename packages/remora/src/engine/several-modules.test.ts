/** An instance of several core modules: for every limit they are like one, whatever they do to each other. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { isRemoraError } from "../base/index.ts";
import type { CoreFunction, CoreImports, CoreInstance } from "../component/core.ts";
import type { InstanceEngine } from "./core-engine.ts";
import type { Limits } from "./limits.ts";
import { engineWith } from "./testing/limited-engine.test.ts";
import { webAssembly } from "./webassembly.ts";

interface Guest {
  readonly engine: InstanceEngine;
  /** Of the last module. */
  readonly call: (name: string) => unknown;
  readonly instances: readonly CoreInstance[];
}

/** Modules by name, linked in this order: each may import from those before it. */
async function guestOf(
  modules: Readonly<Record<string, string>>,
  limits: Partial<Limits> = {},
  { sliceUnits, profile = "default" }: { sliceUnits?: number; profile?: "default" | "strict" } = {},
): Promise<Guest> {
  const engine = engineWith(
    { fuelMax: 1e9, deadlineMs: 10_000, ...limits },
    { rewrite: { profile, sharesCounters: true }, ...(sliceUnits !== undefined && { sliceUnits }) },
  );
  const imports: CoreImports = {};
  const instances: CoreInstance[] = [];
  for (const [name, fields] of Object.entries(modules)) {
    const instance = engine.instantiate(await parse(`(module ${fields})`), imports);
    instances.push(instance);
    imports[name] = { ...instance.exports };
  }
  const { exports } = instances.at(-1) ?? assert.fail("no module");
  const call = (name: string) => {
    engine.enter();
    try {
      const result: unknown = (exports[name] as CoreFunction)();
      engine.leave();
      return result;
    } catch (error) {
      throw isRemoraError(error) ? error : engine.fail(error);
    }
  };
  return { engine, call, instances };
}

/** That its slots stopped it: V8's own end of the stack is a RangeError. */
function expectStackSpent(what: string, work: () => unknown): void {
  assert.throws(work, (error) => {
    assert.ok(isRemoraError(error, "engine/stack"), `${what}: ${String(error)}`);
    assert.ok(error.cause instanceof webAssembly.RuntimeError, `${what}: ${String(error.cause)}`);
    return true;
  });
}

const locals = (count: number) => `(local ${"i64 ".repeat(count)})`;

/** Frames that no cycle of their own module goes through, one calling the next, and the last an import. */
const chain = (length: number, localCount: number, last: string) =>
  Array.from(
    { length },
    (_, index) =>
      `(func $c${index} ${locals(localCount)} (call ${index + 1 < length ? `$c${index + 1}` : last}))`,
  ).join(" ");

const throughTable = `(type $t (func)) (table (export "table") 64 64 funcref)
  (func (export "first") (call_indirect (type $t) (i32.const 0)))`;

const floats = "f64 ".repeat(1_000);
const zeros = "(f64.const 0)".repeat(1_000);

const recursions: Record<string, Record<string, string>> = {
  "two modules, a table between them": {
    a: throughTable,
    b: `(import "a" "table" (table 64 funcref)) (import "a" "first" (func $first))
      (elem (i32.const 0) $f) (func $f (export "run") (call $first))`,
  },
  "a long way through frames that are on no cycle of their module": {
    a: throughTable,
    b: `(import "a" "table" (table 64 funcref)) (import "a" "first" (func $first))
      (elem (i32.const 0) $c0) ${chain(5, 5_000, "$first")} (func (export "run") (call $c0))`,
  },
  "the same by tail calls": {
    a: throughTable,
    b: `(import "a" "table" (table 64 funcref)) (import "a" "first" (func $first))
      (elem (i32.const 0) $c0) (func $last ${locals(100)} (return_call $first))
      ${chain(5, 5_000, "$last")} (func (export "run") (call $c0))`,
  },
  "a reference that is handed over": {
    a: `(type $t (func)) (func (export "apply") (param (ref $t)) (call_ref $t (local.get 0)))`,
    b: `(type $t (func)) (import "a" "apply" (func $apply (param (ref $t)))) (elem declare func $f)
      (func $f (export "run") ${locals(3_000)} (call $apply (ref.func $f)))`,
  },
  "a global that holds the reference": {
    a: `(type $t (func)) (global $g (export "g") (mut (ref null $t)) (ref.null $t))
      (func (export "apply") (call_ref $t (global.get $g)))`,
    b: `(type $t (func)) (import "a" "g" (global $g (mut (ref null $t)))) (import "a" "apply" (func $apply))
      (elem declare func $f) (func $f ${locals(3_000)} (call $apply))
      (func (export "run") (global.set $g (ref.func $f)) (call $f))`,
  },
  "a thousand floats, which strict looks at on the way in": {
    a: `(type $t (func (param ${floats}))) (table (export "table") 64 64 funcref)
      (func (export "first") (type $t) ${zeros} (call_indirect (type $t) (i32.const 0)))`,
    b: `(type $t (func (param ${floats}))) (import "a" "table" (table 64 funcref))
      (import "a" "first" (func $first (type $t)))
      (elem (i32.const 0) $f) (func $f (type $t) ${zeros} (call $first)) (func (export "run") ${zeros} (call $f))`,
  },
  "forty modules, each as deep as it can": Object.fromEntries([
    ["m0", throughTable],
    ...Array.from({ length: 40 }, (_, index) => [
      `m${index + 1}`,
      `(type $t (func)) (import "m0" "table" (table 64 funcref)) (elem (i32.const ${index}) $f)
       (func $f (export "run") (call $deep (i32.const 900)))
       (func $deep (param i32) ${locals(40)}
         (if (local.get 0) (then (call $deep (i32.sub (local.get 0) (i32.const 1))))
           (else (call_indirect (type $t) (i32.const ${(index + 1) % 40})))))`,
    ]),
  ]),
};

test("modules that recurse through each other end by the slots of the instance, before V8 runs out of stack", async () => {
  for (const [what, modules] of Object.entries(recursions)) {
    for (const profile of ["default", "strict"] as const) {
      const guest = await guestOf(modules, {}, { profile });
      expectStackSpent(`${what}, ${profile}`, () => guest.call("run"));
    }
  }
});

test("frames of another module that an exception leaves give their slots back", async () => {
  const guest = await guestOf({
    a: `(tag $e (export "e"))
      (func $deep (export "deep") (param i32)
        (if (local.get 0) (then (call $deep (i32.sub (local.get 0) (i32.const 1)))) (else (throw $e))))`,
    b: `(import "a" "deep" (func $deep (param i32)))
      (func (export "run") (result i32) (local $times i32)
        (loop $again
          (block $caught (try_table (catch_all $caught) (call $deep (i32.const 1000))))
          (br_if $again (i32.ne (local.tee $times (i32.add (local.get $times) (i32.const 1))) (i32.const 500))))
        (local.get $times))`,
  });
  for (let call = 0; call < 3; call++) assert.equal(guest.call("run"), 500);
});

test("where the fuel runs out does not depend on the slices, in whichever module it is", async () => {
  const straight = "(global.set $done (i32.add (global.get $done) (i32.const 1)))".repeat(40);
  const modules = {
    a: `(global $done (export "done") (mut i32) (i32.const 0)) (func (export "work") ${straight})`,
    b: `(import "a" "work" (func $work)) (global $done (export "done") (mut i32) (i32.const 0))
      (func (export "run") (loop $again ${straight} (call $work) ${straight} (call $work) (br $again)))`,
  };
  for (let fuelMax = 0; fuelMax < 1_500; fuelMax += 13) {
    const outcomes = new Set<string>();
    for (const sliceUnits of [1, 7, 1_000, undefined]) {
      const guest = await guestOf(modules, { fuelMax }, sliceUnits === undefined ? {} : { sliceUnits });
      assert.throws(() => guest.call("run"), { code: "engine/out-of-fuel" });
      const done = guest.instances.map(({ exports }) => (exports.done as { value?: number }).value);
      outcomes.add(`${done.join(" ")}, ${guest.engine.fuelUsed}`);
      guest.engine.close();
    }
    assert.equal(outcomes.size, 1, `${fuelMax} units: ${[...outcomes].join("; ")}`);
  }
});

test("globals keep their values when the counters are imported before them", async () => {
  // More than 128 of them, so that some indices take a byte more; and each kind of place that names one.
  const many = Array.from(
    { length: 140 },
    (_, index) => `(global $g${index} (mut i32) (i32.const ${index}))`,
  );
  const guest = await guestOf({
    a: `(global (export "base") i32 (i32.const 3))`,
    b: `(import "a" "base" (global $base i32)) (global $zero i32 (i32.const 0)) ${many.join(" ")}
      (global $next (export "next") i32 (i32.add (global.get $base) (i32.const 2)))
      (global $after (export "after") i32 (i32.add (global.get $next) (i32.const 1)))
      (memory (export "memory") 1) (data (offset (global.get $next)) "x") (data (offset (global.get $base)) "y")
      (table (export "table") 9 funcref) (elem (offset (i32.add (global.get $next) (i32.const 1))) func $f)
      (func $f)
      (func (export "run") (result i32) (local i32)
        (global.set $g127 (i32.const 1000))
        (loop $again (global.set $g3 (i32.add (global.get $g3) (i32.const 1)))
          (br_if $again (i32.ne (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 10))))
        (i32.add (i32.add (global.get $g127) (global.get $g3)) (i32.add (global.get $g139) (global.get $base)))
        (return) (drop (global.get $g5)))
      (export "g7" (global $g7))`,
  });
  assert.equal(guest.call("run"), 1_000 + 13 + 139 + 3);
  const exports = guest.instances[1]?.exports ?? {};
  const value = (name: string) => (exports[name] as { value?: number }).value;
  assert.deepEqual([value("next"), value("after"), value("g7")], [5, 6, 7]);
  assert.equal(
    Buffer.from((exports.memory as { buffer: ArrayBuffer }).buffer, 0, 8).toString("latin1"),
    "\0\0\0y\0x\0\0",
  );
  assert.notEqual((exports.table as { get(index: number): unknown }).get(6), null);
});

test("no index of a module's own comes to mean a counter that is imported before its globals", async () => {
  const fields = `(import "host" "g" (global i32)) (global $own (mut i32) (i32.const 7))
    (func (export "run") (result i32) (global.set $own (i32.const 9)) (global.get $own))`;
  const valid = await parse(`(module ${fields})`);
  const engineOf = async () => (await guestOf({ other: "" })).engine;
  // Behind the last of its own: an invalid module, whatever is appended.
  for (const [from, to] of [
    [0x23, 2],
    [0x24, 2],
    [0x23, 5],
  ] as const) {
    const invalid = valid.slice();
    invalid[invalid.lastIndexOf(from) + 1] = to;
    const engine = await engineOf();
    assert.throws(() => engine.instantiate(invalid, {}), { code: "engine/invalid-module" });
  }
  // The same index in more bytes than it needs.
  const at = valid.lastIndexOf(0x23);
  const bodyAt = valid.lastIndexOf(0x24) - 3;
  const longer = Uint8Array.of(...valid.subarray(0, at + 1), 0x81, 0x80, 0x80, 0, ...valid.subarray(at + 2));
  longer[bodyAt - 1] = (longer[bodyAt - 1] ?? 0) + 3;
  const codeAt = bodyAt - 4 + 1;
  longer[codeAt] = (longer[codeAt] ?? 0) + 3;
  assert.ok(webAssembly.validate(longer));
  const engine = await engineOf();
  const { exports } = engine.instantiate(longer, {
    host: { g: 5 as unknown as CoreImports[string][string] },
  });
  engine.enter();
  assert.equal((exports.run as CoreFunction)(), 9);
  engine.leave();
});
