/**
 * An event that arrived as TAK protocol v1. Like its sibling for XML it stays the bytes that it was, is validated as
 * a whole when it is made, and reads its detail only on demand.
 */

import { BinaryReader } from "@bufbuild/protobuf/wire";
import { takErrors } from "../errors.ts";
import { asBuffer } from "./as-buffer.ts";
import type { EventFields } from "./event-fields.ts";
import type { CotFormat, CotMessage } from "./message.ts";
import { isLat, isLon, knownMetres, LAT_ALLOWED, LON_ALLOWED } from "./point.ts";
import type { TakControl, TakMessageReader } from "./tak-message.ts";
import { readText } from "./text-cache.ts";
import { formatIsoTime, TIME_MS_MAX } from "./time.ts";
import { joinDetail, readDetail, TYPED_ELEMENTS } from "./typed-detail.ts";
import { writeXml } from "./write-event.ts";
import { xmlError } from "./xml-error.ts";
import { FIELD } from "./xml-fields.ts";
import { FAILED } from "./xml-markup.ts";
import type { XmlScanner } from "./xml-scanner.ts";
import { readValue } from "./xml-text.ts";

export class ProtobufEvent implements CotMessage {
  readonly format = "protobuf";
  readonly timeMs: number;
  readonly startMs: number;
  readonly staleMs: number;
  readonly lat: number;
  readonly lon: number;
  readonly hae: number | undefined;
  readonly ce: number | undefined;
  readonly le: number | undefined;

  readonly #bytes: Buffer;
  readonly #start: number;
  readonly #end: number;
  readonly #scanner: XmlScanner;
  readonly #hasControl: boolean;
  readonly #eventStart: number;
  readonly #eventEnd: number;
  readonly #typeStart: number;
  readonly #typeEnd: number;
  readonly #uidStart: number;
  readonly #uidEnd: number;
  readonly #howStart: number;
  readonly #howEnd: number;
  readonly #accessStart: number;
  readonly #accessEnd: number;
  readonly #qosStart: number;
  readonly #qosEnd: number;
  readonly #opexStart: number;
  readonly #opexEnd: number;
  readonly #detailStart: number;
  readonly #detailEnd: number;
  /** Where callsign, group and role stand, be it in their messages or in xmlDetail, which wins. */
  readonly #callsignStart: number;
  readonly #callsignEnd: number;
  readonly #isContactXml: boolean;
  readonly #groupNameStart: number;
  readonly #groupNameEnd: number;
  readonly #groupRoleStart: number;
  readonly #groupRoleEnd: number;
  readonly #isGroupXml: boolean;
  #type: string | undefined;
  #uid: string | undefined;
  #time: string | undefined;
  #xmlBytes: Buffer | undefined;
  #protobufBytes: Uint8Array | undefined;

  /**
   * @param reader Has just read this message, found an event, and not in pieces.
   * @throws tak/field-missing, tak/field-invalid, tak/xml-…
   */
  constructor(
    reader: TakMessageReader,
    scanner: XmlScanner,
    place: { bytes: Buffer; start: number; end: number; base: number },
  ) {
    const { bytes, start, end, base } = place;
    const at = base + start;
    if (reader.typeStart === reader.typeEnd) throw takErrors["field-missing"]({ field: "type", at });
    if (reader.uidStart === reader.uidEnd) throw takErrors["field-missing"]({ field: "uid", at });
    if (!isLat(reader.lat)) throw invalid("lat", reader.lat, LAT_ALLOWED, at);
    if (!isLon(reader.lon)) throw invalid("lon", reader.lon, LON_ALLOWED, at);
    if (reader.timeMs > TIME_MS_MAX) throw invalid("sendTime", reader.timeMs, TIME_ALLOWED, at);
    if (reader.startMs > TIME_MS_MAX) throw invalid("startTime", reader.startMs, TIME_ALLOWED, at);
    if (reader.staleMs > TIME_MS_MAX) throw invalid("staleTime", reader.staleMs, TIME_ALLOWED, at);
    const hasXml = reader.xmlDetailEnd > reader.xmlDetailStart;
    // What cannot stand in a detail element would break the XML stream of whoever gets this event as XML.
    if (hasXml && scanner.scanDetail(bytes, reader.xmlDetailStart, reader.xmlDetailEnd) === FAILED) {
      throw xmlError(scanner, base);
    }
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.#scanner = scanner;
    this.#hasControl = reader.hasControl;
    this.#eventStart = reader.eventStart;
    this.#eventEnd = reader.eventEnd;
    this.#typeStart = reader.typeStart;
    this.#typeEnd = reader.typeEnd;
    this.#uidStart = reader.uidStart;
    this.#uidEnd = reader.uidEnd;
    this.#howStart = reader.howStart;
    this.#howEnd = reader.howEnd;
    this.#accessStart = reader.accessStart;
    this.#accessEnd = reader.accessEnd;
    this.#qosStart = reader.qosStart;
    this.#qosEnd = reader.qosEnd;
    this.#opexStart = reader.opexStart;
    this.#opexEnd = reader.opexEnd;
    this.#detailStart = reader.detailStart;
    this.#detailEnd = reader.detailEnd;
    const { spans } = scanner;
    this.#isContactXml = hasXml && scanner.hasContact;
    this.#callsignStart = this.#isContactXml ? (spans[FIELD.callsign * 2] as number) : reader.callsignStart;
    this.#callsignEnd = this.#isContactXml ? (spans[FIELD.callsign * 2 + 1] as number) : reader.callsignEnd;
    this.#isGroupXml = hasXml && scanner.hasGroup;
    this.#groupNameStart = this.#isGroupXml ? (spans[FIELD.groupName * 2] as number) : reader.groupNameStart;
    this.#groupNameEnd = this.#isGroupXml ? (spans[FIELD.groupName * 2 + 1] as number) : reader.groupNameEnd;
    this.#groupRoleStart = this.#isGroupXml ? (spans[FIELD.groupRole * 2] as number) : reader.groupRoleStart;
    this.#groupRoleEnd = this.#isGroupXml ? (spans[FIELD.groupRole * 2 + 1] as number) : reader.groupRoleEnd;
    this.timeMs = reader.timeMs;
    this.startMs = reader.startMs;
    this.staleMs = reader.staleMs;
    this.lat = reader.lat;
    this.lon = reader.lon;
    this.hae = knownMetres(reader.hae);
    this.ce = knownMetres(reader.ce);
    this.le = knownMetres(reader.le);
  }

