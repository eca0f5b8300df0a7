/**
 * An event that arrived as XML. It stays the bytes that it was: what a position filter needs is read when it is
 * made, text when first asked for, the detail only to write the event in the other form. Making one validates all
 * of it, so that reading never fails and whatever is forwarded is whole.
 */

import { takErrors } from "../errors.ts";
import type { EventFields } from "./event-fields.ts";
import type { CotFormat, CotMessage } from "./message.ts";
import { parseDecimal } from "./number.ts";
import { isLat, isLon, knownMetres, LAT_ALLOWED, LON_ALLOWED } from "./point.ts";
import { parseIsoTime, TIME_MS_MAX } from "./time.ts";
import { divideDetail } from "./typed-detail.ts";
import { writeTakMessage } from "./write-event.ts";
import { FIELD, type FieldName } from "./xml-fields.ts";
import type { XmlScanner } from "./xml-scanner.ts";
import { readValue, showBytes } from "./xml-text.ts";

const TIME_ALLOWED = "an ISO 8601 date and time from 1970 to 9999";
const END_TAG_LENGTH = "</event>".length;

export class XmlEvent implements CotMessage {
  readonly format = "xml";
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
  /** As in the scanner: fields whose text is not what stands there. */
  readonly #notPlain: number;
  readonly #typeStart: number;
  readonly #typeEnd: number;
  readonly #uidStart: number;
  readonly #uidEnd: number;
  readonly #timeStart: number;
  readonly #timeEnd: number;
  readonly #howStart: number;
  readonly #howEnd: number;
  readonly #callsignStart: number;
  readonly #callsignEnd: number;
  readonly #groupNameStart: number;
  readonly #groupNameEnd: number;
  readonly #groupRoleStart: number;
  readonly #groupRoleEnd: number;
  #type: string | undefined;
  #uid: string | undefined;
  #time: string | undefined;
  #xmlBytes: Uint8Array | undefined;
  #protobufBytes: Uint8Array | undefined;

