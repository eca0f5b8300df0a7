import assert from "node:assert/strict";
import { test } from "node:test";
import { isRemoraError } from "../../base/index.ts";
import { ByteWriter } from "../byte-writer.ts";
import { reservedPrefix } from "./contract.ts";
import { meterModule } from "./meter-module.ts";
import { assemble, meter, meterOptions, outcome, v8 } from "./rig.test.ts";

const bulk = `(module (memory (export "memory") 3) (table $t (export "table") 9000 funcref) (func $f)
  (elem $e func $f $f $f $f) (data $d "0123456789")
  (func (export "memory.fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
  (func (export "memory.copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
  (func (export "memory.init") (param i32 i32 i32) (memory.init $d (local.get 0) (local.get 1) (local.get 2)))
  (func (export "table.fill") (param i32 i32 i32) (table.fill $t (local.get 0) (ref.func $f) (local.get 2)))
  (func (export "table.copy") (param i32 i32 i32) (table.copy $t $t (local.get 0) (local.get 1) (local.get 2)))
  (func (export "table.init") (param i32 i32 i32) (table.init $t $e (local.get 0) (local.get 1) (local.get 2))))`;

const numbers = [
  0,
  1,
  5,
  4_095,
  4_097,
  8_999,
  65_535,
  65_536,
  65_537,
  131_071,
  196_608,
  196_609,
  2 ** 31 - 1,
  -1,
  -65_536,
];

test("bulk operations with any length and overlap do, or refuse, what the original does", async () => {
  const bytes = await assemble(bulk);
  for (const name of [
    "memory.fill",
    "memory.copy",
    "memory.init",
    "table.fill",
    "table.copy",
    "table.init",
  ]) {
    const plain = new v8.Instance(new v8.Module(bytes)).exports;
    const metered = meter(bytes, { slice: 1_000, options: { tableElementsMax: 9_000 } }).exports;
    for (const exports of [plain, metered]) {
      new Uint8Array(exports.memory.buffer).forEach((_, at, all) => {
        all[at] = Math.imul(at, 2_654_435_761) >>> 13;
      });
      for (let at = 0; at < 9_000; at += 7) exports.table.set(at, exports["memory.fill"]);
    }
    for (const to of numbers.slice(0, 11)) {
      for (const from of numbers.slice(0, 11)) {
        for (const length of numbers) {
          const expected = outcome(() => plain[name](to, from, length));
          assert.equal(
            outcome(() => metered[name](to, from, length)),
            expected,
            `${name} ${to} ${from} ${length}`,
          );
        }
      }
    }
    assert.ok(Buffer.from(plain.memory.buffer).equals(Buffer.from(metered.memory.buffer)), name);
    for (let at = 0; at < 9_000; at++) {
      assert.equal(plain.table.get(at)?.name, metered.table.get(at)?.name, `${name} ${at}`);
    }
  }
});

test("long parts of segments are copied as V8 copies them, or not at all", async () => {
  const size = 200_000;
  const data = Array.from({ length: size / 10 }, (_, index) => String(index).padStart(10, "0")).join("");
  const functions = Array.from({ length: 9_000 }, (_, index) => `$f${index % 3}`).join(" ");
  const bytes = await assemble(`(module (memory (export "memory") 5) (memory $wide i64 5)
    (table $t (export "table") 9000 funcref) (func $f0) (func $f1) (func $f2) (elem $e func ${functions}) (data $d "${data}")
    (func (export "memory.init") (param i32 i32 i32) (memory.init $d (local.get 0) (local.get 1) (local.get 2)))
    (func (export "wide") (param i32 i32 i32) (result i64)
      (memory.init $wide $d (i64.extend_i32_u (local.get 0)) (local.get 1) (local.get 2))
      (i64.load $wide (i64.const 199000)))
    (func (export "table.init") (param i32 i32 i32) (table.init $t $e (local.get 0) (local.get 1) (local.get 2)))
    (func (export "drop") (param i32 i32 i32) (data.drop $d) (elem.drop $e)))`);
  const plain = new v8.Instance(new v8.Module(bytes)).exports;
  const { exports, consumed } = meter(bytes, { slice: 1_000, options: { tableElementsMax: 9_000 } });
  const calls: [name: string, to: number, from: number, length: number][] = [];
  for (const [to, from, length] of [
    [0, 0, size],
    [127_680, 0, size],
    [127_681, 0, size],
    [1, 1, size],
    [0, 50, 150_000],
    [0, 0, 65_537],
    [0, size, 0],
    [-1, 0, 70_000],
    [0, -1, 70_000],
    [0, 0, -1],
  ] as const) {
    calls.push(["memory.init", to, from, length], ["wide", to, from, length]);
  }
  calls.push(["table.init", 0, 0, 9_000], ["table.init", 1, 0, 9_000], ["table.init", 10, 500, 8_000]);
  calls.push(["drop", 0, 0, 0], ["memory.init", 0, 0, 100_000], ["table.init", 0, 0, 5_000]);
  for (const [name, to, from, length] of calls) {
    const before = consumed();
    const what = `${name} ${to} ${from} ${length}`;
    const expected = outcome(() => plain[name](to, from, length));
    assert.equal(
      outcome(() => exports[name](to, from, length)),
      expected,
      what,
    );
    if (name === "memory.init" && expected === undefined) assert.equal(consumed() - before, 5 + length, what);
    assert.ok(Buffer.from(plain.memory.buffer).equals(Buffer.from(exports.memory.buffer)), what);
    for (let at = 0; at < 9_000; at++)
      assert.equal(plain.table.get(at)?.name, exports.table.get(at)?.name, what);
  }
});

