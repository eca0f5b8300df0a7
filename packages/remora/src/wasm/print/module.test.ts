import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { decodeModule } from "../decode.ts";
import { encodeModule } from "../encode.ts";
import { printModule } from "./module.ts";

async function printedAgain(text: string): Promise<void> {
  const module = decodeModule(new Uint8Array(await parse(text)));
  // Names are comments in what is printed, and other custom sections are only mentioned.
  const plain = encodeModule({
    ...module,
    sections: module.sections.filter(({ kind }) => kind !== "custom"),
  });
  const printed = [...printModule(module)].join("\n");
  assert.deepEqual(Buffer.from(await parse(printed)), Buffer.from(plain), printed);
}

const modules: [claim: string, text: string][] = [
  [
    "types, imports, tables, memories, tags, globals",
    `(module
      (rec (type $n (sub (struct (field (mut i32)) (field (ref null $n)) (field i8)))) (type (sub final $n (struct (field (mut i32)) (field (ref null $n)) (field i8) (field f64)))))
      (type $a (array (mut i16))) (type $f (func (param i32 i64) (result f32 f64)))
      (import "a\\22 b" "é" (func $log (param i32))) (import "a" "t" (table 1 10 funcref)) (import "a" "m" (memory 1 2))
      (import "a" "g" (global i32)) (import "a" "x" (tag (param i32)))
      (table 3 funcref) (table 2 (ref func) (ref.func $log)) (table i64 0 5 externref) (memory i64 1 4) (memory 1 1 shared)
      (tag (param f64)) (global (mut i64) (i64.const -5)) (global i32 (i32.add (i32.const 3) (i32.const 4)))
      (global v128 (v128.const i32x4 1 -2 3 4)) (export "naïve" (func $log)) (start $main) (func $main))`,
  ],
  [
    "element and data segments of every form",
    `(module (memory 1) (memory $m 1) (table 9 funcref) (table $t 9 funcref) (func $f)
      (elem (i32.const 0) func $f) (elem func $f $f) (elem (table $t) (i32.const 0) func $f) (elem declare func $f)
      (elem (i32.const 0) funcref (ref.func $f)) (elem externref (ref.null extern))
      (elem (table $t) (i32.const 1) funcref (ref.null func) (ref.func $f)) (elem declare funcref (ref.func $f))
      (data (i32.const 8) "hello\\00\\ff\\22") (data "passive") (data (memory $m) (i32.const 0) "second"))`,
  ],
  [
    "control of every kind",
    `(module (tag $t (param i32)) (table 1 funcref) (table $u 1 funcref) (type $v (func (param i32) (result i32))) (elem declare func $c)
      (func $c (type $v) (block (result i32) (loop (result i32) (br_if 0 (i32.const 1)) (if (result i32) (i32.const 1) (then (i32.const 2)) (else (i32.const 3))))) (br_table 0 0 0 (i32.const 1)))
      (func (param i32) (result i32) (local f32 i64 (ref null func)) (call $c (local.get 0)) (call_indirect (type $v) (i32.const 0)) (call_indirect $u (type $v) (i32.const 0)) (call_ref $v (ref.func $c)) (return_call $c))
      (func (result i32) (block $h (result i32) (try_table (catch $t $h) (throw $t (i32.const 1))) (i32.const 0)) (select (i32.const 1) (i32.const 2)) unreachable)
      (func try (throw $t (i32.const 1)) catch $t drop rethrow 0 catch_all nop end try nop delegate 0)
      (func (param i32) (block (param i32) (result i32) (i32.const 1) (i32.add)) (drop (select (result funcref) (ref.null func) (ref.null func) (i32.const 1)))))`,
  ],
  [
    "constants to the bit",
    `(module (func (drop (f32.const 1.1)) (drop (f32.const -0)) (drop (f32.const nan:0x200001)) (drop (f32.const -nan)) (drop (f32.const inf))
      (drop (f64.const 1e300)) (drop (f64.const 5e-324)) (drop (f64.const -nan:0x1)) (drop (f64.const -inf)) (drop (f64.const 0.1))
      (drop (f32.const 0x1p-149)) (drop (f32.const 16777217)) (drop (i64.const -9223372036854775808)) (drop (i32.const -2147483648)) (drop (v128.const i64x2 -1 2))))`,
  ],
  [
    "memories, tables, vectors, atomics, garbage collection",
    `(module (memory 1) (memory $m i64 1) (table 2 funcref) (table $u 2 funcref) (data $d "x") (elem $e func) (type $s (struct (field (mut i32)))) (type $a (array (mut i8)))
      (func (drop (i32.load offset=4 align=2 (i32.const 0))) (drop (i64.load8_u $m offset=4294967296 (i64.const 0))) (drop (memory.size)) (drop (memory.grow $m (i64.const 1)))
        (memory.copy (i32.const 0) (i32.const 0) (i32.const 0)) (memory.copy $m 0 (i64.const 0) (i32.const 0) (i32.const 0)) (memory.fill $m (i64.const 0) (i32.const 0) (i64.const 0))
        (memory.init $m $d (i64.const 0) (i32.const 0) (i32.const 0)) (memory.init $d (i32.const 0) (i32.const 0) (i32.const 0)) (data.drop $d) (elem.drop $e)
        (table.init $u $e (i32.const 0) (i32.const 0) (i32.const 0)) (table.copy 0 $u (i32.const 0) (i32.const 0) (i32.const 0)) (drop (table.size $u)) (drop (table.get 0 (i32.const 0)))
        (drop (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 (v128.const i32x4 0 0 0 0) (v128.const i32x4 0 0 0 0)))
        (drop (v128.load8_lane offset=3 5 (i32.const 0) (v128.const i32x4 0 0 0 0))) (drop (i16x8.extract_lane_s 3 (v128.const i32x4 0 0 0 0)))
        (drop (i32.atomic.rmw.add offset=8 (i32.const 0) (i32.const 1))) atomic.fence
        (drop (struct.get $s 0 (struct.new $s (i32.const 1)))) (drop (array.new_fixed $a 2 (i32.const 1) (i32.const 2))) (drop (array.new_data $a $d (i32.const 0) (i32.const 0)))
        (drop (ref.test (ref eq) (ref.i31 (i32.const 1)))) (drop (ref.cast (ref null $s) (ref.null none)))
        (block $b (result (ref null eq)) (br_on_cast $b anyref (ref null eq) (ref.null any)) drop (ref.null eq)) drop))`,
  ],
];

for (const [claim, text] of modules) {
  test(`${claim}: what is printed assembles to the same bytes`, () => printedAgain(text));
}

test("a name cannot end the comment that it stands in, nor send codes to the terminal", async () => {
  const bytes = new Uint8Array(await parse(`(module (func $f))`));
  const named = Buffer.from(bytes);
  const at = named.lastIndexOf("f");
  named[at] = 0x1b;
  const printed = [...printModule(decodeModule(new Uint8Array(named)))].join("\n");
  assert.ok(printed.includes("\\1b") && !printed.includes("\u001b"));
});

test("one section can be printed alone, with offsets", async () => {
  const bytes = new Uint8Array(await parse(`(module (memory 1) (func (drop (i32.const 7))))`));
  const lines = [...printModule(decodeModule(bytes), { section: "code", offsets: true })];
  assert.deepEqual(
    lines.map((line) => line.trim().replace(/@0x[0-9a-f]+/, "@")),
    ["(module", "(func (;0;) (type 0)", "i32.const 7 (;@;)", "drop (;@;)", ")", ")"],
  );
});