  /**
   * @param scanner Has just scanned this event with success.
   * @param base    What to add to an offset for an error, to name its place in the stream.
   * @throws tak/field-missing, tak/field-invalid
   */
  constructor(scanner: XmlScanner, place: { bytes: Buffer; start: number; end: number; base: number }) {
    const { bytes, start, end, base } = place;
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.#scanner = scanner;
    this.#notPlain = scanner.notPlain;
    const spans = scanner.spans;

    if (!scanner.hasPoint) throw takErrors["field-missing"]({ field: "point", at: base + start });
    this.#typeStart = spans[FIELD.type * 2] as number;
    this.#typeEnd = spans[FIELD.type * 2 + 1] as number;
    this.#uidStart = spans[FIELD.uid * 2] as number;
    this.#uidEnd = spans[FIELD.uid * 2 + 1] as number;
    if (this.#typeStart === this.#typeEnd)
      throw takErrors["field-missing"]({ field: "type", at: base + start });
    if (this.#uidStart === this.#uidEnd) throw takErrors["field-missing"]({ field: "uid", at: base + start });

    this.timeMs = this.#readTime("time", spans, base);
    this.startMs = this.#readTime("start", spans, base);
    this.staleMs = this.#readTime("stale", spans, base);
    this.lat = this.#readNumber("lat", spans, base);
    this.lon = this.#readNumber("lon", spans, base);
    if (!isLat(this.lat)) throw this.#invalid("lat", LAT_ALLOWED, spans, base);
    if (!isLon(this.lon)) throw this.#invalid("lon", LON_ALLOWED, spans, base);
    this.hae = this.#readMetres("hae", spans, base);
    this.ce = this.#readMetres("ce", spans, base);
    this.le = this.#readMetres("le", spans, base);

    this.#timeStart = spans[FIELD.time * 2] as number;
    this.#timeEnd = spans[FIELD.time * 2 + 1] as number;
    this.#howStart = spans[FIELD.how * 2] as number;
    this.#howEnd = spans[FIELD.how * 2 + 1] as number;
    this.#callsignStart = spans[FIELD.callsign * 2] as number;
    this.#callsignEnd = spans[FIELD.callsign * 2 + 1] as number;
    this.#groupNameStart = spans[FIELD.groupName * 2] as number;
    this.#groupNameEnd = spans[FIELD.groupName * 2 + 1] as number;
    this.#groupRoleStart = spans[FIELD.groupRole * 2] as number;
    this.#groupRoleEnd = spans[FIELD.groupRole * 2 + 1] as number;
    // The stream's other readers look for `</event>` as it is, without the space that XML allows in it.
    if (end - scanner.endTagStart !== END_TAG_LENGTH) {
      this.#xmlBytes = Buffer.concat([bytes.subarray(start, scanner.endTagStart), Buffer.from("</event>")]);
    }
  }

  get type(): string {
    this.#type ??= this.#text(FIELD.type, this.#typeStart, this.#typeEnd);
    return this.#type;
  }
  get uid(): string {
    this.#uid ??= this.#text(FIELD.uid, this.#uidStart, this.#uidEnd);
    return this.#uid;
  }
  get how(): string {
    return this.#text(FIELD.how, this.#howStart, this.#howEnd);
  }
  get time(): string {
    this.#time ??= this.#text(FIELD.time, this.#timeStart, this.#timeEnd);
    return this.#time;
  }
  get callsign(): string | undefined {
    return this.#text(FIELD.callsign, this.#callsignStart, this.#callsignEnd) || undefined;
  }
  get groupName(): string | undefined {
    return this.#text(FIELD.groupName, this.#groupNameStart, this.#groupNameEnd) || undefined;
  }
  get groupRole(): string | undefined {
    return this.#text(FIELD.groupRole, this.#groupRoleStart, this.#groupRoleEnd) || undefined;
  }

  bytes(format: CotFormat): Uint8Array {
    if (format === "xml") {
      this.#xmlBytes ??= this.#bytes.subarray(this.#start, this.#end);
      return this.#xmlBytes;
    }
    this.#protobufBytes ??= this.#writeProtobuf();
    return this.#protobufBytes;
  }

  xml(): string {
    return this.#bytes.toString("utf8", this.#start, this.#end);
  }

  #writeProtobuf(): Uint8Array {
    const scanner = this.#scanner;
    const children = scanner.scanChildrenOfEvent(this.#bytes, this.#start, this.#end);
    const content = { start: scanner.detailStart, end: scanner.detailEnd };
    const optional = (name: FieldName) =>
      this.#text(FIELD[name], scanner.spans[FIELD[name] * 2] ?? 0, scanner.spans[FIELD[name] * 2 + 1] ?? 0);
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
      access: optional("access"),
      qos: optional("qos"),
      opex: optional("opex"),
    };
    return writeTakMessage(fields, divideDetail(this.#bytes, children, content));
  }

  #text(field: number, start: number, end: number): string {
    if (start === end) return "";
    return readValue(this.#bytes, start, end, ((this.#notPlain >> field) & 1) === 0);
  }

  #readTime(name: "time" | "start" | "stale", spans: Int32Array, base: number): number {
    const start = spans[FIELD[name] * 2] as number;
    const ms = parseIsoTime(this.#bytes, start, spans[FIELD[name] * 2 + 1] as number);
    if (ms >= 0 && ms <= TIME_MS_MAX) return ms;
    throw this.#invalid(name, TIME_ALLOWED, spans, base);
  }

  #readNumber(name: "lat" | "lon", spans: Int32Array, base: number): number {
    const start = spans[FIELD[name] * 2] as number;
    if (start === 0) throw takErrors["field-missing"]({ field: name, at: base + this.#start });
    return parseDecimal(this.#bytes, start, spans[FIELD[name] * 2 + 1] as number);
  }

  #readMetres(name: "hae" | "ce" | "le", spans: Int32Array, base: number): number | undefined {
    const start = spans[FIELD[name] * 2] as number;
    const end = spans[FIELD[name] * 2 + 1] as number;
    if (start === end) return undefined;
    const value = parseDecimal(this.#bytes, start, end);
    if (
      Number.isNaN(value) &&
      !/^[-+]?(nan|inf|infinity)$/i.test(this.#bytes.toString("latin1", start, Math.min(end, start + 16)))
    ) {
      throw this.#invalid(name, "a number of metres", spans, base);
    }
    return knownMetres(value);
  }

  #invalid(field: FieldName, allowed: string, spans: Int32Array, base: number): Error {
    const start = spans[FIELD[field] * 2] as number;
    if (start === 0) return takErrors["field-missing"]({ field, at: base + this.#start });
    const found = showBytes(this.#bytes, start, spans[FIELD[field] * 2 + 1] as number);
    return takErrors["field-invalid"]({ field, found, allowed, at: base + this.#start });
  }
}
