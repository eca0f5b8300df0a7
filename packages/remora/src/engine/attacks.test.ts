/** Each limit, and a guest that tries to get round it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { isRemoraError } from "../base/index.ts";
import type { CoreFunction, CoreImports, CoreInstance, CoreMemory } from "../component/core.ts";
import { reservedPrefix } from "../wasm/metering/contract.ts";
import type { InstanceEngine } from "./core-engine.ts";
import { engineErrors } from "./errors.ts";
import type { Limits } from "./limits.ts";
import { engineWith } from "./testing/limited-engine.test.ts";
import { webAssembly } from "./webassembly.ts";

const wat = (fields: string) => parse(`(module ${fields})`);

interface Guest {
  readonly engine: InstanceEngine;
  readonly instance: CoreInstance;
  readonly call: (name: string, ...args: unknown[]) => unknown;
}

async function guestOf(
  fields: string,
  limits: Partial<Limits> = {},
  imports: CoreImports = {},
): Promise<Guest> {
  const engine = engineWith(limits);
  return guestIn(engine, engine.instantiate(await wat(fields), imports));
}

function guestIn(engine: InstanceEngine, instance: CoreInstance): Guest {
  const call = (name: string, ...args: unknown[]) => {
    engine.enter();
    let result: unknown;
    try {
      result = (instance.exports[name] as CoreFunction)(...args);
    } catch (error) {
      throw engine.fail(error);
    }
    engine.leave();
    return result;
  };
  return { engine, instance, call };
}

function expectCode(code: string | readonly string[], work: () => unknown): void {
  assert.throws(work, (error) => {
    assert.ok(isRemoraError(error), String(error));
    assert.ok(([] as string[]).concat(code).includes(error.code), error.message);
    return true;
  });
}

/** Generous, once in some tries, and in time of this thread: the machine is busy. What is met is in `bench/meter`. */
const latenessMsMax = 20;
const tries = 8;

/** Each try has a guest of its own, since a guest that met its deadline is gone. */
async function expectDeadline(fields: string, imports: CoreImports = {}): Promise<void> {
  const deadlineMs = 5;
  let late = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < tries && late > latenessMsMax; attempt++) {
    const guest = await guestOf(fields, { fuelMax: Infinity, deadlineMs }, imports);
    const start = process.threadCpuUsage();
    expectCode("engine/deadline", () => guest.call("run"));
    const { user, system } = process.threadCpuUsage(start);
    late = Math.min(late, (user + system) / 1_000 - deadlineMs);
    guest.engine.close();
  }
  assert.ok(late <= latenessMsMax, `${late} ms late`);
}

test("no loop outlives its deadline, whatever is in it", async () => {
  const loops: Record<string, string> = {
    nothing: "(loop $l (br $l))",
    "a branch table": "(loop $l (br_table $l $l (i32.const 5)))",
    divisions: "(loop $l (drop (i64.div_u (i64.const -1) (i64.const 3))) (br $l))",
    "two loops": "(loop $o (loop $i (br_if $i (i32.eqz (memory.size)))) (br $o))",
    "calls of a leaf": "(loop $l (call $leaf) (br $l))",
    "a tail call": "(return_call $tail)",
    "a tail call through the table": "(return_call_indirect (i32.const 1))",
    "exceptions thrown and caught": "(loop $l (block $c (try_table (catch_all $c) (throw $e))) (br $l))",
    "pages touched":
      "(loop $l (i32.store (local.get 0) (i32.const 1)) (local.set 0 (i32.and (i32.add (local.get 0) (i32.const 4096)) (i32.const 0x3ffffff))) (br $l))",
    "memory growth by nothing": "(loop $l (drop (memory.grow (i32.const 0))) (br $l))",
    "memory growth that fails": "(loop $l (drop (memory.grow (i32.const -1))) (br $l))",
    "memory filled": "(loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const 0x3ff0000)) (br $l))",
    "memory filled piece by piece":
      "(loop $l (memory.fill (local.get 0) (i32.const 1) (i32.add (memory.size) (i32.const 3072))) (local.set 0 (i32.and (i32.add (local.get 0) (i32.const 4096)) (i32.const 0x3ffffff))) (br $l))",
    "memory copied": "(loop $l (memory.copy (i32.const 0) (i32.const 4096) (i32.const 0x3000000)) (br $l))",
    "memory copied the other way":
      "(loop $l (memory.copy (i32.const 4096) (i32.const 0) (i32.const 0x3000000)) (br $l))",
    "table growth that fails": "(loop $l (drop (table.grow $t (ref.null func) (i32.const -1))) (br $l))",
    "table filled": "(loop $l (table.fill $t (i32.const 0) (ref.null func) (i32.const 9000)) (br $l))",
    "table copied": "(loop $l (table.copy $t $t (i32.const 1) (i32.const 0) (i32.const 8000)) (br $l))",
    "a host function": "(loop $l (call $host) (br $l))",
  };
  for (const [what, body] of Object.entries(loops)) {
    const fields = `(import "host" "f" (func $host)) (memory 1024) (table $t 9000 funcref) (tag $e) (type $f (func))
       (elem (table $t) (i32.const 0) func $leaf $again)
       (func $leaf) (func $tail (return_call $tail)) (func $again (return_call_indirect (i32.const 1)))
       (func (export "run") (local i32) ${body})`;
    try {
      await expectDeadline(fields, { host: { f: () => {} } });
    } catch (error) {
      assert.fail(`${what}: ${String(error)}`);
    }
  }
});

