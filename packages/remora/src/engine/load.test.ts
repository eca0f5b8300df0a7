import assert from "node:assert/strict";
import { test } from "node:test";
import { componentEmbed, componentNew, parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { isRemoraError } from "../base/index.ts";
import { type CoreFunction, slowHostFunction, slowHostInterface } from "../component/index.ts";
import { openArtifact } from "./artifact.ts";
import { defaultLimits } from "./limits.ts";
import { load } from "./load.ts";

type Functions = Record<string, CoreFunction>;

const adder = `(module
  (import "env" "note" (func $note (param i32)))
  (memory (export "memory") 1)
  (func (export "add") (param i32 i32) (result i32)
    (call $note (local.get 0))
    (i32.add (local.get 0) (local.get 1)))
  (func (export "wide") (param i64) (result i64) (local.get 0))
  (func (export "spin") (loop (br 0)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func $recurse (export "recurse") (result i32) (i32.add (i32.const 1) (call $recurse)))
  (func (export "trap") unreachable))`;

async function loadAdder(limits = {}) {
  const notes: number[] = [];
  const bytes = await parse(adder);
  const imports = { env: { note: (value: number) => notes.push(value) } };
  const instance = await load<Functions>(bytes, { plugin: "adder", imports, limits });
  return { instance, notes, bytes, imports };
}

test("a core module loads, calls the host and gives numbers and bigints", async () => {
  const { instance, notes } = await loadAdder();
  assert.equal(instance.exports.add?.(2, 3), 5);
  assert.equal(instance.exports.wide?.(5n), 5n);
  assert.deepEqual(notes, [2]);
  assert.ok(instance.kind === "module" && instance.memory?.buffer.byteLength === 65_536);
});

test("a call reports the fuel that it used, as wasmtime counts it", async () => {
  const { instance } = await loadAdder();
  const { result, report } = instance.call("add", [2, 3]);
  // One to enter; local.get and call; local.get twice and i32.add.
  assert.deepEqual({ result, report }, { result: 5, report: { fuelUsed: 6, memoryPages: 1 } });
});

test("each limit ends a call by its code, and poisons the instance", async () => {
  for (const [name, limits, code] of [
    ["spin", { fuelMax: 10_000 }, "engine/out-of-fuel"],
    ["spin", { deadlineMs: 5, fuelMax: Number.POSITIVE_INFINITY }, "engine/deadline"],
    ["recurse", { stackSlotsMax: 1_000 }, "engine/stack"],
    ["trap", {}, "engine/unreachable"],
  ] as const) {
    const { instance } = await loadAdder(limits);
    assert.throws(() => instance.exports[name]?.(), { code, fault: "guest" });
    assert.ok(instance.isPoisoned);
    assert.throws(() => instance.exports.add?.(1, 1), { code: "engine/poisoned" });
  }
});

test("memory grows to the limit and not beyond it", async () => {
  const { instance } = await loadAdder({ memoryPagesMax: 3 });
  assert.equal(instance.exports.grow?.(2), 1);
  assert.equal(instance.exports.grow?.(1), -1);
  assert.equal(instance.report.memoryPages, 3);
});

test("a budget of its own holds for one call", async () => {
  const { instance } = await loadAdder();
  assert.equal(instance.call("add", [1, 1], { fuelMax: 6 }).result, 2);
  assert.throws(() => instance.call("add", [1, 1], { fuelMax: 5 }), { code: "engine/out-of-fuel" });
});

test("an argument that is no number of the right kind leaves the instance usable", async () => {
  const { instance } = await loadAdder();
  assert.throws(() => instance.exports.wide?.(5), TypeError);
  assert.throws(() => instance.exports.add?.(1n, 1), TypeError);
  assert.equal(instance.exports.add?.(2, 3), 5);
});

test("everything that is imported and not given is listed in one error", async () => {
  const bytes = await parse(`(module
    (import "env" "note" (func)) (import "env" "nota" (func)) (import "wasi_snapshot_preview1" "fd_write" (func)))`);
  await assert.rejects(load(bytes, { imports: { env: { note: () => {} } } }), (error: unknown) => {
    assert.ok(error instanceof Error && "code" in error && "details" in error);
    assert.equal(error.code, "policy/imports-refused");
    assert.match(error.message, /env\.nota.*wasi_snapshot_preview1\.fd_write/s);
    return true;
  });
});

test("an export that is not there is told with a near name", async () => {
  const { instance } = await loadAdder();
  assert.throws(() => instance.call("ad", []), { code: "component/no-such-export" });
});

test("a start function is metered, and its failure is the load's", async () => {
  const bytes = await parse("(module (func $spin (loop (br 0))) (start $spin))");
  await assert.rejects(load(bytes, { limits: { fuelMax: 1_000 } }), { code: "engine/out-of-fuel" });
});

test("opening runs nothing and names what is imported", async () => {
  const bytes = await parse(`(module (import "env" "a" (func)) (func $spin (loop (br 0))) (start $spin))`);
  const artifact = openArtifact(bytes);
  assert.equal(artifact.kind, "module");
  assert.deepEqual(artifact.imports, [{ from: "env", item: "a" }]);
  assert.match(artifact.digest, /^[0-9a-f]{64}$/);
});

test("bytes that are no WebAssembly are refused with a coded error", async () => {
  await assert.rejects(load(new Uint8Array(0)), { code: /^wasm\// });
  await assert.rejects(load(Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0])), { code: /^wasm\// });
  await assert.rejects(load(new TextEncoder().encode("<event/>")), { code: /^wasm\// });
});

test("a component loads as typed functions, and a host function reads no more than it is given", async () => {
  const witSource = `package t:greeter@1.0.0;
    interface host { name: func() -> string; }
    interface greeter { greet: func(times: u32) -> string; }
    world w { import host; export greeter; }`;
  const core = await parse(`(module
    (import "t:greeter/host@1.0.0" "name" (func $name (param i32)))
    (memory (export "memory") 1)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64))
    (func (export "t:greeter/greeter@1.0.0#greet") (param i32) (result i32)
      (call $name (i32.const 8)) (i32.const 8)))`);
  const embedded = await componentEmbed({ binary: core, witSource, world: "w", stringEncoding: "utf8" });
  const bytes = await componentNew(embedded);
  interface Greeter {
    greeter: { greet(times: number): string };
  }
  const imports = { "t:greeter/host@1.0.0": { name: () => "Ada" } };
  using instance = await load<Greeter>(bytes, { imports });
  assert.equal(instance.exports.greeter.greet(1), "Ada");
  assert.equal(instance.call(["greeter", "greet"], [1]).result, "Ada");
  // biome-ignore lint/suspicious/noExplicitAny: a caller without types
  assert.throws(() => instance.exports.greeter.greet("x" as any), { code: "component/type-mismatch" });
  assert.equal(instance.exports.greeter.greet(1), "Ada");
});

test("an import of types alone is nothing that a host has to give", async () => {
  const bytes = await parse(`(component
    (import "a:b/types@1.0.0" (instance (type $t (enum "x")) (export "t" (type (eq $t))))))`);
  assert.deepEqual(openArtifact(bytes).imports, []);
  await load(bytes);
});

/** Takes longer than the deadline of the tests below. */
function wait(): void {
  const until = performance.now() + 8;
  while (performance.now() < until) {
    // As a slow disk would.
  }
}

test("the clock is looked at after a host function that is marked as slow, and only then", async () => {
  const bytes = await parse(`(module
    (import "env" "wait" (func $wait))
    (func (export "run") (local i32)
      (call $wait)
      (loop $again
        (local.set 0 (i32.add (local.get 0) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get 0) (i32.const 10))))))`);
  const limits = { deadlineMs: 4 };
  const slow = await load<Functions>(bytes, {
    imports: { env: { wait: slowHostFunction(() => wait()) } },
    limits,
  });
  assert.throws(() => slow.exports.run?.(), { code: "engine/deadline" });
  const unmarked = await load<Functions>(bytes, { imports: { env: { wait } }, limits });
  unmarked.exports.run?.();
});

test("an option that there is not is refused, with the one that was meant", async () => {
  const options: object = { limit: { fuelMax: 1 } };
  await assert.rejects(load(await parse(adder), options), {
    name: "TypeError",
    message: /no option limit.*limits/,
  });
});

test("what a host function gives that is no number is refused by name, and not taken for zero", async () => {
  const bytes = await parse(`(module
    (import "env" "read" (func $read (param i32) (result i32)))
    (import "env" "size" (func $size (result f64)))
    (func (export "run") (param i32) (result i32) (call $read (local.get 0)))
    (func (export "size") (result f64) (call $size)))`);
  const results: readonly unknown[] = [
    Promise.resolve(7),
    "seven",
    [7],
    { valueOf: () => 7 },
    () => 7,
    Symbol(),
  ];
  for (const result of results) {
    const imports = { env: { read: () => result, size: () => result } };
    for (const name of ["run", "size"]) {
      const { exports } = await load<Functions>(bytes, { imports });
      assert.throws(
        () => exports[name]?.(1),
        (error) => isRemoraError(error, "engine/host-result") && /of "env" gave/.test(error.message),
      );
    }
  }
  for (const [result, expected] of [
    [true, 1],
    [undefined, 0],
    [null, 0],
    [7.9, 7],
  ] as const) {
    const { exports } = await load<Functions>(bytes, {
      imports: { env: { read: () => result, size: () => 0 } },
    });
    assert.equal(exports.run?.(1), expected);
  }
});

test("it is so for functions and methods of a component's interface as well", async () => {
  const witSource = `package t:slow@1.0.0;
    interface host { wait: func(); resource disk { constructor(); read: func(); } }
    world w { import host; export run: func(how: u32); }`;
  const core = await parse(`(module
    (import "t:slow/host@1.0.0" "wait" (func $wait))
    (import "t:slow/host@1.0.0" "[constructor]disk" (func $open (result i32)))
    (import "t:slow/host@1.0.0" "[method]disk.read" (func $read (param i32)))
    (func (export "run") (param $how i32) (local i32)
      (if (local.get $how) (then (call $read (call $open))) (else (call $wait)))
      (loop $again
        (local.set 1 (i32.add (local.get 1) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get 1) (i32.const 10))))))`);
  const bytes = await componentNew(
    await componentEmbed({ binary: core, witSource, world: "w", stringEncoding: "utf8" }),
  );
  class Disk {
    read(): void {
      wait();
    }
  }
  const imports = { "t:slow/host@1.0.0": slowHostInterface({ wait: () => wait(), Disk }) };
  for (const how of [0, 1]) {
    const instance = await load<{ run(how: number): void }>(bytes, { imports, limits: { deadlineMs: 4 } });
    assert.throws(() => instance.exports.run(how), { code: "engine/deadline" });
  }
});

test("instances that are closed give back their memories within one job", async () => {
  const artifact = openArtifact(await parse(`(module (memory 1) (func (export "run") (loop)))`));
  // V8 runs out of address space at about 16,000.
  for (let count = 0; count < 20_000; count++) {
    const instance = artifact.instantiate({ imports: {}, limits: defaultLimits });
    assert.ok(instance.kind === "module");
    instance.exports.run?.();
    instance.close();
  }
});

test("strict: a NaN that the host passes is the canonical one, and one that the guest passes inside keeps its bits", async () => {
  const bytes = await parse(`(module (memory 1)
    (func $bits (export "bits") (param f64 i32 f32) (result i64)
      (i64.xor (i64.reinterpret_f64 (local.get 0))
        (i64.add (i64.extend_i32_u (local.get 1)) (i64.extend_i32_u (i32.reinterpret_f32 (local.get 2))))))
    (func (export "one") (param f64) (result i64) (i64.reinterpret_f64 (local.get 0)))
    (func (export "inside") (result i64)
      (i64.store (i32.const 0) (i64.const 0xfff4000000000123))
      (call $bits (f64.load (i32.const 0)) (i32.const 0) (f32.const 0))))`);
  const [odd = 0] = new Float64Array(BigUint64Array.of(0xfff8000000000123n).buffer);
  const { exports } = await load<Functions>(bytes, { profile: "strict" });
  const bitsOf = (name: string, ...args: number[]) => BigInt.asUintN(64, exports[name]?.(...args) as bigint);
  assert.equal(bitsOf("one", odd), 0x7ff8000000000000n);
  assert.equal(bitsOf("bits", odd, 0, 0), 0x7ff8000000000000n);
  assert.equal(bitsOf("bits", 0, 5, odd), 5n + 0x7fc00000n);
  assert.equal(bitsOf("inside"), 0xfff4000000000123n);
});

test("a limit that is none is refused, before anything is decoded", async () => {
  const allowed = "expected a whole number from 0 to 262144";
  for (const [limits, message] of [
    [{ memoryPagesMax: Number.NaN }, `limits.memoryPagesMax: ${allowed}, got NaN`],
    [{ memoryPagesMax: 262_145 }, `limits.memoryPagesMax: ${allowed}, got 262145`],
    [{ memoryPagesMax: 1.5 }, `limits.memoryPagesMax: ${allowed}, got 1.5`],
    [{ memoryPagesMax: "64" }, `limits.memoryPagesMax: ${allowed}, got string`],
    [{ stackSlotsMax: -1 }, "limits.stackSlotsMax: expected a whole number from 0 to 2147483647, got -1"],
    [{ tableElementsMax: 2 ** 40 }, /^limits.tableElementsMax: .* to 10000000, got 1099511627776$/],
    [{ fuelMax: Number.NaN }, "limits.fuelMax: expected a number from 0 up, or Infinity, got NaN"],
    [{ fuelMax: 10n }, /got bigint$/],
    [{ deadlineMs: null }, /got null$/],
    [{ deadlineMsMax: 5 }, 'limits.deadlineMsMax: there is no such limit; did you mean "deadlineMs"?'],
    [{ constructor: 5 }, /^limits.constructor: there is no such limit/],
  ] as const) {
    // As a program without types would have it.
    await assert.rejects(load(new Uint8Array(0), { limits: limits as object }), { message });
  }
});

test("a limit that is left undefined is the default, and not off", async () => {
  const limits = { fuelMax: undefined, deadlineMs: undefined, memoryPagesMax: undefined };
  const { instance } = await loadAdder(limits);
  assert.throws(() => instance.exports.spin?.(), { code: "engine/out-of-fuel" });
});

test("limits are checked wherever an instance is made", async () => {
  const { bytes, imports } = await loadAdder();
  const limits = { ...defaultLimits, stackSlotsMax: Number.NaN };
  assert.throws(() => openArtifact(bytes).instantiate({ imports, limits }), RangeError);
});

test("what is no Uint8Array is refused by what it is", async () => {
  for (const [given, what] of [
    [new ArrayBuffer(8), "ArrayBuffer"],
    [Promise.resolve(new Uint8Array(8)), "Promise"],
    ["plugin.wasm", "of type string"],
    [undefined, "of type undefined"],
    [null, "null"],
  ] as const) {
    // As a program without types would have it.
    await assert.rejects(load(given as unknown as Uint8Array), {
      name: "TypeError",
      message: `A plugin is a Uint8Array, not ${what}`,
    });
  }
});

test("an export that is not there is told by its path, with a near name", async () => {
  const { instance } = await loadAdder();
  const message = 'There is no function "ad" to call; did you mean "add"?';
  assert.throws(() => instance.call("ad", []), { code: "component/no-such-export", message });
  assert.throws(() => instance.call(["add", "more"], []), {
    message: 'There is no function "add.more" to call',
  });
});
