import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isRemoraError } from "../../base/index.ts";
import { typedValues, valueTypes } from "../testing/arbitrary.test.ts";
import { PlainEngine } from "../testing/harness.test.ts";
import {
  alignment,
  elementSize,
  type FlatValue,
  flattenType,
  liftFlat,
  load,
  lowerFlat,
  ReferenceMemory,
  store,
  toPlain,
} from "../testing/reference-abi.test.ts";
import type { ValueType } from "../types.ts";
import { Codecs, type Flat } from "./codec.ts";
import { type Context, freshState } from "./context.ts";
import { HandleTable } from "./handles.ts";
import { flatParamsMax, flatten, layoutOf } from "./layout.ts";
import { contextOf } from "./wide-context.ts";

/** Our own lifting and lowering over the same kind of memory that the reference has. */
function contextOver(memory: ReferenceMemory): Context {
  const wide = memory.ptr === 8;
  const number = (flat: Flat) => Number(flat);
  return contextOf({
    engine: new PlainEngine(),
    address: wide ? "i64" : "i32",
    state: { ...freshState(0, new HandleTable({ left: 10 })), mayLeave: false },
    resources: { wrap: () => ({}), unwrap: () => undefined, take: () => undefined, accepts: () => false },
    memory: memory.bytes,
    realloc(...given: Flat[]) {
      assert(given.every((value) => typeof value === (wide ? "bigint" : "number")));
      const [old = 0, oldSize = 0, align = 0, size = 0] = given.map(number);
      const pointer = memory.allocate(align, size);
      memory.bytes.copyWithin(pointer, old, old + Math.min(oldSize, size));
      return wide ? BigInt(pointer) : pointer;
    },
    encoding: "utf8",
    liftBytesMax: 1 << 20,
  });
}

const codecs = new Codecs("host");
/** Both kinds of memory. */
const sides = [
  { ptr: 4, address: "i32", codecs },
  { ptr: 8, address: "i64", codecs: new Codecs("host", "i64") },
] as const;

/** As core values cross from and to WebAssembly: i32 signed, i64 a signed bigint. */
function coreValues(values: readonly FlatValue[]): Flat[] {
  const view = new DataView(new ArrayBuffer(8));
  return values.map(({ type, bits }) => {
    view.setBigUint64(0, BigInt.asUintN(64, bits), true);
    if (type === "i64") return view.getBigInt64(0, true);
    if (type === "f64") return view.getFloat64(0, true);
    return type === "f32" ? view.getFloat32(0, true) : view.getInt32(0, true);
  });
}

function bitsOf(values: readonly Flat[], types: readonly FlatValue["type"][]): FlatValue[] {
  const view = new DataView(new ArrayBuffer(8));
  return types.map((type, index) => {
    const value = values[index] ?? 0;
    view.setBigUint64(0, 0n, true);
    if (type === "i64") return { type, bits: BigInt.asUintN(64, BigInt(value)) };
    if (type === "f64") view.setFloat64(0, Number(value), true);
    else if (type === "f32") view.setFloat32(0, Number(value), true);
    else view.setInt32(0, Number(value), true);
    return { type, bits: view.getBigUint64(0, true) };
  });
}

for (const { ptr, address, codecs } of sides) {
  const of = ptr === 4 ? "" : ", with a 64-bit memory";
  const runs = (count: number) => ({ numRuns: ptr === 4 ? count : count / 4 });
  test(`sizes, alignments and flattened types are those of the specification${of}`, () => {
    fc.assert(
      fc.property(valueTypes, (type) => {
        assert.deepEqual(layoutOf(type, address), {
          size: elementSize(type, ptr),
          align: alignment(type, ptr),
        });
        const flat = flattenType(type, ptr);
        assert.deepEqual(flatten(type, address), flat.length <= flatParamsMax ? flat : undefined);
      }),
      runs(300),
    );
  });

  test(`what is stored is what the specification loads${of}`, () => {
    fc.assert(
      fc.property(typedValues, ({ type, value }) => {
        const memory = new ReferenceMemory(ptr);
        const cx = contextOver(memory);
        const codec = codecs.of(type);
        cx.beginLift();
        cx.beginCheck();
        assert(codec.check(value, cx), "a value of the type passes the check");
        cx.beginLower();
        const pointer = memory.allocate(codec.align, codec.size);
        codec.store(cx, value, pointer);
        assert.deepEqual(load(memory, pointer, type), toPlain(type, value));
      }),
      runs(300),
    );
  });

  test(`what the specification stores is loaded as it was${of}`, () => {
    fc.assert(
      fc.property(typedValues, ({ type, value }) => {
        const memory = new ReferenceMemory(ptr);
        const cx = contextOver(memory);
        cx.beginLift();
        const pointer = memory.allocate(alignment(type, ptr), elementSize(type, ptr));
        store(memory, toPlain(type, value), type, pointer);
        const loaded = codecs.of(type).load(cx, pointer);
        assert.deepEqual(toPlain(type, loaded), toPlain(type, value));
      }),
      runs(300),
    );
  });

  test(`core values are those of the specification, both ways, joined cases included${of}`, () => {
    const few = typedValues.filter(({ type }) => flattenType(type, ptr).length <= flatParamsMax);
    fc.assert(
      fc.property(few, ({ type, value }) => {
        const memory = new ReferenceMemory(ptr);
        const cx = contextOver(memory);
        cx.beginLift();
        const codec = codecs.of(type);
        const types = flattenType(type, ptr);
        const out: Flat[] = new Array(types.length + 1).fill(0);
        cx.beginCheck();
        assert(codec.check(value, cx));
        cx.beginLower();
        codec.lower(cx, value, out, 1);
        assert.deepEqual(liftFlat(memory, bitsOf(out.slice(1), types), type), toPlain(type, value));
        const flat = [0, ...coreValues(lowerFlat(memory, toPlain(type, value), type))];
        assert.deepEqual(toPlain(type, codec.lift(cx, flat, 1)), toPlain(type, value));
        if (codec.single !== undefined) {
          const single = bitsOf([codec.single.lower(cx, value)], types);
          assert.deepEqual(liftFlat(memory, single, type), toPlain(type, value));
          assert.deepEqual(toPlain(type, codec.single.lift(cx, flat[1])), toPlain(type, value));
        }
      }),
      runs(400),
    );
  });

  test(`memory with anything in it is lifted or is a trap, and nothing else${of}`, () => {
    const places = fc.array(fc.tuple(fc.nat(4_095), fc.nat(0xffff_ffff)), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(valueTypes, places, fc.nat(200), (type, words, place) => {
        const memory = new ReferenceMemory(ptr);
        const view = new DataView(memory.bytes.buffer);
        // Small numbers too, so that some pointers and lengths lead somewhere.
        for (const [at, word] of words)
          view.setUint32(4 * (at % 256), word % 3 === 0 ? word : word % 3_000, true);
        const cx = contextOver(memory);
        cx.beginLift();
        const codec = codecs.of(type);
        try {
          codec.load(cx, place * codec.align);
        } catch (error) {
          assert(isRemoraError(error, "component/trap"), String(error));
        }
      }),
      runs(1_000),
    );
  });
}