test("64-bit memories and tables take the same helpers", async () => {
  const bytes = await assemble(`(module (memory (export "memory") i64 3) (table $t i64 9000 9900 externref)
    (func (export "fill") (param i64 i32 i64) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
    (func (export "copy") (param i64 i64 i64) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
    (func (export "grow") (param i64) (result i64) (memory.grow (local.get 0)))
    (func (export "table.grow") (param i64) (result i64) (table.grow $t (ref.null extern) (local.get 0)))
    (func (export "table.fill") (param i64 i64) (table.fill $t (local.get 0) (ref.null extern) (local.get 1))))`);
  const { exports, consumed } = meter(bytes, { slice: 1_000, options: { tableElementsMax: 9_999 } });
  exports.fill(5n, 7, 150_000n);
  exports.copy(10n, 5n, 150_000n);
  const memory = new Uint8Array(exports.memory.buffer);
  assert.deepEqual([memory[4], memory[5], memory[150_009], memory[150_010]], [0, 7, 7, 0]);
  assert.equal(consumed(), 2 * (1 + 4) + 300_000);
  assert.equal(exports.grow(2n), 3n);
  assert.equal(exports.grow(-1n), -1n);
  assert.equal(exports.grow(2n ** 40n), -1n);
  assert.equal(exports["table.grow"](500n), 9_000n);
  assert.equal(exports["table.grow"](500n), -1n);
  assert.match(`${outcome(() => exports["table.fill"](2n ** 33n, 1n))}`, /^trap/);
  assert.match(`${outcome(() => exports.fill(2n ** 63n, 0, 2n ** 63n))}`, /^trap/);
});

test("growth ends at the cap, over all memories together, and never credits fuel", async () => {
  const bytes = await assemble(`(module (memory $a 2) (memory $b 1 3) (table $t 10 funcref)
    (func (export "a") (param i32) (result i32) (memory.grow $a (local.get 0)))
    (func (export "b") (param i32) (result i32) (memory.grow $b (local.get 0)))
    (func (export "t") (param i32) (result i32) (table.grow $t (ref.null func) (local.get 0))))`);
  const { exports, consumed } = meter(bytes, { options: { memoryPagesMax: 10, tableElementsMax: 20 } });
  assert.deepEqual(
    [exports.b(2), exports.a(5), exports.a(1), exports.a(-1), exports.a(0)],
    [1, 2, -1, -1, 7],
  );
  assert.deepEqual([exports.t(11), exports.t(-16), exports.t(10), exports.t(1)], [-1, -1, 10, -1]);
  assert.equal(consumed(), 5 * 3 + 4 * 4 + 7 + 10);
});

test("a cap beyond what 32-bit addresses can declare leaves such a memory its most, and a wide one the cap", async () => {
  const bytes = await assemble(`(module (memory $a 1) (memory $b i64 1)
    (func (export "a") (param i32) (result i32) (memory.grow $a (local.get 0)))
    (func (export "b") (param i64) (result i64) (memory.grow $b (local.get 0))))`);
  const { exports } = meter(bytes, { options: { memoryPagesMax: 70_000 } });
  assert.deepEqual([exports.a(65_536), exports.a(1), exports.b(69_998n)], [-1, 1, -1n]);
});

