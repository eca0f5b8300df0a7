/**
 * The six elements of the detail that TAK protocol v1 carries as messages of their own (detail.proto). An element
 * moves there only as a whole: once in the detail, nothing inside it, no attribute that the message lacks, none
 * missing that it needs. All others stay in `xmlDetail` as they were written.
 */

import { BinaryReader, type BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { formatDecimal, parseDecimal } from "./number.ts";
import { readText } from "./text-cache.ts";
import type { ChildSpan } from "./xml-scanner.ts";
import { escapeValue, readLeaf } from "./xml-text.ts";

interface TypedField {
  readonly attribute: string;
  readonly number: number;
  readonly kind: "string" | "uint32" | "double";
  readonly isOptional?: true;
}

interface TypedElement {
  readonly element: string;
  /** The field's number in Detail. */
  readonly number: number;
  readonly fields: readonly TypedField[];
}

const CONTACT_FIELDS: readonly TypedField[] = [
  { attribute: "endpoint", number: 1, kind: "string", isOptional: true },
  { attribute: "callsign", number: 2, kind: "string" },
];
const GROUP_FIELDS: readonly TypedField[] = [
  { attribute: "name", number: 1, kind: "string" },
  { attribute: "role", number: 2, kind: "string" },
];
const PRECISION_FIELDS: readonly TypedField[] = [
  { attribute: "geopointsrc", number: 1, kind: "string" },
  { attribute: "altsrc", number: 2, kind: "string" },
];
const TAKV_FIELDS: readonly TypedField[] = [
  { attribute: "device", number: 1, kind: "string" },
  { attribute: "platform", number: 2, kind: "string" },
  { attribute: "os", number: 3, kind: "string" },
  { attribute: "version", number: 4, kind: "string" },
];
const TRACK_FIELDS: readonly TypedField[] = [
  { attribute: "speed", number: 1, kind: "double" },
  { attribute: "course", number: 2, kind: "double" },
];

export const TYPED_ELEMENTS: readonly TypedElement[] = [
  { element: "contact", number: 2, fields: CONTACT_FIELDS },
  { element: "__group", number: 3, fields: GROUP_FIELDS },
  { element: "precisionlocation", number: 4, fields: PRECISION_FIELDS },
  { element: "status", number: 5, fields: [{ attribute: "battery", number: 1, kind: "uint32" }] },
  { element: "takv", number: 6, fields: TAKV_FIELDS },
  { element: "track", number: 7, fields: TRACK_FIELDS },
];

/** The values of one typed element, in the order of its fields. */
export type TypedValues = readonly (string | number)[];

/** What a detail holds, as the protocol divides it; typed elements by their number in Detail. */
export interface DividedDetail {
  readonly typed: ReadonlyMap<number, TypedValues>;
  readonly xmlDetail: Uint8Array;
}

/**
 * Divides a detail for the protocol.
 *
 * @param children The children of the detail, from a scan of these bytes.
 * @param content  Where the content of the detail stands.
 */
export function divideDetail(
  bytes: Buffer,
  children: readonly ChildSpan[],
  content: { readonly start: number; readonly end: number },
): DividedDetail {
  const typed = new Map<number, TypedValues>();
  const moved = new Set<ChildSpan>();
  const names = children.map(({ nameStart, nameEnd }) => readText(bytes, nameStart, nameEnd));
  for (const { element, number, fields } of TYPED_ELEMENTS) {
    const index = names.indexOf(element);
    const only = children[index];
    if (only === undefined || names.indexOf(element, index + 1) !== -1) continue;
    const values = valuesOf(readLeaf(bytes, only.nameEnd, only.end), fields);
    if (values === undefined) continue;
    typed.set(number, values);
    moved.add(only);
  }
  return { typed, xmlDetail: without(bytes, moved, content) };
}

function valuesOf(
  attributes: ReadonlyMap<string, string> | undefined,
  fields: readonly TypedField[],
): TypedValues | undefined {
  if (attributes === undefined) return undefined;
  const values: (string | number)[] = [];
  let used = 0;
  for (const { attribute, kind, isOptional } of fields) {
    const text = attributes.get(attribute);
    if (text === undefined) {
      if (!isOptional) return undefined;
      values.push("");
      continue;
    }
    // An empty optional attribute would read back as absent.
    if (isOptional && text === "") return undefined;
    const value = kind === "string" ? text : parseNumber(text, kind);
    if (value === undefined) return undefined;
    values.push(value);
    used++;
  }
  return used === attributes.size ? values : undefined;
}

function parseNumber(text: string, kind: "uint32" | "double"): number | undefined {
  const bytes = Buffer.from(text, "utf8");
  const value = parseDecimal(bytes, 0, bytes.length);
  if (Number.isNaN(value) || (value === 0 && text.startsWith("-"))) return undefined;
  if (kind === "uint32" && !(Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff)) return undefined;
  return value;
}

function without(
  bytes: Buffer,
  moved: ReadonlySet<ChildSpan>,
  content: { readonly start: number; readonly end: number },
): Uint8Array {
  const kept: Buffer[] = [];
  let at = content.start;
  for (const child of [...moved].sort((a, b) => a.start - b.start)) {
    kept.push(bytes.subarray(at, child.start));
    at = child.end;
  }
  kept.push(bytes.subarray(at, content.end));
  const left = Buffer.concat(kept);
  // Sending rule 2 of detail.proto: white space between elements is no data.
  return left.every((byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)) ? left.subarray(0, 0) : left;
}

/** Writes the fields of a Detail message. */
export function writeDetail(writer: BinaryWriter, detail: DividedDetail): void {
  if (detail.xmlDetail.length > 0) writer.tag(1, WireType.LengthDelimited).bytes(detail.xmlDetail);
  for (const { number, fields } of TYPED_ELEMENTS) {
    const values = detail.typed.get(number);
    if (values === undefined) continue;
    writer.tag(number, WireType.LengthDelimited).fork();
    fields.forEach((field, index) => {
      writeField(writer, field, values[index] ?? "");
    });
    writer.join();
  }
}

function writeField(writer: BinaryWriter, field: TypedField, value: string | number): void {
  // proto3: what has its default value is not written.
  if (value === "" || value === 0) return;
  if (typeof value === "string") writer.tag(field.number, WireType.LengthDelimited).string(value);
  else if (field.kind === "uint32") writer.tag(field.number, WireType.Varint).uint32(value);
  else writer.tag(field.number, WireType.Bit64).double(value);
}

/** Reads a Detail message that is known to be well formed. */
export function readDetail(bytes: Uint8Array): DividedDetail {
  const typed = new Map<number, TypedValues>();
  let xmlDetail: Uint8Array = new Uint8Array();
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const element = TYPED_ELEMENTS.find((candidate) => candidate.number === number);
    if (number === 1) xmlDetail = reader.bytes();
    else if (element === undefined) reader.skip(wireType, number);
    else typed.set(number, readFields(reader.bytes(), element.fields, typed.get(number)));
  }
  return { typed, xmlDetail };
}