test("a guest that is quick at first and slow when it holds a long slice is stopped all the same", async () => {
  await expectDeadline(`(memory 1024) (func (export "run") (local i32)
    (local.set 0 (i32.const 2000000))
    (loop $quick (br_if $quick (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (loop $slow (i32.store (local.get 0) (i32.const 1))
      (local.set 0 (i32.and (i32.add (local.get 0) (i32.const 4096)) (i32.const 0x3ffffff)))
      (br $slow)))`);
});

test("a guest cannot use or take the names of what is added to it", async () => {
  for (const fields of [
    `(import "${reservedPrefix}fuel" "x" (global (mut i32)))`,
    `(import "x" "${reservedPrefix}fuel" (global (mut i32)))`,
    `(global (export "${reservedPrefix}fuel") (mut i32) (i32.const 1000000000))`,
    `(func (export "${reservedPrefix}swap-fuel") (param i32) (result i32) (i32.const 0))`,
    `(table (export "${reservedPrefix}refill") 1 funcref)`,
    `(memory (export "${reservedPrefix}anything") 1)`,
  ]) {
    const module = await wat(fields);
    expectCode("wasm/reserved-name", () => engineWith().instantiate(module, {}));
  }
});

test("a guest cannot name what is added to it by an index beyond its own", async () => {
  // Each is valid once an item of the kind is appended; V8 must see it before.
  const plain = await wat(`(func $f (export "run") (result i32) (i32.const 0))
    (table 1 funcref) (global (mut i32) (i32.const 0)) (memory 1)`);
  assert.ok(webAssembly.validate(plain));
  const bodies: Record<string, number[]> = {
    "global.get": [0x23, 1],
    "global.set": [0x41, 0, 0x24, 1, 0x41, 0],
    call: [0x10, 1, 0x41, 0],
    "call_indirect through the second table": [0x41, 0, 0x11, 0, 1],
    "table.get": [0x41, 0, 0x25, 1, 0x1a, 0x41, 0],
    "table.set": [0x41, 0, 0xd0, 0x70, 0x26, 1, 0x41, 0],
    "table.size": [0xfc, 0x10, 1],
    "ref.func": [0xd2, 1, 0x1a, 0x41, 0],
    "a type beyond the last": [0x41, 0, 0x11, 1, 0],
    "memory.size of a second memory": [0x3f, 1],
  };
  for (const [what, operators] of Object.entries(bodies)) {
    const body = [0, ...operators, 0x0b];
    const code = [10, body.length + 2, 1, body.length, ...body];
    const codeAt = sectionAt(plain, 10);
    const module = Uint8Array.of(...plain.subarray(0, codeAt), ...code);
    expectCode("engine/invalid-module", () => engineWith().instantiate(module, {}));
    assert.ok(what);
  }
  // An export, an element segment and a start function with the index of a function that is not there.
  for (const section of [
    [7, 5, 1, 1, 0x78, 0, 1],
    [7, 5, 1, 1, 0x78, 3, 1],
    [7, 5, 1, 1, 0x78, 1, 1],
    [8, 1, 1],
  ]) {
    const exportAt = sectionAt(plain, 7);
    const after = exportAt + 2 + (plain[exportAt + 1] ?? 0);
    const module = Uint8Array.of(...plain.subarray(0, exportAt), ...section, ...plain.subarray(after));
    expectCode("engine/invalid-module", () => engineWith().instantiate(module, {}));
  }
});

