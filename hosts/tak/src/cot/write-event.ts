/**
 * An event written in each of the two forms, from its fields and its detail. That is all that the protocol has: other
 * attributes of the event, attributes of the detail element and elements beside it are forwarded in XML only.
 */

import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { EventFields } from "./event-fields.ts";
import { formatDecimal } from "./number.ts";
import { UNKNOWN_IN_PROTOBUF, UNKNOWN_IN_XML } from "./point.ts";
import { formatIsoTime } from "./time.ts";
import { type DividedDetail, writeDetail } from "./typed-detail.ts";
import { escapeValue } from "./xml-text.ts";

/**
 * The event as XML, without a declaration.
 *
 * @param detail The content of the detail element, as XML.
 */
export function writeXml(fields: EventFields, detail: string): Buffer {
  const attributes = [
    ["uid", fields.uid],
    ["type", fields.type],
    ["time", formatIsoTime(fields.timeMs)],
    ["start", formatIsoTime(fields.startMs)],
    ["stale", formatIsoTime(fields.staleMs)],
    ["how", fields.how],
    ["access", fields.access],
    ["qos", fields.qos],
    ["opex", fields.opex],
  ] as const;
  let xml = '<event version="2.0"';
  for (const [name, value] of attributes) if (value !== "") xml += ` ${name}="${escapeValue(value)}"`;
  xml += `><point lat="${formatDecimal(fields.lat)}" lon="${formatDecimal(fields.lon)}"`;
  xml += ` hae="${metres(fields.hae)}" ce="${metres(fields.ce)}" le="${metres(fields.le)}"/>`;
  xml += detail === "" ? "<detail/></event>" : `<detail>${detail}</detail></event>`;
  return Buffer.from(xml, "utf8");
}

function metres(value: number | undefined): string {
  return value === undefined ? UNKNOWN_IN_XML : formatDecimal(value);
}

let spareWriter: BinaryWriter | undefined;

/** The event as the payload of TAK protocol v1: a TakMessage (takmessage.proto, cotevent.proto). */
export function writeTakMessage(fields: EventFields, detail: DividedDetail): Uint8Array {
  // Its buffer has grown to what events need. One that an error has left halfway is not used again.
  const writer = spareWriter ?? new BinaryWriter();
  spareWriter = undefined;
  writer.tag(2, WireType.LengthDelimited).fork();
  writeString(writer, 1, fields.type);
  writeString(writer, 2, fields.access);
  writeString(writer, 3, fields.qos);
  writeString(writer, 4, fields.opex);
  writeString(writer, 5, fields.uid);
  writeTime(writer, 6, fields.timeMs);
  writeTime(writer, 7, fields.startMs);
  writeTime(writer, 8, fields.staleMs);
  writeString(writer, 9, fields.how);
  writeDouble(writer, 10, fields.lat);
  writeDouble(writer, 11, fields.lon);
  writeDouble(writer, 12, fields.hae ?? UNKNOWN_IN_PROTOBUF);
  writeDouble(writer, 13, fields.ce ?? UNKNOWN_IN_PROTOBUF);
  writeDouble(writer, 14, fields.le ?? UNKNOWN_IN_PROTOBUF);
  if (detail.typed.size > 0 || detail.xmlDetail.length > 0) {
    writer.tag(15, WireType.LengthDelimited).fork();
    writeDetail(writer, detail);
    writer.join();
  }
  const bytes = writer.join().finish();
  spareWriter = writer;
  return bytes;
}

function writeString(writer: BinaryWriter, number: number, value: string): void {
  if (value !== "") writer.tag(number, WireType.LengthDelimited).string(value);
}

function writeTime(writer: BinaryWriter, number: number, ms: number): void {
  if (ms !== 0) writer.tag(number, WireType.Varint).uint64(ms);
}

function writeDouble(writer: BinaryWriter, number: number, value: number): void {
  // -0 has a bit set and is not the default.
  if (value !== 0 || Object.is(value, -0)) writer.tag(number, WireType.Bit64).double(value);
}
