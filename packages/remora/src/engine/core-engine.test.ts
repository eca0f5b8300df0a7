import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { isRemoraError, type RemoraError } from "../base/index.ts";
import type { CoreFunction, CoreImports, CoreInstance, CoreMemory } from "../component/core.ts";
import type { InstanceEngine } from "./core-engine.ts";
import { engineErrors, type TrapPlace } from "./errors.ts";
import type { Limits } from "./limits.ts";
import { engineWith as engineOf } from "./testing/limited-engine.test.ts";
import { webAssembly } from "./webassembly.ts";

/** As for a plugin of several modules. */
function engineWith(limits: Partial<Limits> = {}, { rewrite, ...options }: Options = {}): InstanceEngine {
  return engineOf(limits, { plugin: "plugin", rewrite: { sharesCounters: true, ...rewrite }, ...options });
}

type Options = NonNullable<Parameters<typeof engineOf>[1]>;

const wat = (fields: string) => parse(`(module ${fields})`);

async function instanceOf(
  engine: InstanceEngine,
  fields: string,
  imports: CoreImports = {},
): Promise<CoreInstance> {
  return engine.instantiate(await wat(fields), imports);
}

/** One call as the layers above make it. */
function call(engine: InstanceEngine, instance: CoreInstance, name: string, ...args: unknown[]): unknown {
  engine.enter();
  let result: unknown;
  try {
    result = (instance.exports[name] as CoreFunction)(...args);
  } catch (error) {
    throw engine.fail(error);
  }
  engine.leave();
  return result;
}

function expectCode(code: string, work: () => unknown): RemoraError {
  try {
    work();
  } catch (error) {
    assert.ok(isRemoraError(error), String(error));
    assert.equal(error.code, code);
    return error;
  }
  return assert.fail(`Nothing was thrown; expected ${code}`);
}

const spin = '(func (export "spin") (loop $again (br $again)))';

test("a call spends exactly what its budget allows, and a unit less stops it", async () => {
  const fields = `(func (export "count") (param i32) (result i32) (local i32)
    (loop $again (local.set 1 (i32.add (local.get 1) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get 1) (local.get 0)))) (local.get 1))`;
  for (const sliceUnits of [7, undefined]) {
    const engine = engineWith({}, sliceUnits === undefined ? {} : { sliceUnits });
    const instance = await instanceOf(engine, fields);
    assert.equal(call(engine, instance, "count", 5_000), 5_000);
    // A unit for the entry, one for the last read; eight in each round of the loop.
    assert.equal(engine.fuelUsed, 2 + 8 * 5_000);
    engine.budget = { fuelMax: engine.fuelUsed, deadlineMs: Infinity };
    assert.equal(call(engine, instance, "count", 5_000), 5_000);
    engine.budget = { fuelMax: engine.fuelUsed - 1, deadlineMs: Infinity };
    const error = expectCode("engine/out-of-fuel", () => call(engine, instance, "count", 5_000));
    assert.equal(error.fault, "guest");
    assert.equal(engine.isPoisoned, true);
  }
});

test("a guest that does not end meets its deadline", async () => {
  const engine = engineWith({ fuelMax: Infinity, deadlineMs: 2 });
  const instance = await instanceOf(engine, spin);
  // In time of this thread: other programs are not the guest's doing.
  const start = process.threadCpuUsage();
  expectCode("engine/deadline", () => call(engine, instance, "spin"));
  assert.ok(process.threadCpuUsage(start).user < 1_000_000);
});

test("without exact fuel only the deadline ends a call", async () => {
  const engine = engineWith({ fuelMax: 10, deadlineMs: 20_000 }, { rewrite: { mode: "deadline" } });
  const fields = `${spin} (func (export "count") (param i32) (local i32)
    (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))`;
  const instance = await instanceOf(engine, fields);
  call(engine, instance, "count", 5_000);
  engine.budget = { fuelMax: 10, deadlineMs: 3 };
  expectCode("engine/deadline", () => call(engine, instance, "spin"));
});

