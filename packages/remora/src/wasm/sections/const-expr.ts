/** Constant expressions (§3.4.13): kept as bytes, their function and global indices noted. */

import type { ByteReader } from "../byte-reader.ts";
import { wasmErrors } from "../errors.ts";
import type { DecodeLimits } from "../limits.ts";
import type { ConstExpr } from "../module.ts";
import { operatorIndexes, operators } from "../opcodes.ts";
import { readImmediates, readOpcode } from "../operators.ts";

// Core 3.0 §3.4.13, the extended ones and those of GC included.
const constantOperators = [
  "end",
  "i32.const",
  "i64.const",
  "f32.const",
  "f64.const",
  "v128.const",
  "ref.null",
  "ref.func",
  "ref.i31",
  "global.get",
  "i32.add",
  "i32.sub",
  "i32.mul",
  "i64.add",
  "i64.sub",
  "i64.mul",
  "struct.new",
  "struct.new_default",
  "array.new",
  "array.new_default",
  "array.new_fixed",
  "any.convert_extern",
  "extern.convert_any",
];

const isConstant: ReadonlySet<number> = new Set(
  constantOperators.map((name) => operatorIndexes.get(name) ?? -1),
);

const endIndex = 0x0b;
const globalGet = 0x23;
const refFunc = 0xd2;

export function readConstExpr(reader: ByteReader, limits: DecodeLimits): ConstExpr {
  const start = reader.position;
  const functions: number[] = [];
  const globals: number[] = [];
  // Ends with the bytes at the latest: each turn takes one at least.
  for (;;) {
    const offset = reader.position;
    const opcode = readOpcode(reader);
    if (!isConstant.has(opcode)) {
      const found = operators[opcode]?.name ?? opcode;
      throw wasmErrors.malformed({
        offset,
        what: "a constant expression",
        found,
        allowed: "constant operators",
      });
    }
    if (opcode === endIndex)
      return { bytes: reader.bytes.subarray(start, reader.position), functions, globals };
    if (opcode === refFunc) functions.push(reader.u32("a function index"));
    else if (opcode === globalGet) globals.push(reader.u32("a global index"));
    else readImmediates(reader, opcode, limits);
  }
}
