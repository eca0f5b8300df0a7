/** A body out of text, for the few small functions that Remora writes itself: one operator a line, with numbers behind it. */

import { invariant } from "../base/index.ts";
import { ByteWriter } from "./byte-writer.ts";
import { firstPrefix, operatorIndexes, operators, prefixPages } from "./opcodes.ts";
import { type ValueType, writeValueType } from "./sections/value-types.ts";

/**
 * The bytes of a function body: its locals, its code and the `end` behind it.
 *
 * @param locals Types of the locals behind the parameters.
 * @param code   Lines such as `local.get 0`, `i32.store8 0 16` (log2 of the alignment, offset), `i32.const -1`, and
 *               `if` or `block` or `loop`, which have no parameters and no results. Indices are numbers.
 */
export function assembleBody(locals: readonly ValueType[], code: string): Uint8Array {
  const writer = new ByteWriter();
  writer.vector(locals, (to, type) => writeValueType(to.u32(1), type)); // Groups of one.
  for (const line of code.split("\n")) if (line.trim() !== "") writeOperator(writer, line.trim());
  writer.byte(end);
  return writer.finish();
}

const end = 0x0b;
const emptyBlock = 0x40;

function writeOperator(writer: ByteWriter, line: string): void {
  const [name = "", ...numbers] = line.split(/\s+/);
  const index = operatorIndexes.get(name);
  invariant(index !== undefined, `"${name}" is an operator`);
  writeOpcode(writer, index);
  switch (operators[index]?.immediate) {
    case "block":
      writer.byte(emptyBlock);
      return;
    case "i32":
    case "i64":
      writer.s64(BigInt(numbers[0] ?? 0));
      return;
    default:
      for (const number of numbers) writer.u32(Number(number));
  }
}

/** A prefixed operator is its prefix and its number on the prefix's page. */
function writeOpcode(writer: ByteWriter, index: number): void {
  const page = prefixPages.findLastIndex((first) => index >= first);
  if (page < 0) writer.byte(index);
  else writer.byte(firstPrefix + page).u32(index - (prefixPages[page] ?? 0));
}