test("each trap has a code of its own", async () => {
  const cases: readonly (readonly [code: string, body: string])[] = [
    ["engine/memory", "(drop (i32.load (i32.const 65536)))"],
    ["engine/memory", "(memory.fill (i32.const 65535) (i32.const 0) (i32.const 2))"],
    ["engine/table", "(drop (table.get $t (i32.const 9)))"],
    ["engine/unreachable", "unreachable"],
    ["engine/divide", "(drop (i32.div_s (i32.const 1) (i32.const 0)))"],
    ["engine/divide", "(drop (i32.rem_u (i32.const 1) (i32.const 0)))"],
    ["engine/divide", "(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))"],
    ["engine/convert", "(drop (i32.trunc_f64_s (f64.const 1e10)))"],
    ["engine/indirect-call", "(call_indirect $t (i32.const 0))"],
    ["engine/null-reference", "(call_ref $f (ref.null $f))"],
    ["engine/uncaught-exception", "(throw $e)"],
    ["engine/stack", "(call $deep)"],
  ];
  for (const [code, body] of cases) {
    const engine = engineWith();
    const instance = await instanceOf(
      engine,
      `(type $f (func)) (memory 1) (table $t 1 funcref) (tag $e)
       (func $deep (call $deep)) (func $named (export "run") ${body})`,
    );
    const error = expectCode(code, () => call(engine, instance, "run"));
    assert.equal(error.fault, "guest");
  }
});

