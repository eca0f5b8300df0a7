/**
 * A body out of text, for the few small functions that Remora writes itself: one operator a line, with numbers behind it.
 * It knows the operators that these are made of and no others, so that who runs them need not have the table of all.
 */

import { invariant } from "../base/index.ts";
import { ByteWriter } from "./byte-writer.ts";
import type { ValueType } from "./sections/value-types.ts";

/** Opcodes (§5.4); a prefix and the number behind it are one. */
export const ownOperators: Readonly<Record<string, number>> = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  br_if: 0x0d,
  return: 0x0f,
  call: 0x10,
  drop: 0x1a,
  select: 0x1b,
  "local.get": 0x20,
  "local.set": 0x21,
  "local.tee": 0x22,
  "global.get": 0x23,
  "global.set": 0x24,
  "i32.load": 0x28,
  "i32.load8_u": 0x2d,
  "i32.load16_u": 0x2f,
  "i32.store": 0x36,
  "i32.store8": 0x3a,
  "i32.store16": 0x3b,
  "memory.size": 0x3f,
  "memory.grow": 0x40,
  "i32.const": 0x41,
  "i64.const": 0x42,
  "i32.eqz": 0x45,
  "i32.eq": 0x46,
  "i32.lt_s": 0x48,
  "i32.lt_u": 0x49,
  "i32.gt_u": 0x4b,
  "i32.ge_u": 0x4f,
  "i64.gt_u": 0x56,
  "i32.add": 0x6a,
  "i32.sub": 0x6b,
  "i32.mul": 0x6c,
  "i32.and": 0x71,
  "i32.or": 0x72,
  "i32.shl": 0x74,
  "i32.shr_u": 0x76,
  "i64.add": 0x7c,
  "i64.shl": 0x86,
  "i64.extend_i32_u": 0xad,
  "memory.copy": 0xfc0a,
};

/** Types of values in our own code (§5.3.1, §5.3.4). */
const ownTypes = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c } as const;
const externref = 0x6f;

/** Writes a number type, or a reference that may be null to anything of the host's. */
export function writeOwnType(writer: ByteWriter, type: ValueType): void {
  if (typeof type === "string") {
    invariant(type !== "v128", "no code of ours has vectors");
    writer.byte(ownTypes[type]);
    return;
  }
  invariant(type.heap === "extern" && type.isNullable, "the references of our code are externref");
  writer.byte(externref);
}

/**
 * The bytes of a function body: its locals, its code and the `end` behind it.
 *
 * @param locals Types of the locals behind the parameters.
 * @param code   Lines such as `local.get 0`, `i32.store8 0 16` (log2 of the alignment, offset), `i32.const -1`, and
 *               `if` or `block` or `loop`, which have no parameters and no results. Indices are numbers.
 */
export function assembleBody(locals: readonly ValueType[], code: string): Uint8Array {
  const writer = new ByteWriter();
  writer.vector(locals, (to, type) => writeOwnType(to.u32(1), type)); // Groups of one.
  for (const line of code.split("\n")) if (line.trim() !== "") writeOperator(writer, line.trim());
  writer.byte(end);
  return writer.finish();
}

const end = 0x0b;
const emptyBlock = 0x40;

function writeOperator(writer: ByteWriter, line: string): void {
  const [name = "", ...numbers] = line.split(/\s+/);
  const opcode = ownOperators[name];
  invariant(opcode !== undefined, `"${name}" is an operator of our own code`);
  if (opcode > 0xff) writer.byte(opcode >> 8).u32(opcode & 0xff);
  else writer.byte(opcode);
  switch (name) {
    case "block":
    case "loop":
    case "if":
      writer.byte(emptyBlock);
      return;
    case "i32.const":
    case "i64.const":
      writer.s64(BigInt(numbers[0] ?? 0));
      return;
    default:
      for (const number of numbers) writer.u32(Number(number));
  }
}
