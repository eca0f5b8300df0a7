/** From the bytes of one message to an event, with the scanner and the reader that messages in a row share. */

import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { takErrors } from "../errors.ts";
import { asBuffer } from "./as-buffer.ts";
import type { EventFields } from "./event-fields.ts";
import { type CotLimits, cotLimits } from "./limits.ts";
import type { CotMessage } from "./message.ts";
import { ProtobufEvent, readControl } from "./protobuf-event.ts";
import { type TakControl, TakMessageReader } from "./tak-message.ts";
import { writeXml } from "./write-event.ts";
import { passSpace, startsWith } from "./xml-characters.ts";
import { xmlError } from "./xml-error.ts";
import { XmlEvent } from "./xml-event.ts";
import { FAILED, INCOMPLETE } from "./xml-markup.ts";
import { XmlScanner } from "./xml-scanner.ts";

/** What one message of the TAK protocol holds: either, both or nothing. */
export interface TakMessage {
  readonly event: CotMessage | undefined;
  readonly control: TakControl | undefined;
}

export class EventDecoder {
  readonly limits: CotLimits;
  readonly scanner: XmlScanner;
  readonly #reader = new TakMessageReader();

  constructor(limits: CotLimits) {
    this.limits = limits;
    this.scanner = new XmlScanner(limits);
  }

  /** The event that `scanner` has just scanned with success. */
  makeXmlEvent(bytes: Buffer, start: number, end: number, base: number): CotMessage {
    return new XmlEvent(this.scanner, { bytes, start, end, base });
  }

  /**
   * Reads a TakMessage.
   *
   * @throws tak/protobuf-malformed, tak/field-missing, tak/field-invalid, tak/xml-… (its xmlDetail)
   */
  readTakMessage(bytes: Buffer, start: number, end: number, base: number): TakMessage {
    const reader = this.#reader;
    reader.read(bytes, start, end, base);
    const control = reader.hasControl
      ? readControl(bytes.subarray(reader.controlStart, reader.controlEnd))
      : undefined;
    if (!reader.hasEvent) return { event: undefined, control };
    if (!reader.isInPieces) {
      return { event: new ProtobufEvent(reader, this.scanner, { bytes, start, end, base }), control };
    }
    const joined = joinPieces(bytes.subarray(start, end));
    reader.read(joined, 0, joined.length, base + start);
    const place = { bytes: joined, start: 0, end: joined.length, base: base + start };
    return { event: new ProtobufEvent(reader, this.scanner, place), control };
  }

  /**
   * Reads an event that stands alone, with or without an XML declaration before it.
   *
   * @throws tak/xml-…, tak/field-missing, tak/field-invalid, tak/event-too-large, tak/stream-cut
   */
  readXml(bytes: Buffer): CotMessage {
    const start = passProlog(bytes);
    if (bytes.length - start > this.limits.eventBytesMax) {
      throw takErrors["event-too-large"]({
        sizeBytes: bytes.length - start,
        sizeBytesMax: this.limits.eventBytesMax,
        at: start,
      });
    }
    const end = this.scanner.scanEvent(bytes, start, bytes.length);
    if (end === FAILED) throw xmlError(this.scanner, 0);
    if (end === INCOMPLETE) throw takErrors["stream-cut"]({ at: start, sizeBytes: bytes.length - start });
    const rest = passSpace(bytes, end, bytes.length);
    if (rest !== bytes.length) throw takErrors["xml-malformed"]({ found: "more behind the event", at: rest });
    return this.makeXmlEvent(bytes, start, end, 0);
  }
}

/**
 * Reads one message, in XML or as a TakMessage, whichever it is.
 *
 * @param bytes Without framing. Kept, not copied: it must not change afterwards.
 * @throws tak/…  what is wrong with it, and where
 */
export function readMessage(bytes: Uint8Array, limits: CotLimits = cotLimits()): CotMessage {
  const buffer = asBuffer(bytes);
  const decoder = new EventDecoder(limits);
  if (beginsAsXml(buffer)) return decoder.readXml(buffer);
  if (buffer.length > limits.eventBytesMax) {
    const sizes = { sizeBytes: buffer.length, sizeBytesMax: limits.eventBytesMax };
    throw takErrors["event-too-large"]({ ...sizes, at: 0 });
  }
  const { event } = decoder.readTakMessage(buffer, 0, buffer.length, 0);
  if (event === undefined) throw takErrors["field-missing"]({ field: "cotEvent", at: 0 });
  return event;
}

/**
 * Makes an event.
 *
 * @param detail The content of the detail element, as XML.
 * @throws tak/…  what is wrong with the fields or the detail
 */
export function createMessage(
  fields: Partial<EventFields> & Pick<EventFields, "type" | "uid" | "lat" | "lon" | "timeMs" | "staleMs">,
  detail = "",
): CotMessage {
  const whole: EventFields = {
    how: "m-g",
    startMs: fields.timeMs,
    hae: undefined,
    ce: undefined,
    le: undefined,
    access: "",
    qos: "",
    opex: "",
    ...fields,
  };
  return readMessage(writeXml(whole, detail));
}

// A TakMessage may begin with 0a, a line end for XML, and then with any length; but behind that stands a small tag.
function beginsAsXml(bytes: Buffer): boolean {
  if (startsWithMark(bytes)) return true;
  const at = passSpace(bytes, 0, bytes.length);
  return bytes[at] === 0x3c && (bytes[at + 1] ?? 0) > 0x20;
}

function passProlog(bytes: Buffer): number {
  let at = startsWithMark(bytes) ? 3 : 0;
  at = passSpace(bytes, at, bytes.length);
  if (startsWith(bytes, at, bytes.length, "<?xml")) {
    const close = bytes.indexOf("?>", at);
    if (close === -1) throw takErrors["xml-malformed"]({ found: "a declaration without an end", at });
    at = passSpace(bytes, close + 2, bytes.length);
  }
  return at;
}

/** The byte order mark in UTF-8. */
function startsWithMark(bytes: Uint8Array): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}

/**
 * Encoding guide, "Last One Wins": an embedded message that comes in several pieces is their fields in a row, which
 * for the bytes means one piece behind the other.
 */
function joinPieces(bytes: Buffer): Buffer {
  const message = splitOff(bytes, 2);
  const event = splitOff(Buffer.concat(message.pieces), 15);
  const writer = new BinaryWriter().raw(Buffer.concat(message.rest)).tag(2, WireType.LengthDelimited).fork();
  writer.raw(Buffer.concat(event.rest));
  if (event.pieces.length > 0) writer.tag(15, WireType.LengthDelimited).bytes(Buffer.concat(event.pieces));
  return asBuffer(writer.join().finish());
}

function splitOff(bytes: Buffer, number: number): { pieces: Buffer[]; rest: Buffer[] } {
  const pieces: Buffer[] = [];
  const rest: Buffer[] = [];
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [found, wireType] = reader.tag();
    if (found === number) {
      pieces.push(asBuffer(reader.bytes()));
    } else {
      reader.skip(wireType, found);
      rest.push(bytes.subarray(start, reader.pos));
    }
  }
  return { pieces, rest };
}