/** All sections of these modules are shorter than 128 bytes. */
function sectionAt(module: Uint8Array, id: number): number {
  for (let at = 8; at < module.length; at += 2 + (module[at + 1] ?? 0)) if (module[at] === id) return at;
  return assert.fail(`No section ${id}`);
}

test("a module of the same component gets none of the added exports either", async () => {
  const engine = engineWith({}, { rewrite: { sharesCounters: true } });
  const first = engine.instantiate(await wat('(func (export "f"))'), {});
  const exports = first.exports as CoreImports[string];
  assert.deepEqual(Object.keys(exports), ["f"]);
  const thief = await wat('(import "first" "fuel" (global (mut i32)))');
  expectCode("engine/link", () => engine.instantiate(thief, { first: exports }));
});

const bulk = `(memory (export "m") 4) (data $d "0123456789abcdef")
  (table $t (export "t") 64 funcref) (elem $e func $f $f $f $f) (func $f)
  (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
  (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
  (func (export "init") (param i32 i32 i32) (memory.init $d (local.get 0) (local.get 1) (local.get 2)))
  (func (export "table fill") (param i32 i32) (table.fill $t (local.get 0) (ref.func $f) (local.get 1)))
  (func (export "table copy") (param i32 i32 i32) (table.copy $t $t (local.get 0) (local.get 1) (local.get 2)))
  (func (export "table init") (param i32 i32 i32) (table.init $t $e (local.get 0) (local.get 1) (local.get 2)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "table grow") (param i32) (result i32) (table.grow $t (ref.null func) (local.get 0)))`;

test("a bulk operation of any length does what V8 does, costs its length, or writes nothing", async () => {
  const lengths = [
    0, 1, 4096, 4097, 65_535, 65_536, 65_537, 131_073, 262_144, 262_145, -1, -16, 0x7fff_ffff, -0x8000_0000,
  ];
  const offsets = [0, 1, 100, 65_536, 262_143, 262_144, 262_145, -1];
  const plain = new webAssembly.Instance(new webAssembly.Module(await wat(bulk))).exports;
  let guest = await guestOf(bulk);
  const bytesOf = (exports: CoreInstance["exports"]) => new Uint8Array((exports.m as CoreMemory).buffer);
  const pattern = Uint8Array.from({ length: 262_144 }, (_, at) => at * 7);
  const scramble = () => {
    for (const exports of [plain, guest.instance.exports]) bytesOf(exports).set(pattern);
  };
  const outcome = (work: () => unknown) => {
    try {
      work();
      return "done";
    } catch {
      return "trapped";
    }
  };
  for (const name of ["fill", "copy", "init"]) {
    for (const length of lengths) {
      for (const offset of offsets) {
        for (const second of name === "fill" ? [0xab] : [0, 3, 65_540]) {
          scramble();
          const expected = outcome(() => (plain[name] as CoreFunction)(offset, second, length));
          const got = outcome(() => guest.call(name, offset, second, length));
          const what = `${name}(${offset}, ${second}, ${length})`;
          assert.equal(got, expected, what);
          assert.ok(Buffer.compare(bytesOf(plain), bytesOf(guest.instance.exports)) === 0, what);
          if (got === "done") assert.equal(guest.engine.fuelUsed, 5 + length, what);
          else guest = await guestOf(bulk);
        }
      }
    }
  }
});

test("a long bulk operation cannot run on what is left of the fuel", async () => {
  for (const [name, ...args] of [
    ["fill", 0, 1, 200_000],
    ["copy", 0, 1, 200_000],
    ["copy", 1, 0, 200_000],
  ] as const) {
    const guest = await guestOf(bulk, { fuelMax: 100_000 });
    expectCode("engine/out-of-fuel", () => guest.call(name, ...args));
  }
});

test("lengths that look negative never give fuel back", async () => {
  for (const [name, ...args] of [
    ["fill", 0, 0, -1],
    ["copy", 0, 0, -1],
    ["init", 0, 0, -1],
    ["table fill", 0, -1],
    ["table copy", 0, 0, -1],
    ["table init", 0, 0, -1],
  ] as const) {
    const guest = await guestOf(bulk);
    expectCode(["engine/memory", "engine/table", "engine/out-of-fuel"], () => guest.call(name, ...args));
    assert.ok(guest.engine.fuelUsed > 0, name);
  }
  for (const name of ["grow", "table grow"]) {
    for (const by of [-1, -16, -0x8000_0000]) {
      const guest = await guestOf(bulk);
      assert.equal(guest.call(name, by), -1);
      assert.ok(guest.engine.fuelUsed >= 3, `${name}(${by}): ${guest.engine.fuelUsed}`);
    }
  }
});

