/**
 * The codec of records, where a call with a large argument spends its time. An object is read once, when it is
 * checked: its values are kept in the context, in the order in which they are stored afterwards. That is faster
 * than reading it twice, and what was checked is what is stored, whatever a getter would give the second time.
 */

import { camelCase } from "../names.ts";
import type { ValueType } from "../types.ts";
import type { Codec, CodecOf, Side } from "./codec.ts";
import { flatten, layoutOfFields, offsetsOf } from "./layout.ts";
import { kindOf, loadField, type RecordField, storeField } from "./record-field.ts";
import { checkAndKeep, shapeOf } from "./record-shape.ts";

type RecordType = Extract<ValueType, { kind: "record" }>;
type RecordValue = Record<string, unknown>;

export function recordCodec(type: RecordType, of: CodecOf, side: Side): Codec<RecordValue> {
  const fields = fieldsOf(type, of);
  const types = type.fields.map((field) => field.type);
  const { size, align } = layoutOfFields(types);
  const shape = shapeOf(fields);
  // Copying an object that has all the keys is faster than adding them one by one.
  const template: RecordValue = {};
  for (const { key } of fields) template[key] = undefined;
  return {
    type,
    size,
    align,
    flat: flatten(type),
    check: (value, cx) =>
      typeof value === "object" && value !== null && checkAndKeep(shape, value as RecordValue, cx),
    ...(side === "raw" ? fromValue(fields) : fromKept(fields)),
    load: (cx, pointer) => {
      const value = { ...template };
      for (let index = 0; index < fields.length; index++) {
        const field = fields[index] as RecordField; // In bounds.
        value[field.key] = loadField(field, cx, pointer);
      }
      return value;
    },
    lift: (cx, values, at) => {
      const value = { ...template };
      let next = at;
      for (const { key, codec } of fields) {
        value[key] = codec.lift(cx, values, next);
        next += codec.flat?.length ?? 0;
      }
      return value;
    },
    single: undefined,
  };
}

function fieldsOf(type: RecordType, of: CodecOf): RecordField[] {
  const offsets = offsetsOf(type.fields.map((field) => field.type));
  return type.fields.map((field, index) => ({
    key: camelCase(field.name),
    index,
    kind: kindOf(field.type),
    offset: offsets[index] ?? 0,
    codec: of(field.type),
  }));
}

type Lowering = Pick<Codec<RecordValue>, "store" | "lower">;

/** From the host or a packet: what `check` kept, record by record in the order of their checks. */
function fromKept(fields: readonly RecordField[]): Lowering {
  const count = fields.length;
  return {
    store: (cx, _, pointer) => {
      const first = cx.keptNext;
      cx.keptNext = first + count;
      for (let index = 0; index < count; index++) {
        storeField(fields[index] as RecordField, cx, cx.kept[first + index], pointer); // In bounds.
      }
    },
    lower: (cx, _, out, at) => {
      const first = cx.keptNext;
      cx.keptNext = first + count;
      let next = at;
      for (const { index, codec } of fields) {
        codec.lower(cx, cx.kept[first + index], out, next);
        next += codec.flat?.length ?? 0;
      }
    },
  };
}

/** Between guests nothing is checked: the value is what was just lifted out of the other one. */
function fromValue(fields: readonly RecordField[]): Lowering {
  return {
    store: (cx, value, pointer) => {
      for (const field of fields) storeField(field, cx, value[field.key], pointer);
    },
    lower: (cx, value, out, at) => {
      let next = at;
      for (const { key, codec } of fields) {
        codec.lower(cx, value[key], out, next);
        next += codec.flat?.length ?? 0;
      }
    },
  };
}