test("a trap says in which function it happened, and where in the original", async () => {
  const fields = `(memory 1) (func (param i32))
    (func $parse (export "run") (param i32) (result i32)
      (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
      (memory.fill (i32.const 65000) (i32.const 0) (i32.const 100000)) (i32.div_u (i32.const 1) (local.get 0)))
    (func $divide (export "divide") (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))`;
  const module = await wat(fields);
  const placeIn = (name: string, arg: number, code: string) => {
    const engine = engineWith();
    // A second module, so that the place must be looked for.
    engine.instantiate(moduleBefore, {});
    const instance = engine.instantiate(module, {});
    const { details, message } = expectCode(code, () => call(engine, instance, name, arg));
    return { place: (details as { place: TrapPlace }).place, message };
  };
  const moduleBefore = await wat("(func) (func) (func)");
  const divide = placeIn("divide", 0, "engine/divide");
  assert.equal(divide.place.functionIndex, 2);
  assert.equal(divide.place.functionName, "divide");
  assert.equal(module[divide.place.offset ?? 0], 0x6e, "the offset of i32.div_u");
  assert.match(divide.message, /in "divide" \(function 2, offset 0x/);
  // The operation itself runs in a function that the rewriter added: the guest's frame is behind it.
  const fill = placeIn("run", 3, "engine/memory");
  assert.equal(fill.place.functionName, "parse");
  // What replaced it maps to the last byte before it.
  assert.equal(module[(fill.place.offset ?? 0) + 1], 0xfc, "next to memory.fill");
});

test("a guest that was stopped was in some function of its own, and the error names it", async () => {
  const fields = `(func $parse (loop $l (br $l))) (func (export "run") (call $parse))`;
  for (const [limits, code] of [
    [{ fuelMax: 1_000 }, "engine/out-of-fuel"],
    [{ fuelMax: Infinity, deadlineMs: 1 }, "engine/deadline"],
  ] as const) {
    const engine = engineWith(limits);
    const instance = await instanceOf(engine, fields);
    const { details } = expectCode(code, () => call(engine, instance, "run"));
    assert.equal((details as { place: TrapPlace }).place.functionName, "parse");
  }
});

test("after a failure the instance takes no call, and says why", async () => {
  const engine = engineWith();
  const instance = await instanceOf(engine, '(func (export "run") unreachable) (func (export "fine"))');
  expectCode("engine/unreachable", () => call(engine, instance, "run"));
  const error = expectCode("engine/poisoned", () => call(engine, instance, "fine"));
  assert.deepEqual(error.details, { plugin: "plugin", cause: "engine/unreachable" });
  expectCode("engine/poisoned", () => engine.instantiate(new Uint8Array(), {}));
  engine.close();
  expectCode("engine/closed", () => call(engine, instance, "fine"));
});

test("a call into an instance that is already running is refused, and the running one goes on", async () => {
  const engine = engineWith();
  let refused: RemoraError | undefined;
  const host = () => {
    refused = expectCode("engine/re-entered", () => engine.enter());
  };
  const instance = await instanceOf(
    engine,
    '(import "host" "f" (func $f)) (func (export "run") (result i32) (call $f) (i32.const 7))',
    { host: { f: host } },
  );
  assert.equal(call(engine, instance, "run"), 7);
  assert.equal(refused?.fault, "platform");
});

test("a cancelled call leaves the instance as it was", async () => {
  const engine = engineWith();
  const instance = await instanceOf(engine, '(func (export "fine") (result i32) (i32.const 7))');
  engine.enter();
  engine.cancel();
  assert.equal(call(engine, instance, "fine"), 7);
  assert.equal(engine.fuelUsed, 2);
});

test("the start function runs inside a budget", async () => {
  const module = await wat("(func $start (loop $again (br $again))) (start $start)");
  const spent = engineWith({ fuelMax: 1_000, deadlineMs: Infinity });
  expectCode("engine/out-of-fuel", () => spent.instantiate(module, {}));
  assert.equal(spent.isPoisoned, true);
  const late = engineWith({ fuelMax: Infinity, deadlineMs: 1 });
  expectCode("engine/deadline", () => late.instantiate(module, {}));
});

test("inside a call the start function spends that call's budget", async () => {
  const engine = engineWith({ fuelMax: 10_000 });
  const module = await wat(`(func $start (local i32) (local.set 0 (i32.const 300))
    (loop $again (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))) (start $start)`);
  engine.enter();
  for (let count = 0; count < 6; count++) engine.instantiate(module, {});
  expectCode("engine/out-of-fuel", () => {
    try {
      engine.instantiate(module, {});
    } catch (error) {
      throw engine.fail(error);
    }
  });
});

test("the exports are the guest's own, and nobody can change them", async () => {
  const engine = engineWith();
  const instance = await instanceOf(
    engine,
    '(memory (export "m") 1) (func $f (export "f") (memory.fill (i32.const 0) (i32.const 0) (i32.const 9999))) (start $f)',
  );
  assert.deepEqual(Object.keys(instance.exports).sort(), ["f", "m"]);
  assert.ok(Object.isFrozen(instance.exports));
});

test("memories of all modules together stay within the limit, from the start and by growth", async () => {
  const grower =
    '(memory (export "m") 2) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))';
  const engine = engineWith({ memoryPagesMax: 10 });
  const a = await instanceOf(engine, grower);
  const b = await instanceOf(engine, grower);
  assert.equal(engine.memoryPages, 4);
  assert.equal(call(engine, a, "grow", 4), 2);
  assert.equal(call(engine, b, "grow", 3), -1, "ten less two, six and two");
  assert.equal(call(engine, b, "grow", 2), 2);
  assert.equal(call(engine, a, "grow", 1), -1);
  assert.equal(call(engine, a, "grow", -1), -1);
  assert.equal(call(engine, a, "grow", 0), 6);
  assert.equal(engine.memoryPages, 10);
  const third = await wat("(memory 1)");
  expectCode("engine/memory-limit", () => engine.instantiate(third, {}));
});

test("a memory that the host gives counts, once", async () => {
  const memory = new webAssembly.Memory({ initial: 6, maximum: 100 });
  const module = await wat(
    '(import "host" "m" (memory 1)) (func (export "grow") (result i32) (memory.grow (i32.const 5)))',
  );
  const engine = engineWith({ memoryPagesMax: 10 });
  const instance = engine.instantiate(module, { host: { m: memory } });
  engine.instantiate(module, { host: { m: memory } });
  assert.equal(engine.memoryPages, 6);
  assert.equal(call(engine, instance, "grow"), -1);
  const small = engineWith({ memoryPagesMax: 5 });
  expectCode("engine/memory-limit", () => small.instantiate(module, { host: { m: memory } }));
});

test("tables of all modules together stay within the limit", async () => {
  const grower = `(table $t 40 funcref)
    (func (export "grow") (param i32) (result i32) (table.grow $t (ref.null func) (local.get 0)))`;
  const engine = engineWith({ tableElementsMax: 100 });
  const a = await instanceOf(engine, grower);
  const b = await instanceOf(engine, grower);
  assert.equal(call(engine, a, "grow", 15), 40);
  assert.equal(call(engine, b, "grow", 6), -1);
  assert.equal(call(engine, b, "grow", -16), -1);
  assert.equal(call(engine, b, "grow", 5), 40);
  const third = await wat("(table 1 funcref)");
  expectCode("engine/table-limit", () => engine.instantiate(third, {}));
});

test("an instance has no more core modules than allowed", async () => {
  const engine = engineWith({}, { modulesMax: 3 });
  const module = await wat("");
  for (let count = 0; count < 3; count++) engine.instantiate(module, {});
  expectCode("engine/too-many-modules", () => engine.instantiate(module, {}));
});

test("what cannot be linked says what is missing", async () => {
  const engine = engineWith();
  const module = await wat('(import "host" "f" (func))');
  expectCode("engine/link", () => engine.instantiate(module, {}));
  expectCode("engine/link", () => engine.instantiate(module, { host: {} }));
  // Not a number: the host's mistake.
  expectCode("engine/link", () => engine.instantiate(module, { host: { f: {} } }));
});

test("a value of the wrong kind for any import is a link error", async () => {
  for (const type of ["(func)", "(memory 1)", "(table 1 funcref)", "(global i32)", "(tag)"]) {
    const module = await wat(`(import "host" "x" ${type})`);
    for (const value of ["text", true, Symbol("s"), {}, null, () => {}]) {
      if (type === "(func)" && typeof value === "function") continue;
      // Whatever a host may hand in by mistake.
      const imports = { host: { x: value } } as unknown as CoreImports;
      expectCode("engine/link", () => engineWith().instantiate(module, imports));
    }
  }
});

test("names of the guest's imports do not reach what objects inherit", async () => {
  const engine = engineWith();
  for (const [from, name] of [
    ["__proto__", "toString"],
    ["constructor", "assign"],
    ["host", "toString"],
    ["host", "__proto__"],
  ]) {
    const module = await wat(`(import "${from}" "${name}" (func))`);
    expectCode("engine/link", () => engine.instantiate(module, { host: {} }));
  }
  assert.equal(({} as Record<string, unknown>).f, undefined);
});

test("an abort by the host is what the caller gets, and the guest cannot catch it", async () => {
  const reason = engineErrors.link({ plugin: "plugin", reason: "denied" });
  const engine: InstanceEngine = engineWith();
  const instance = await instanceOf(engine, catching, { host: { f: () => engine.abort(reason) } });
  assert.throws(
    () => call(engine, instance, "run"),
    (error) => error === reason,
  );
});

/** Calls the host and goes on for ever whatever happens. */
const catching = `(import "host" "f" (func $f))
  (func (export "run") (loop $again
    (block $caught (try_table (catch_all $caught) (call $f)))
    (br $again)))`;

test("whatever a host function throws ends the call, caught or not", async () => {
  for (const thrown of [
    new Error("host"),
    7,
    undefined,
    new webAssembly.RuntimeError("mine"),
    new RangeError("x"),
  ]) {
    const engine = engineWith({ fuelMax: 1e9, deadlineMs: 10_000 });
    const instance = await instanceOf(engine, catching, {
      host: {
        f: () => {
          throw thrown;
        },
      },
    });
    const code = thrown instanceof webAssembly.RuntimeError ? "engine/trap" : "engine/host-failure";
    expectCode(code, () => call(engine, instance, "run"));
  }
});

test("a guest that is condemned does not reach the host any more", async () => {
  let calls = 0;
  const engine: InstanceEngine = engineWith({ fuelMax: 1e6 });
  const instance = await instanceOf(
    engine,
    `(import "host" "f" (func $f)) (func (export "run") (call $f) (call $f) (call $f))`,
    {
      host: {
        f: () => {
          calls++;
          engine.charge(2e6);
          try {
            engine.abort(engineErrors.link({ plugin: "plugin", reason: "" }));
          } catch {
            // Host code that swallows everything.
          }
        },
      },
    },
  );
  expectCode("engine/link", () => call(engine, instance, "run"));
  assert.equal(calls, 1);
});

test("a host function's charge is part of the fuel", async () => {
  const engine: InstanceEngine = engineWith({ fuelMax: 1_000 });
  const instance = await instanceOf(
    engine,
    '(import "host" "f" (func $f)) (func (export "run") (call $f)) (func (export "again") (loop $l (call $f) (br $l)))',
    { host: { f: () => engine.charge(100) } },
  );
  call(engine, instance, "run");
  assert.equal(engine.fuelUsed, 102);
  expectCode("engine/out-of-fuel", () => call(engine, instance, "again"));
});

test("a call between two modules of an instance stays inside WebAssembly and inside one budget", async () => {
  const engine = engineWith({ fuelMax: 1_000 });
  const lower = await instanceOf(
    engine,
    '(func (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))',
  );
  const upper = await instanceOf(
    engine,
    `(import "lower" "f" (func $f (param i32) (result i32)))
     (func (export "run") (result i32) (call $f (call $f (i32.const 5))))
     (func (export "again") (loop $l (drop (call $f (i32.const 1))) (br $l)))`,
    { lower: lower.exports as CoreImports[string] },
  );
  assert.equal(call(engine, upper, "run"), 7);
  assert.equal(engine.fuelUsed, 1 + 3 + 2 * 4);
  expectCode("engine/out-of-fuel", () => call(engine, upper, "again"));
});

test("bigints, multiple results and many arguments pass a host function unchanged", async () => {
  const engine = engineWith();
  const instance = await instanceOf(
    engine,
    `(import "host" "f" (func $f (param i32 i64 f32 f64 i32 i32 i32 i32 i32 i32) (result i64 f64)))
     (func (export "run") (result i64 f64) (call $f (i32.const 1) (i64.const 2) (f32.const 3) (f64.const 4)
       (i32.const 5) (i32.const 6) (i32.const 7) (i32.const 8) (i32.const 9) (i32.const 10)))`,
    { host: { f: (...args: unknown[]) => [BigInt(args.length), args.map(Number).reduce((a, b) => a + b)] } },
  );
  assert.deepEqual(call(engine, instance, "run"), [10n, 55]);
});

test("the memory that a guest exports is the one that it uses", async () => {
  const engine = engineWith();
  const instance = await instanceOf(
    engine,
    '(memory (export "m") 1) (func (export "run") (i32.store (i32.const 8) (i32.const 77)))',
  );
  call(engine, instance, "run");
  assert.equal(new Int32Array((instance.exports.m as CoreMemory).buffer)[2], 77);
});

test("strict: a NaN that a host function or an imported number has is the canonical one, whoever takes it", async () => {
  const engine = engineWith({}, { rewrite: { profile: "strict" } });
  const [odd = 0] = new Float64Array(BigUint64Array.of(0xfff8000000000123n).buffer);
  const host: CoreImports[string] = {
    one: () => odd,
    two: () => [1, odd],
    // By its declaration a number is no extern; V8 takes it for an immutable global.
    number: odd as unknown as CoreImports[string][string],
  };
  const instance = await instanceOf(
    engine,
    `(type $one (func (result f64))) (import "host" "one" (func $one (type $one)))
     (import "host" "two" (func $two (result i32 f64))) (import "host" "number" (global $number f64))
     (table 1 funcref) (elem (i32.const 0) $one) (memory 1)
     (func (export "one") (result i64) (i64.reinterpret_f64 (call $one)))
     (func (export "two") (result i64) (local f64)
       (call $two) (local.set 0) (drop) (i64.reinterpret_f64 (local.get 0)))
     (func (export "table") (result i64) (i64.reinterpret_f64 (call_indirect (type $one) (i32.const 0))))
     (func (export "number") (result i64) (i64.reinterpret_f64 (global.get $number)))
     (func (export "store") (result i64) (f64.store (i32.const 0) (call $one)) (i64.load (i32.const 0)))`,
    { host },
  );
  for (const name of ["one", "two", "table", "number", "store"]) {
    assert.equal(call(engine, instance, name), 0x7ff8000000000000n, name);
  }
});