test("memory and tables grow to the cap and no further", async () => {
  const guest = await guestOf(bulk, { memoryPagesMax: 9, tableElementsMax: 70 });
  assert.equal(guest.call("grow", 6), -1);
  assert.equal(guest.call("grow", 5), 4);
  assert.equal(guest.engine.fuelUsed, 3 + 5);
  assert.equal(guest.call("grow", 1), -1);
  assert.equal(guest.engine.fuelUsed, 3);
  assert.equal(guest.call("table grow", 7), -1);
  assert.equal(guest.call("table grow", 6), 64);
  assert.equal(guest.call("table grow", 1), -1);
  for (const fields of [
    "(memory 10)",
    "(memory 5) (memory 5)",
    "(table 71 funcref)",
    "(table 40 funcref) (table 31 funcref)",
  ]) {
    const module = await wat(fields);
    const small = engineWith({ memoryPagesMax: 9, tableElementsMax: 70 });
    assert.throws(() => small.instantiate(module, {}), isRemoraError, fields);
  }
});

/** Recursion of a function with so many parameters and results, through a table. */
function many(type: string, value: string, parameters: number, results: number): string {
  const signature = `(param ${`${type} `.repeat(parameters)}) (result ${`${type} `.repeat(results)})`;
  const argumentsOnce = `(${value})`.repeat(parameters);
  return `(type $t (func ${signature})) (table 1 funcref) (elem (i32.const 0) $f)
    (func $f (type $t) ${argumentsOnce} (call_indirect (type $t) (i32.const 0)))
    (func (export "run") ${argumentsOnce} (call $f) ${"(drop)".repeat(results)})`;
}

const recursions: Record<string, string> = {
  direct: '(func $f (export "run") (call $f))',
  "with many locals": `(func $f (export "run") (local ${"i64 ".repeat(900)}) (call $f))`,
  "of two": '(func $f (export "run") (call $g)) (func $g (call $f))',
  "through a table":
    '(type $t (func)) (table 1 funcref) (elem (i32.const 0) $f) (func $f (export "run") (call_indirect (type $t) (i32.const 0)))',
  "through a reference":
    '(type $t (func)) (elem declare func $f) (func $f (export "run") (call_ref $t (ref.func $f)))',
  "through an exception handler": '(func $f (export "run") (block $c (try_table (catch_all $c) (call $f))))',
  "through an old exception handler": '(func $f (export "run") try call $f catch_all end)',
  "with as many parameters as there may be": many("i64", "i64.const 1", 1_000, 0),
  "with as many results as there may be": many("f64", "f64.const 1", 0, 1_000),
  "with as many of both as there may be": many("f64", "f64.const 1", 1_000, 1_000),
  "with vectors for parameters": many("v128", "v128.const i64x2 1 1", 1_000, 0),
  "with vectors for parameters and results": many("v128", "v128.const i64x2 1 1", 1_000, 1_000),
  "with a thousand values alive": `(func $f (export "run") (result i64) ${"(i64.load (i32.const 0))".repeat(1_000)} (call $f) ${"(i64.add)".repeat(1_000)}) (memory 1)`,
  "by a tail call of the first": '(func $f (export "run") (return_call $g)) (func $g (call $f))',
  "by a tail call through a table, below a chain of frames": `(type $t (func)) (table 1 funcref) (elem (i32.const 0) $a)
    (func $a (export "run") (local ${"i64 ".repeat(5_000)}) (call $b)) (func $b (call $c))
    (func $c (return_call $d)) (func $d (return_call_indirect (type $t) (i32.const 0)))`,
  "behind a tail call": '(func $f (export "run") (call $g)) (func $g (return_call $f))',
};

test("recursion of every kind ends by its slots, before V8 runs out of stack, and says so", async () => {
  for (const [what, fields] of Object.entries(recursions)) {
    const guest = await guestOf(fields, { fuelMax: 1e9, deadlineMs: 10_000 });
    assert.throws(
      () => guest.call("run"),
      (error) => {
        assert.ok(isRemoraError(error, "engine/stack"), `${what}: ${String(error)}`);
        assert.ok(error.cause instanceof webAssembly.RuntimeError, `${what}: ${String(error.cause)}`);
        return true;
      },
    );
  }
});