function readFields(
  bytes: Uint8Array,
  fields: readonly TypedField[],
  earlier: TypedValues | undefined,
): TypedValues {
  // A message that comes twice is merged, field by field.
  const values = earlier?.slice() ?? fields.map((field) => (field.kind === "string" ? "" : 0));
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const index = fields.findIndex((field) => field.number === number);
    const kind = fields[index]?.kind;
    if (kind === undefined) reader.skip(wireType, number);
    else
      values[index] =
        kind === "string" ? reader.string() : kind === "uint32" ? reader.uint32() : reader.double();
  }
  return values;
}

/** The content of the detail element: the typed elements, except those that `xmlDetail` has too, and the rest. */
export function joinDetail(detail: DividedDetail, elementsInXml: ReadonlySet<string>): string {
  let xml = "";
  for (const { element, number, fields } of TYPED_ELEMENTS) {
    const values = detail.typed.get(number);
    // Receiving rule 5 of detail.proto: what stands in xmlDetail wins.
    if (values === undefined || elementsInXml.has(element)) continue;
    xml += `<${element}`;
    fields.forEach((field, index) => {
      const value = values[index] ?? "";
      if (field.isOptional && value === "") return;
      const text = typeof value === "number" ? formatDecimal(value) : escapeValue(value);
      xml += ` ${field.attribute}="${text}"`;
    });
    xml += "/>";
  }
  return xml;
}