test("a module that starts larger than the cap is refused", async () => {
  const refuses = async (text: string) =>
    assert.throws(() => meterModule(assembled, meterOptions), { code: "wasm/over-cap" }, text);
  let assembled = await assemble(`(module (memory 40) (memory 40))`);
  await refuses("two memories");
  assembled = await assemble(`(module (table 2000 funcref))`);
  await refuses("a table");
  assembled = await assemble(`(module (memory i64 0xffffffff))`);
  await refuses("a 64-bit memory");
});

test("recursion ends by the slots, the same ones whatever the fuel, and leaves the number negative", async () => {
  const bytes =
    await assemble(`(module (table funcref (elem $i)) (global $depth (export "depth") (mut i32) (i32.const 0))
    (func $r (export "direct") (global.set $depth (i32.add (global.get $depth) (i32.const 1))) (call $r))
    (func $i (export "indirect") (global.set $depth (i32.add (global.get $depth) (i32.const 1))) (call_indirect (i32.const 0)))
    (func $t (export "tail") (param i32) (if (local.get 0) (then (return_call $t (i32.sub (local.get 0) (i32.const 1))))))
    (func $ok (export "fine") (param i32) (result i32) (if (result i32) (local.get 0) (then (call $ok (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 5)))))`);
  for (const name of ["direct", "indirect"]) {
    const depths = [7, 2 ** 30].map((slice) => {
      const { exports, stackLeft } = meter(bytes, { slice, stackSlots: 10_000 });
      assert.match(`${outcome(() => exports[name]())}`, /^trap: unreachable/);
      assert.ok((stackLeft() ?? 0) < 0);
      return exports.depth.value;
    });
    assert.equal(depths[0], depths[1]);
    assert.ok(depths[0] > 500 && depths[0] < 2_000, `${depths}`);
  }
  const { exports, stackLeft } = meter(bytes, { stackSlots: 10_000 });
  exports.tail(100_000);
  assert.equal(exports.fine(100), 5);
  assert.equal(stackLeft(), 10_000);
});

test("frames that an exception leaves give their slots back", async () => {
  const bytes = await assemble(`(module (tag $t)
    (func $deep (param i32) (if (local.get 0) (then (call $deep (i32.sub (local.get 0) (i32.const 1)))) (else (throw $t))))
    (func (export "run") (param i32) (loop $again
      (block $h (try_table (catch_all $h) (call $deep (i32.const 50))))
      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
    (func $self (export "self") (param i32 i32) (result i32)
      (block $h (try_table (catch_all $h)
        (if (local.get 0) (then (drop (call $self (i32.sub (local.get 0) (i32.const 1)) (local.get 1)))))
        (throw $t)))
      (local.get 1)))`);
  const { exports, stackLeft } = meter(bytes, { stackSlots: 5_000 });
  exports.run(1_000);
  assert.equal(exports.self(20, 4), 4);
  assert.equal(stackLeft(), 5_000);
});

test("catch_all does not catch the end of the fuel", async () => {
  const bytes = await assemble(`(module (global $g (export "g") (mut i32) (i32.const 0))
    (func (export "run") (loop $forever
      (block $h (try_table (catch_all $h) (loop $l (br $l))))
      (global.set $g (i32.const 1)) (br $forever))))`);
  const { exports } = meter(bytes, { fuel: 1_000 });
  assert.match(`${outcome(() => exports.run())}`, /^trap: unreachable/);
  assert.equal(exports.g.value, 0);
  assert.match(`${outcome(() => exports.run())}`, /^trap: unreachable/, "and the instance stays dead");
});

test("the start function is exported, not run, and then runs on fuel", async () => {
  const bytes = await assemble(
    `(module (global $g (export "g") (mut i32) (i32.const 0)) (func $s (loop $l (br $l))) (start $s))`,
  );
  assert.throws(() => meter(bytes, { fuel: 100 }), v8.RuntimeError);
});

test("a module that imports or exports our names is refused", async () => {
  for (const text of [
    `(module (func (export "${reservedPrefix}fuel")))`,
    `(module (import "${reservedPrefix}x" "f" (func)))`,
    `(module (import "x" "${reservedPrefix}f" (func)))`,
  ]) {
    const bytes = await assemble(text);
    assert.throws(() => meterModule(bytes, meterOptions), { code: "wasm/reserved-name" });
  }
});