test("a guest at the bottom of its stack leaves enough of it to the host", async () => {
  let deepest = 0;
  const recurse = (depth: number): number => (depth === 0 ? 0 : 1 + recurse(depth - 1));
  const guest = await guestOf(
    `(import "host" "f" (func $host)) (func $f (export "run") (call $host) (call $f))`,
    { fuelMax: 1e9, deadlineMs: 10_000 },
    { host: { f: () => (deepest = recurse(500)) } },
  );
  expectCode("engine/stack", () => guest.call("run"));
  assert.equal(deepest, 500);
});

test("an instruction that traps does not undo what stopped the guest", async () => {
  // The handler runs when the call below it was stopped, if anything can be caught.
  for (const [limits, code] of [
    [{ fuelMax: 1_000, deadlineMs: 10_000 }, "engine/out-of-fuel"],
    [{ fuelMax: 1e12, deadlineMs: 2 }, "engine/deadline"],
  ] as const) {
    const guest = await guestOf(
      `(global $caught (export "caught") (mut i32) (i32.const 0))
       (func $spin (loop $l (br $l)))
       (func (export "run") (block $c (try_table (catch_all $c) (call $spin))) (global.set $caught (i32.const 1)))`,
      limits,
    );
    expectCode(code, () => guest.call("run"));
    assert.equal((guest.instance.exports.caught as { value?: number }).value, 0);
  }
});

test("a function of a megabyte is refused or compiled and stopped in time", async () => {
  for (const [operators, count] of [
    ["(local.set 0 (i64.div_u (local.get 0) (i64.const 3)))", 20_000],
    ["(local.set 0 (i64.div_u (local.get 0) (i64.const 3)))", 200_000],
    ["(i64.store (i32.const 8) (i64.const 1))", 150_000],
  ] as const) {
    const module = await wat(`(memory 1) (func (export "run") (local i64) ${operators.repeat(count)})`);
    const engine = engineWith({ fuelMax: 10_000, deadlineMs: 10_000 });
    let instance: CoreInstance;
    try {
      instance = engine.instantiate(module, {});
    } catch (error) {
      assert.ok(isRemoraError(error), String(error));
      assert.equal(error.fault, "publisher");
      continue;
    }
    expectCode("engine/out-of-fuel", () => guestIn(engine, instance).call("run"));
  }
});

test("straight-line code without a loop is stopped inside", async () => {
  const guest = await guestOf(
    `(global $g (export "g") (mut i32) (i32.const 0)) (func (export "run") ${"(global.set $g (i32.add (global.get $g) (i32.const 1)))".repeat(30_000)})`,
    { fuelMax: 20_000 },
  );
  expectCode("engine/out-of-fuel", () => guest.call("run"));
  const { value = 0 } = guest.instance.exports.g as { value?: number };
  assert.ok(value <= 5_000 + 2_000, `${value} of 30,000 steps were run for 20,000 units`);
});

test("a host that aborts deep inside of handlers stops all of them", async () => {
  const reason = engineErrors.link({ plugin: "guest", reason: "denied" });
  const engine = engineWith();
  const handlers = (depth: number): string =>
    depth === 0
      ? "(call $host)"
      : `(block $c${depth} (try_table (catch_all $c${depth}) ${handlers(depth - 1)}))`;
  const instance = engine.instantiate(
    await wat(`(import "host" "f" (func $host)) (global $g (export "g") (mut i32) (i32.const 0))
      (func (export "run") (loop $l ${handlers(20)} (global.set $g (i32.const 1)) (br $l)))`),
    { host: { f: () => engine.abort(reason) } },
  );
  assert.throws(
    () => guestIn(engine, instance).call("run"),
    (error) => error === reason,
  );
  assert.equal((instance.exports.g as { value?: number }).value, 0);
});

test("a call kept from an instance that failed or was closed runs no further than its next check", async () => {
  for (const end of ["fail", "close"] as const) {
    const guest = await guestOf(
      '(func (export "spin") (loop $l (br $l))) (func (export "boom") unreachable)',
    );
    const spin = guest.instance.exports.spin as CoreFunction;
    if (end === "fail") expectCode("engine/unreachable", () => guest.call("boom"));
    else guest.engine.close();
    assert.throws(() => spin(), webAssembly.RuntimeError);
  }
});
