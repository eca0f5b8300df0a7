/**
 * The codec of records, where a call with a large argument spends its time. An object is read once, when it is
 * checked: its values are kept in the context, in the order in which they are stored afterwards. That is faster
 * than reading it twice, and what was checked is what is stored, whatever a getter would give the second time.
 */

import { camelCase } from "../names.ts";
import type { ValueType } from "../types.ts";
import type { AddressType } from "./address.ts";
import type { Codec, CodecOf, Side } from "./codec.ts";
import type { Context } from "./context.ts";
import { flatten, layoutOfFields, offsetsOf } from "./layout.ts";
import {
  isString,
  keptValue,
  kindOf,
  otherKind,
  type RecordField,
  storeColumn,
  storeField,
  storeKept,
} from "./record-field.ts";
import { recordMaker } from "./record-maker.ts";
import { checkAndKeep, checkAndKeepAll, isObject, shapeOf } from "./record-shape.ts";
import { routineStringsMax } from "./routine-module.ts";
import { type StringRun, storeStrings, storeStringsOfAll } from "./string-run.ts";

type RecordType = Extract<ValueType, { kind: "record" }>;
type RecordValue = Record<string, unknown>;

export interface RecordOptions {
  readonly side: Side;
  readonly address: AddressType;
  /** Numbers the store routines of a component; see `string-run.ts`. */
  readonly nextRoutine: () => number;
}

export function recordCodec(
  type: RecordType,
  of: CodecOf,
  { side, address, nextRoutine }: RecordOptions,
): Codec<RecordValue> {
  const fields = fieldsOf(type, of, address);
  const types = type.fields.map((field) => field.type);
  const { size, align } = layoutOfFields(types, address);
  const shape = shapeOf(fields);
  const Made = recordMaker(fields);
  return {
    type,
    size,
    align,
    flat: flatten(type, address),
    check: (value, cx) => isObject(value) && checkAndKeep(shape, value, cx),
    checkAll: (values, cx) => checkAndKeepAll(shape, values, cx),
    ...(side === "raw" ? fromValue(fields) : fromKept(fields, partsOf(fields, nextRoutine), size)),
    load: (cx, pointer) => new Made(cx, pointer),
    lift: (cx, values, at) => {
      const value: RecordValue = {};
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

/**
 * The kept values of a record lie so that the strings come first: those that one routine takes stand in a row then.
 */
function fieldsOf(type: RecordType, of: CodecOf, address: AddressType): RecordField[] {
  const types = type.fields.map((field) => field.type);
  const offsets = offsetsOf(types, address);
  const kinds = types.map((field) => kindOf(field, address));
  const stringCount = kinds.filter(isString).length;
  let strings = 0;
  let others = stringCount;
  return type.fields.map((field, index) => {
    const kind = kinds[index] as number; // One a field.
    return {
      key: camelCase(field.name),
      place: isString(kind) ? strings++ : others++,
      kind,
      offset: offsets[index] ?? 0,
      codec: of(field.type),
    };
  });
}

/** A part of a record that is stored at once: its strings, then its other fields. */
interface Part {
  readonly strings: StringRun | undefined;
  readonly others: readonly RecordField[];
}

/** A new part begins with each string that something else may be allocated before. */
function partsOf(fields: readonly RecordField[], nextRoutine: () => number): Part[] {
  const parts: { strings: RecordField[]; others: RecordField[]; allocates: boolean }[] = [];
  for (const field of fields) {
    let part = parts.at(-1);
    const isText = isString(field.kind);
    if (part === undefined || (isText && (part.allocates || part.strings.length === routineStringsMax))) {
      part = { strings: [], others: [], allocates: false };
      parts.push(part);
    }
    if (isText) part.strings.push(field);
    else part.others.push(field);
    part.allocates ||= mayAllocate(field);
  }
  return parts.map(({ strings, others }) => {
    const [first] = strings;
    const run = first && { fields: strings, place: first.place, routine: nextRoutine() };
    return { strings: run, others };
  });
}

function mayAllocate({ kind, codec }: RecordField): boolean {
  return kind === otherKind && codec.single === undefined;
}

type Lowering = Pick<Codec<RecordValue>, "store" | "storeAll" | "lower">;

/** From the host or a packet: what `check` kept, record by record in the order of their checks. */
function fromKept(fields: readonly RecordField[], parts: readonly Part[], size: number): Lowering {
  const width = fields.length;
  const plain = fields.filter(({ kind }) => kind !== otherKind && !isString(kind));
  const runs = parts.flatMap(({ strings }) => strings ?? []);
  const hasOthers = fields.some(({ kind }) => kind === otherKind);
  return {
    store: (cx, _, pointer) => storeParts(parts, cx, cx.takeKept(width), pointer),
    // Others may keep values of their own behind those of their record, and allocate between the strings.
    storeAll: hasOthers
      ? undefined
      : (cx, count, pointer) => {
          const first = cx.takeKept(count * width);
          if (runs.length > 0) storeStringsOfAll(runs, cx, { count, first, width, pointer, size });
          for (const field of plain) storeColumn(field, cx, count, first, width, pointer, size);
        },
    lower: (cx, _, out, at) => {
      const first = cx.takeKept(width);
      let next = at;
      for (const field of fields) {
        field.codec.lower(cx, keptValue(field, cx, first), out, next);
        next += field.codec.flat?.length ?? 0;
      }
    },
  };
}

function storeParts(parts: readonly Part[], cx: Context, first: number, pointer: number): void {
  for (let index = 0; index < parts.length; index++) {
    const { strings, others } = parts[index] as Part; // In bounds.
    if (strings !== undefined) storeStrings(strings, cx, first, pointer);
    for (let other = 0; other < others.length; other++) {
      storeKept(others[other] as RecordField, cx, first, pointer); // In bounds.
    }
  }
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