test("an index beyond the end does not come to mean what is appended", () => {
  const bodies: [claim: string, code: number[]][] = [
    ["a global", [0x23, 0, 0x1a]],
    ["writing a global", [0x41, 0, 0x24, 0]],
    ["a function", [0x10, 1]],
    ["a function in dead code", [0x00, 0x10, 1]],
    ["a tail call", [0x12, 3]],
    ["a reference", [0xd2, 1, 0x1a]],
    ["a table", [0x41, 0, 0x11, 0, 0]],
    ["a table's element", [0x41, 0, 0x25, 0, 0x1a]],
    ["a table's growth", [0xd0, 0x70, 0x41, 0, 0xfc, 0x0f, 0, 0x1a]],
    ["a type", [0x02, 1, 0x0b]],
    ["a type in dead code", [0x00, 0x02, 1, 0x0b]],
  ];
  for (const [claim, code] of bodies) {
    const body = [0, ...code, 0x0b];
    const bytes = new ByteWriter()
      .raw(
        Uint8Array.of(
          0,
          0x61,
          0x73,
          0x6d,
          1,
          0,
          0,
          0,
          1,
          4,
          1,
          0x60,
          0,
          0,
          3,
          2,
          1,
          0,
          10,
          body.length + 2,
          1,
        ),
      )
      .sized(Uint8Array.from(body))
      .finish();
    assert.equal(v8.validate(bytes), false, claim);
    assert.throws(() => meterModule(bytes, meterOptions), { code: "wasm/unknown-index" }, claim);
  }
});

const everything = `(module (memory 1) (tag $t (param i32)) (table 2 funcref) (elem (i32.const 0) $f) (global $g (mut i32) (i32.const 1))
  (func $f (param i32) (result i32) (local i64 i64 f32)
    (block $b (loop $l (br_if $b (local.get 0)) (br_table $l $b (local.get 0))))
    (memory.fill (i32.const 0) (i32.const 1) (local.get 0))
    (if (result i32) (local.get 0) (then (call $f (i32.const 1))) (else (call_indirect (param i32) (result i32) (i32.const 1) (i32.const 0)))))
  (func (export "e") (param i32) (result i32)
    (block $h (result i32) (try_table (catch $t $h) (throw $t (i32.const 1))) (return (i32.const 3)))
    (i32x4.extract_lane 1 (v128.const i32x4 1 2 3 4)) (i32.add) (return_call $f)))`;

test("a module cut anywhere or with any bit flipped is rewritten or refused with a code", async () => {
  const bytes = await assemble(everything);
  const started = process.threadCpuUsage();
  for (let length = 0; length < bytes.length; length++) rewritesOrRefuses(bytes.slice(0, length));
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const flipped = bytes.slice();
      flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
      rewritesOrRefuses(flipped);
    }
  }
  assert.ok(process.threadCpuUsage(started).user < 10_000_000);
});

function rewritesOrRefuses(bytes: Uint8Array): void {
  const isValid = v8.validate(bytes);
  try {
    const rewritten = meterModule(bytes, meterOptions).bytes;
    if (isValid) assert.ok(v8.validate(rewritten));
  } catch (error) {
    assert.ok(isRemoraError(error), `${error instanceof Error ? error.stack : error}`);
  }
}

test("profiles refuse what they say, unless the operator allows it by name", async () => {
  const refused: [profile: "default" | "strict", text: string, feature: string][] = [
    ["default", `(module (type (struct)))`, "gc"],
    ["default", `(module (func (drop (ref.i31 (i32.const 1)))))`, "gc"],
    ["default", `(module (func (local anyref)))`, "gc"],
    ["default", `(module (memory 1 2 shared))`, "shared-memory"],
    ["strict", `(module (memory 1) (func (drop (i32.atomic.load (i32.const 0)))))`, "threads"],
    [
      "strict",
      `(module (func (param v128) (drop (i8x16.relaxed_swizzle (local.get 0) (local.get 0)))))`,
      "relaxed-simd",
    ],
  ];
  for (const [profile, text, feature] of refused) {
    const bytes = await assemble(text);
    assert.throws(
      () => meterModule(bytes, { ...meterOptions, profile }),
      (error) =>
        isRemoraError(error, "wasm/refused-feature") &&
        (error.details as { feature: string }).feature === feature,
    );
    meterModule(bytes, { ...meterOptions, profile, allow: [feature] });
  }
  const atomic = await assemble(`(module (memory 1) (func (drop (i32.atomic.load (i32.const 0)))))`);
  meterModule(atomic, meterOptions);
});