test("every value that is not of a type fails its check, and the check never throws", () => {
  fc.assert(
    fc.property(valueTypes, fc.anything(), (type, value) => {
      const cx = contextOver(new ReferenceMemory());
      assert.equal(typeof codecs.of(type).check(value, cx), "boolean");
    }),
    { numRuns: 500 },
  );
});

const wrongValues: readonly (readonly [ValueType, ...unknown[]])[] = [
  [{ kind: "bool" }, 0, "true", undefined],
  [{ kind: "u8" }, -1, 256, 1.5, "1", 1n, Number.NaN],
  [{ kind: "s8" }, -129, 128],
  [{ kind: "u16" }, -1, 65_536],
  [{ kind: "s16" }, -32_769, 32_768],
  [{ kind: "u32" }, -1, 2 ** 32, Number.POSITIVE_INFINITY],
  [{ kind: "s32" }, -(2 ** 31) - 1, 2 ** 31],
  [{ kind: "u64" }, -1n, 2n ** 64n, 1],
  [{ kind: "s64" }, 2n ** 63n, -(2n ** 63n) - 1n],
  [{ kind: "f64" }, "1", 1n, undefined],
  [{ kind: "char" }, "", "ab", "\ud800", 97],
  [{ kind: "string" }, 1, undefined, null, Object("a")],
  [{ kind: "enum", names: ["a", "b"] }, "c", 0, "toString"],
  [{ kind: "flags", names: ["a"] }, true, { a: 1 }, null],
  [{ kind: "record", fields: [{ name: "a", type: { kind: "u8" } }] }, {}, { a: 256 }, null, 1],
  [{ kind: "tuple", elements: [{ kind: "u8" }] }, [], [1, 2], { 0: 1 }],
  [
    { kind: "list", element: { kind: "u8" }, length: undefined },
    "a",
    [256],
    new Uint16Array(1),
    { length: 0 },
  ],
  [{ kind: "list", element: { kind: "string" }, length: 2 }, ["a"], ["a", "b", "c"]],
  [{ kind: "option", some: { kind: "u8" } }, 256, "a"],
  [{ kind: "result", ok: { kind: "u8" }, err: undefined }, 1, { tag: "ok" }, { tag: "none" }],
  [{ kind: "variant", cases: [{ name: "a", type: undefined }] }, "a", { tag: "b" }, {}],
  [{ kind: "map", key: { kind: "u8" }, value: { kind: "u8" } }, {}, [], new Map([[1, 256]])],
];

for (const [type, ...values] of wrongValues) {
  test(`what is no ${type.kind} is refused`, () => {
    const cx = contextOver(new ReferenceMemory());
    for (const value of values) assert.equal(codecs.of(type).check(value, cx), false, String(value));
  });
}

test("a list that grows once it was checked is not filled up with what an earlier call has kept", () => {
  const record: ValueType = { kind: "record", fields: [{ name: "a", type: { kind: "string" } }] };
  const codec = codecs.of({ kind: "list", element: record, length: undefined });
  const cx = contextOver(new ReferenceMemory());
  const lower = (list: unknown) => {
    cx.beginCheck();
    assert(codec.check(list, cx));
    cx.beginLower();
    codec.lower(cx, list, [], 0);
  };
  lower([{ a: "secret" }, { a: "secret" }]);
  let reads = 0;
  const growing = new Proxy([{ a: "x" }], {
    // The check looks twice.
    get: (target, key) => (key === "length" ? (++reads > 2 ? 2 : 1) : Reflect.get(target, key)),
  });
  assert.throws(() => lower(growing), RangeError);
});
