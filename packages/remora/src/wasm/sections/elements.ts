/** The element section (§5.5.12): eight forms, told apart by the three bits of a flag. */

import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { wasmErrors } from "../errors.ts";
import type { DecodeLimits } from "../limits.ts";
import type { ConstExpr, ElementSegment } from "../module.ts";
import { readConstExpr } from "./const-expr.ts";
import { funcref, type RefType, readRefType, writeRefType } from "./value-types.ts";

/** Passive or declarative, as opposed to active. */
const notActive = 1;
/** Active: the table is named. Not active: declarative. */
const second = 2;
/** Elements are expressions, not function indices. */
const expressions = 4;

export function readElements(reader: ByteReader, limits: DecodeLimits): ElementSegment[] {
  const count = reader.count("element segments", { max: limits.elementSegments, itemBytesMin: 2 });
  return Array.from({ length: count }, () => readElement(reader, limits));
}

function readElement(reader: ByteReader, limits: DecodeLimits): ElementSegment {
  const offset = reader.position;
  const form = reader.u32("the form of an element segment");
  if (form > 7) {
    throw wasmErrors.malformed({
      offset,
      what: "the form of an element segment",
      found: form,
      allowed: "0 to 7",
    });
  }
  const mode = readMode(reader, form, limits);
  const type = readElementType(reader, form);
  const max = limits.segmentElements;
  const count = reader.count("elements", { max });
  const elements =
    form & expressions
      ? Array.from({ length: count }, () => readConstExpr(reader, limits))
      : Array.from({ length: count }, () => reader.u32("a function index"));
  return { mode, type, elements, form };
}

function readMode(reader: ByteReader, form: number, limits: DecodeLimits): ElementSegment["mode"] {
  if (form & notActive) return { kind: form & second ? "declarative" : "passive" };
  const table = form & second ? reader.u32("a table index") : 0;
  return { kind: "active", table, offset: readConstExpr(reader, limits) };
}

function readElementType(reader: ByteReader, form: number): RefType {
  if ((form & (notActive | second)) === 0) return funcref;
  if (form & expressions) return readRefType(reader);
  const offset = reader.position;
  const kind = reader.byte("an element kind");
  if (kind !== 0) throw wasmErrors.malformed({ offset, what: "an element kind", found: kind, allowed: "0" });
  return { isNullable: false, heap: "func" };
}

export function writeElements(writer: ByteWriter, segments: readonly ElementSegment[]): void {
  writer.vector(segments, (to, { mode, type, elements, form }) => {
    to.u32(form);
    if (mode.kind === "active") {
      if (form & second) to.u32(mode.table);
      to.raw(mode.offset.bytes);
    }
    if (form & (notActive | second)) {
      if (form & expressions) writeRefType(to, type);
      else to.byte(0);
    }
    to.vector<number | ConstExpr>(elements, (each, element) => {
      if (typeof element === "number") each.u32(element);
      else each.raw(element.bytes);
    });
  });
}
