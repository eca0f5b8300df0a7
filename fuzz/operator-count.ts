/**
 * Fuel without any cleverness, to compare the rewriter's with: a module that adds what each operator costs to a global
 * of its own, right before the operator. No regions, no plan, no counter in a local.
 */

import { type Body, ByteWriter, decodeModule, encodeModule, indexSpaces, type Section } from "remora/wasm";
import { sectionOrder } from "../packages/remora/src/wasm/decode.ts";
import type { IndexSpaces } from "../packages/remora/src/wasm/index-spaces.ts";
import { fuelOf, Kind, kindOf } from "../packages/remora/src/wasm/metering/operator-kinds.ts";
import {
  readIndex,
  readOperator,
  skipImmediates,
  skipNumber,
  skipType,
} from "../packages/remora/src/wasm/metering/skip.ts";
import { operators } from "../packages/remora/src/wasm/opcodes.ts";

/** The exported global, an i64, that has the units of all operators that were run. */
export const countName = "fuel, operator by operator";

const i32 = 0x7f;
const i64 = 0x7e;

/** The same module with the count in it; without custom sections, whose offsets would not fit. */
export function withOperatorCount(bytes: Uint8Array): Uint8Array {
  const module = decodeModule(bytes);
  const spaces = indexSpaces(module);
  const count = spaces.globals.length;
  const sections = new Map<string, Section>();
  for (const section of module.sections) if (section.kind !== "custom") sections.set(section.kind, section);
  const globals = sections.get("global");
  const zero = { bytes: Uint8Array.of(0x42, 0, 0x0b), functions: [], globals: [] };
  sections.set("global", {
    kind: "global",
    items: [
      ...(globals?.kind === "global" ? globals.items : []),
      { type: { value: "i64", isMutable: true }, init: zero },
    ],
  });
  const exports = sections.get("export");
  sections.set("export", {
    kind: "export",
    items: [
      ...(exports?.kind === "export" ? exports.items : []),
      { name: countName, kind: "global", index: count },
    ],
  });
  const code = sections.get("code");
  if (code?.kind === "code") {
    const items = code.items.map((body, index) => counted(body, spaces, index, count));
    sections.set("code", { kind: "code", items });
  }
  const ordered = sectionOrder.flatMap((kind) => sections.get(kind) ?? []);
  return encodeModule({ bytes, sections: ordered });
}

/** A body with two locals more, for lengths. */
function counted({ within, offset, size }: Body, spaces: IndexSpaces, index: number, count: number): Body {
  const out = new ByteWriter();
  const groups = readIndex(within, offset);
  let p = skipNumber(within, offset);
  const declaredAt = p;
  const type = spaces.functions[spaces.imported.functions + index] ?? 0;
  const composite = spaces.types[type]?.composite;
  let locals = composite?.kind === "func" ? composite.parameters.length : 0;
  for (let group = 0; group < groups; group++) {
    locals += readIndex(within, p);
    p = skipType(within, skipNumber(within, p));
  }
  out.u32(groups + 2).raw(within.subarray(declaredAt, p));
  out.u32(2).byte(i32).u32(2).byte(i64);
  const counter = new Counter(out, count, locals);
  counter.add(1);
  const end = offset + size;
  while (p < end) {
    const { op, next } = readOperator(within, p);
    const behind = skipImmediates(within, next, op);
    counter.add(fuelOf[op] ?? 0);
    const lengthType = typeOfLength(op, within, next, spaces);
    const kind = kindOf[op];
    const operator = within.subarray(p, behind);
    if (kind === Kind.grow) counter.grow(lengthType, operator);
    else {
      if (kind === Kind.bulk || kind === Kind.length) counter.length(lengthType);
      out.raw(operator);
    }
    p = behind;
  }
  const bytes = out.finish();
  return { within: bytes, offset: 0, size: bytes.length };
}

/** Of the length on top of the stack. */
function typeOfLength(op: number, bytes: Uint8Array, at: number, spaces: IndexSpaces): number {
  const name = operators[op]?.name ?? "";
  const first = readIndex(bytes, at);
  const is64 = (index: number) =>
    name.startsWith("memory.")
      ? spaces.memories[index]?.is64 === true
      : spaces.tables[index]?.limits.is64 === true;
  switch (name) {
    case "memory.fill":
    case "table.fill":
    case "memory.grow":
    case "table.grow":
      return is64(first) ? i64 : i32;
    case "memory.copy":
    case "table.copy":
      return is64(first) && is64(readIndex(bytes, skipNumber(bytes, at))) ? i64 : i32;
    default:
      return i32;
  }
}

class Counter {
  readonly #out: ByteWriter;
  readonly #count: number;
  readonly #locals: number;

  /** @param locals Index of the first of four locals: two i32, two i64. */
  constructor(out: ByteWriter, count: number, locals: number) {
    this.#out = out;
    this.#count = count;
    this.#locals = locals;
  }

  add(units: number): void {
    if (units === 0) return;
    this.#read().byte(0x42).s32(units);
    this.#write();
  }

  /** The length is on top of the stack and stays there. */
  length(type: number): void {
    const local = this.#locals + (type === i64 ? 2 : 0);
    this.#out.byte(0x22).u32(local);
    this.#addLocal(local, type);
  }

  /** Of a growth what was added counts. */
  grow(type: number, operator: Uint8Array): void {
    const delta = this.#locals + (type === i64 ? 2 : 0);
    const result = delta + 1;
    this.#out.byte(0x22).u32(delta).raw(operator).byte(0x22).u32(result);
    this.#out
      .byte(type === i64 ? 0x42 : 0x41)
      .s32(-1)
      .byte(type === i64 ? 0x52 : 0x47);
    this.#out.byte(0x04).byte(0x40);
    this.#addLocal(delta, type);
    this.#out.byte(0x0b).byte(0x20).u32(result);
  }

  #addLocal(local: number, type: number): void {
    this.#read().byte(0x20).u32(local);
    // Unsigned, as all lengths are.
    if (type === i32) this.#out.byte(0xad);
    this.#write();
  }

  #read(): ByteWriter {
    return this.#out.byte(0x23).u32(this.#count);
  }

  #write(): void {
    this.#out.byte(0x7c).byte(0x24).u32(this.#count);
  }
}
