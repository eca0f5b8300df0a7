import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { isRemoraError } from "../base/index.ts";
import { decodeModule, decodeSections, findSection } from "./decode.ts";
import { encodeModule } from "./encode.ts";
import type { Module } from "./module.ts";
import { renameExports } from "./rename-exports.ts";
import { summarizeModule } from "./summary.ts";

/** Uses every section, every element and data form, every kind of import and type. */
const everySection = `(module
  (rec (type $node (sub (struct (field (mut i32)) (field (ref null $node)) (field i8)))) (type $list (array (mut i16))))
  (type $pair (func (param i32 i64) (result f32 f64)))
  (import "host" "log" (func $log (param i32)))
  (import "host" "table" (table 1 10 funcref))
  (import "host" "memory" (memory 1 2))
  (import "host" "global" (global $base i32))
  (import "host" "tag" (tag $oops (param i32)))
  (table $t 3 funcref)
  (table $u 2 (ref func) (ref.func $log))
  (table $x i64 0 5 externref)
  (memory $m i64 1 4)
  (tag $own (param f64))
  (global $g (mut i64) (i64.const -5))
  (global $e i32 (i32.add (i32.const 3) (i32.const 4)))
  (global $r (ref null $node) (ref.null $node))
  (global $v v128 (v128.const i32x4 1 2 3 4))
  (export "naïve ✓" (func $f)) (export "m" (memory $m)) (export "t" (table $t)) (export "g" (global $g))
  (export "tag" (tag $own))
  (start $main)
  (elem (i32.const 0) func $f)
  (elem func $log)
  (elem (table $t) (i32.const 0) func $f $log)
  (elem declare func $f)
  (elem (i32.const 0) funcref (ref.func $f))
  (elem externref (ref.null extern))
  (elem (table $t) (i32.const 1) funcref (ref.null func) (ref.func $f))
  (elem declare funcref (ref.func $log))
  (func $f (param i32 i64) (result i32) (local f32 f32 v128) i32.const 1)
  (func $main)
  (data (i32.const 8) "hello")
  (data "passive")
  (data (memory $m) (i64.const 0) "second")
  (@custom "note" "by us"))`;

/** The same module, but every section is written from its items. */
function withoutSources(module: Module): Module {
  return { ...module, sections: module.sections.map(({ source: _, ...section }) => section) };
}

test("a module that nobody touches is written as it was, byte for byte", async () => {
  const bytes = await parse(everySection);
  assert.deepEqual(encodeModule(decodeModule(bytes)), bytes);
});

test("numbers in longer forms than necessary survive re-encoding", () => {
  // A type section whose size and count take five bytes each, and an empty custom section.
  const bytes = Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...[1, 0x88, 0x80, 0x80, 0x80, 0x00, 0x81, 0x80, 0x80, 0x80, 0x00, 0x60, 0, 0],
    ...[0, 0x83, 0x80, 0x00, 0x81, 0x00, 0x78],
  ]);
  assert.deepEqual(encodeModule(decodeModule(bytes)), bytes);
});

test("every section is written from its items as an assembler writes it", async () => {
  const bytes = await parse(everySection);
  const written = encodeModule(withoutSources(decodeModule(bytes)));
  assert.ok(WebAssembly.validate(written as BufferSource));
  assert.deepEqual(written, bytes);
});

test("a summary names imports, exports, sizes and features", async () => {
  const summary = summarizeModule(decodeModule(await parse(everySection)));
  assert.deepEqual(
    summary.imports.map(({ name, kind, type }) => `${name} ${kind} ${type}`),
    [
      "log func (param i32)",
      "table table 1 10 funcref",
      "memory memory 1 2",
      "global global i32",
      "tag tag (param i32)",
    ],
  );
  assert.deepEqual(
    summary.exports.map(({ name, kind, type }) => `${name} ${kind} ${type}`),
    [
      "naïve ✓ func (param i32 i64) (result i32)",
      "m memory i64 1 4",
      "t table 3 funcref",
      "g global (mut i64)",
      "tag tag (param f64)",
    ],
  );
  assert.ok(summary.features.includes("gc") && summary.features.includes("memory64"));
  assert.equal(summary.names.functions.get(0), "log");
  assert.ok(summary.hasStart);
});

test("renaming an export changes the export section alone", async () => {
  const bytes = await parse(`(module (func (export "a") (result i32) i32.const 7) (func (export "b")))`);
  const renamed = renameExports(bytes, { a: "cabi:a" });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(renamed as BufferSource));
  assert.deepEqual(Object.keys(exports), ["cabi:a", "b"]);
  assert.throws(() => renameExports(bytes, { aa: "c" }), { code: "wasm/unknown-export" });
  assert.throws(() => renameExports(bytes, { a: "b" }), { code: "wasm/duplicate-export" });
});

const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

const malformed: [claim: string, bytes: number[], code: string][] = [
  ["no bytes", [], "not-a-module"],
  ["a component", [0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0], "not-a-module"],
  ["a section id of its own", [...header, 14, 0], "unknown-section"],
  ["a section without a size", [...header, 1], "unexpected-end"],
  ["a section beyond the end", [...header, 1, 5, 0], "unexpected-end"],
  ["a section longer than its content", [...header, 1, 2, 0, 0], "section-size"],
  ["sections in the wrong order", [...header, 3, 1, 0, 1, 1, 0], "section-order"],
  ["a section twice", [...header, 1, 1, 0, 1, 1, 0], "section-order"],
  ["four billion types", [...header, 1, 5, 0xff, 0xff, 0xff, 0xff, 0x0f], "limit"],
  ["a hundred types in one byte", [...header, 1, 2, 100, 0], "too-many"],
  ["a number of six bytes", [...header, 1, 7, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 0], "malformed-number"],
  ["an unknown type form", [...header, 1, 3, 1, 0x5a, 0], "malformed"],
  ["a name that is not UTF-8", [...header, 0, 2, 1, 0xff], "malformed-name"],
  ["bodies without functions", [...header, 10, 4, 1, 2, 0, 0x0b], "malformed"],
  ["an operator in a constant that is none", [...header, 6, 5, 1, 0x7f, 0, 0x10, 0x0b], "malformed"],
  ["an opcode that does not exist", [...header, 6, 5, 1, 0x7f, 0, 0x27, 0x0b], "unknown-opcode"],
];

for (const [claim, bytes, code] of malformed) {
  test(`${claim} is wasm/${code}`, () => {
    assert.throws(() => decodeModule(Uint8Array.from(bytes)), { code: `wasm/${code}` });
  });
}

test("a module cut at any byte or with any bit flipped is read or refused with a code", async () => {
  const bytes = await parse(everySection);
  for (let length = 0; length < bytes.length; length++) decodesOrRefuses(bytes.slice(0, length));
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const flipped = bytes.slice();
      flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
      decodesOrRefuses(flipped);
    }
  }
});

function decodesOrRefuses(bytes: Uint8Array): void {
  try {
    summarizeModule(decodeModule(bytes));
  } catch (error) {
    assert.ok(isRemoraError(error), `${error}`);
  }
}

test("a few sections are read as in the whole, and the others are passed over", async () => {
  const bytes = await parse(everySection);
  const whole = decodeModule(bytes);
  const part = decodeSections(bytes, ["type", "import"]);
  assert.deepEqual(part.sections, [findSection(whole, "type"), findSection(whole, "import")]);
  assert.throws(() => decodeSections(bytes.subarray(0, -1), ["type"]), { code: "wasm/unexpected-end" });
});
