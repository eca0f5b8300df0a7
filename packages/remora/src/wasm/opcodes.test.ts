import assert from "node:assert/strict";
import { test } from "node:test";
import { print } from "@bytecodealliance/jco-transpile/wasm-tools";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { encodeModule } from "./encode.ts";
import { defaultDecodeLimits } from "./limits.ts";
import {
  features,
  firstPrefix,
  Immediate,
  type ImmediateName,
  type Operator,
  operators,
  prefixPages,
} from "./opcodes.ts";
import { readImmediates, readOpcode } from "./operators.ts";

/** An immediate of each kind: labels and indices are 0, which exist in the module below. */
const immediates: Record<ImmediateName, number[]> = {
  none: [],
  block: [0x40],
  label: [0],
  labels: [1, 0, 0],
  func: [0],
  indirect: [0, 0],
  type: [0],
  local: [0],
  global: [0],
  table: [0],
  memarg: [0, 0],
  memory: [0],
  memoryMemory: [0, 0],
  dataMemory: [0, 0],
  data: [0],
  elemTable: [0, 0],
  elem: [0],
  tableTable: [0, 0],
  i32: [0xff, 0xff, 0xff, 0xff, 0x07],
  i64: [0x7f],
  f32: [0, 0, 0, 0],
  f64: [0, 0, 0, 0, 0, 0, 0, 0],
  v128: new Array<number>(16).fill(1),
  lane: [0],
  memargLane: [0, 0, 0],
  lanes: new Array<number>(16).fill(2),
  select: [1, 0x7f],
  heap: [0x70],
  tag: [0],
  tryTable: [0x40, 1, 2, 0],
  castLabel: [0, 0, 0x6e, 0x6d],
  typeField: [1, 0],
  typeCount: [2, 0],
  typeData: [2, 0],
  typeElem: [2, 0],
  typeType: [2, 2],
  fence: [0],
};

function encodeOperator(index: number): Uint8Array {
  const immediate = immediates[operators[index]?.immediate ?? "none"];
  const writer = new ByteWriter();
  const page = prefixPages.findLastIndex((first) => index >= first);
  if (page < 0) writer.byte(index);
  else writer.byte(firstPrefix + page).u32(index - (prefixPages[page] ?? 0));
  return writer.raw(Uint8Array.from(immediate)).finish();
}

const opensBlock = new Set(["block", "loop", "if", "try", "try_table"]);
/** What stands before and after an operator that makes sense only inside of another. */
const around: Record<string, [before: number[], after: number[]]> = {
  else: [[0x04, 0x40], [0x0b]],
  catch: [[0x06, 0x40], [0x0b]],
  catch_all: [[0x06, 0x40], [0x0b]],
  delegate: [[0x06, 0x40], []],
  rethrow: [[0x06, 0x40, 0x19], [0x0b]],
};

for (const feature of features) {
  test(`every operator of "${feature}" is read whole and is what wasm-tools calls it`, async () => {
    for (const [index, operator] of operators.entries()) {
      if (operator?.feature === feature) await checkOperator(index, operator);
    }
  });
}

async function checkOperator(index: number, operator: Operator): Promise<void> {
  const encoded = encodeOperator(index);
  const reader = new ByteReader(encoded);
  assert.equal(readOpcode(reader), index);
  assert.ok(operator.immediate in Immediate);
  readImmediates(reader, index, defaultDecodeLimits);
  assert.ok(reader.isAtEnd);
  if (operator.name === "end") return;
  const [before, after] = around[operator.name] ?? [[], opensBlock.has(operator.name) ? [0x0b] : []];
  // In the text format a null type tells the two casts apart, not the operator's name.
  const name = operator.name.replace("_null", operator.name.startsWith("br") ? "_null" : "");
  const text = await printBody([...before, ...encoded, ...after]);
  assert.ok(text.includes(name) || text.includes(operator.name), operator.name);
}

async function printBody(operatorBytes: number[]): Promise<string> {
  const i32 = { isMutable: true, value: "i32" } as const;
  const zero = { bytes: Uint8Array.of(0x41, 0, 0x0b), functions: [], globals: [] };
  const size = { min: 1n, max: undefined, is64: false, isShared: false };
  const field = { storage: "i8", isMutable: true } as const;
  const func = { kind: "func", parameters: ["i32"], results: [] } as const;
  const type = (composite: object) => ({ isFinal: true, supertypes: [], composite });
  const body = Uint8Array.from([0, ...operatorBytes, 0x0b]);
  const bytes = encodeModule({
    bytes: new Uint8Array(),
    sections: [
      {
        kind: "type",
        items: [
          {
            isExplicit: true,
            // The three literals are composites; `object` above keeps this short.
            types: [
              type(func),
              type({ kind: "struct", fields: [field] }),
              type({ kind: "array", element: field }),
            ] as never,
          },
        ],
      },
      { kind: "function", items: [0] },
      {
        kind: "table",
        items: [{ type: { element: { isNullable: true, heap: "func" }, limits: size }, init: undefined }],
      },
      { kind: "memory", items: [size] },
      { kind: "tag", items: [0] },
      { kind: "global", items: [{ type: i32, init: zero }] },
      {
        kind: "element",
        items: [
          { mode: { kind: "passive" }, type: { isNullable: false, heap: "func" }, elements: [0], form: 1 },
        ],
      },
      { kind: "dataCount", items: 1 },
      { kind: "code", items: [{ within: body, offset: 0, size: body.length }] },
      { kind: "data", items: [{ active: undefined, form: 1, bytes: new Uint8Array() }] },
    ],
  });
  return await print(bytes);
}