  get type(): string {
    this.#type ??= this.#text(this.#typeStart, this.#typeEnd);
    return this.#type;
  }
  get uid(): string {
    this.#uid ??= this.#text(this.#uidStart, this.#uidEnd);
    return this.#uid;
  }
  get how(): string {
    return this.#text(this.#howStart, this.#howEnd);
  }
  get time(): string {
    this.#time ??= formatIsoTime(this.timeMs);
    return this.#time;
  }
  get callsign(): string | undefined {
    return this.#detailText(this.#callsignStart, this.#callsignEnd, this.#isContactXml);
  }
  get groupName(): string | undefined {
    return this.#detailText(this.#groupNameStart, this.#groupNameEnd, this.#isGroupXml);
  }
  get groupRole(): string | undefined {
    return this.#detailText(this.#groupRoleStart, this.#groupRoleEnd, this.#isGroupXml);
  }

  bytes(format: CotFormat): Uint8Array {
    if (format === "xml") {
      this.#xmlBytes ??= this.#writeXml();
      return this.#xmlBytes;
    }
    this.#protobufBytes ??= this.#hasControl
      ? this.#withoutControl()
      : this.#bytes.subarray(this.#start, this.#end);
    return this.#protobufBytes;
  }

  xml(): string {
    return Buffer.from(this.bytes("xml")).toString("utf8");
  }

  /** What the sender says of its protocol versions is for us, not for those to whom we forward the event. */
  #withoutControl(): Uint8Array {
    const length = this.#eventEnd - this.#eventStart;
    const header = [0x12];
    for (let left = length; ; left >>>= 7) {
      header.push(left < 0x80 ? left : (left & 0x7f) | 0x80);
      if (left < 0x80) break;
    }
    return Buffer.concat([Buffer.from(header), this.#bytes.subarray(this.#eventStart, this.#eventEnd)]);
  }

  #writeXml(): Buffer {
    const divided = readDetail(this.#bytes.subarray(this.#detailStart, this.#detailEnd));
    const xml = asBuffer(divided.xmlDetail);
    const fields: EventFields = {
      type: this.type,
      uid: this.uid,
      how: this.how,
      timeMs: this.timeMs,
      startMs: this.startMs,
      staleMs: this.staleMs,
      lat: this.lat,
      lon: this.lon,
      hae: this.hae,
      ce: this.ce,
      le: this.le,
      access: this.#text(this.#accessStart, this.#accessEnd),
      qos: this.#text(this.#qosStart, this.#qosEnd),
      opex: this.#text(this.#opexStart, this.#opexEnd),
    };
    const typed = joinDetail(divided, typedElementsIn(xml, this.#scanner));
    return writeXml(fields, typed + xml.toString("utf8"));
  }

  #text(start: number, end: number): string {
    return start === end ? "" : readText(this.#bytes, start, end);
  }

  #detailText(start: number, end: number, isXml: boolean): string | undefined {
    if (start === end) return undefined;
    return isXml ? readValue(this.#bytes, start, end, false) : this.#text(start, end);
  }
}

const TIME_ALLOWED = `milliseconds since 1970, up to ${TIME_MS_MAX}`;

function invalid(field: string, found: number, allowed: string, at: number): Error {
  return takErrors["field-invalid"]({ field, found: String(found), allowed, at });
}

/** The typed elements that stand in xmlDetail all the same. */
function typedElementsIn(xml: Buffer, scanner: XmlScanner): ReadonlySet<string> {
  const children = xml.length === 0 ? [] : scanner.scanChildrenOfDetail(xml, 0, xml.length);
  const names = children.map(({ nameStart, nameEnd }) => readText(xml, nameStart, nameEnd));
  return new Set(names.filter((name) => TYPED_ELEMENTS.some(({ element }) => element === name)));
}

/** Reads a TakControl message that is known to be well formed. A version that is not filled in means 1. */
export function readControl(bytes: Uint8Array): TakControl {
  let versionMin = 1;
  let versionMax = 1;
  let contactUid = "";
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (number === 1) versionMin = reader.uint32() || 1;
    else if (number === 2) versionMax = reader.uint32() || 1;
    else if (number === 3) contactUid = reader.string();
    else reader.skip(wireType, number);
  }
  return { versionMin, versionMax, contactUid };
}
