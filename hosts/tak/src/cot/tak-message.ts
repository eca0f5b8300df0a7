/**
 * The head of a TakMessage, read in one pass over its bytes (takmessage.proto, cotevent.proto; the wire as in the
 * Protocol Buffers encoding guide). Written out by hand because it runs for every message: the library's reader
 * makes a bigint for each time and a string for each text. Like the scan of XML, the pass proves all of the message
 * whole, so that nothing that is read or forwarded later can fail.
 */

import { takErrors } from "../errors.ts";
import { firstBadCharacter } from "./xml-characters.ts";

const VARINT = 0;
const BIT64 = 1;
const BYTES = 2;
const BIT32 = 5;

/** Announces which protocol versions its sender reads (takcontrol.proto). */
export interface TakControl {
  readonly versionMin: number;
  readonly versionMax: number;
  /** Empty where the event in the same message names it. */
  readonly contactUid: string;
}

/** Reads heads one after the other; the fields are those of the last, as offsets into its bytes. */
export class TakMessageReader {
  hasEvent = false;
  hasControl = false;
  eventStart = 0;
  eventEnd = 0;
  controlStart = 0;
  controlEnd = 0;
  /** Whether event or detail come in several pieces, which have to be joined before they can be read. */
  isInPieces = false;
  typeStart = 0;
  typeEnd = 0;
  uidStart = 0;
  uidEnd = 0;
  howStart = 0;
  howEnd = 0;
  accessStart = 0;
  accessEnd = 0;
  qosStart = 0;
  qosEnd = 0;
  opexStart = 0;
  opexEnd = 0;
  timeMs = 0;
  startMs = 0;
  staleMs = 0;
  lat = 0;
  lon = 0;
  hae = 0;
  ce = 0;
  le = 0;
  hasDetail = false;
  detailStart = 0;
  detailEnd = 0;
  xmlDetailStart = 0;
  xmlDetailEnd = 0;
  callsignStart = 0;
  callsignEnd = 0;
  groupNameStart = 0;
  groupNameEnd = 0;
  groupRoleStart = 0;
  groupRoleEnd = 0;

  #bytes: Buffer = Buffer.alloc(0);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  #base = 0;

  /**
   * @param base What to add to an offset for an error, to name its place in the stream.
   * @throws tak/protobuf-malformed
   */
  read(bytes: Buffer, start: number, end: number, base: number): void {
    this.#reset(bytes, start, base);
    while (this.#at < end) {
      const tag = this.#readUint32(end);
      if (tag === ((2 << 3) | BYTES)) {
        const length = this.#readLength(end);
        if (this.hasEvent) this.isInPieces = true;
        this.hasEvent = true;
        this.eventStart = this.#at;
        this.eventEnd = this.#at + length;
        this.#readEvent(this.eventEnd);
      } else if (tag === ((1 << 3) | BYTES)) {
        const length = this.#readLength(end);
        this.hasControl = true;
        this.controlStart = this.#at;
        this.controlEnd = this.#at + length;
        this.#passFields(this.controlEnd, CONTROL_KINDS);
      } else {
        this.#passUnknown(tag, end);
      }
    }
  }

  #reset(bytes: Buffer, start: number, base: number): void {
    // Many messages in a row stand in one chunk.
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    this.#at = start;
    this.#base = base;
    this.hasEvent = this.hasControl = this.isInPieces = this.hasDetail = false;
    this.typeStart = this.typeEnd = this.uidStart = this.uidEnd = this.howStart = this.howEnd = 0;
    this.accessStart = this.accessEnd = this.qosStart = this.qosEnd = this.opexStart = this.opexEnd = 0;
    this.timeMs = this.startMs = this.staleMs = 0;
    this.lat = this.lon = this.hae = this.ce = this.le = 0;
    this.detailStart = this.detailEnd = this.xmlDetailStart = this.xmlDetailEnd = 0;
    this.callsignStart = this.callsignEnd = 0;
    this.groupNameStart = this.groupNameEnd = this.groupRoleStart = this.groupRoleEnd = 0;
  }

  #readEvent(end: number): void {
    while (this.#at < end) {
      const tag = this.#readUint32(end);
      switch (tag) {
        case (1 << 3) | BYTES:
          this.typeEnd = this.#passText(end);
          this.typeStart = this.#textStart;
          break;
        case (2 << 3) | BYTES:
          this.accessEnd = this.#passText(end);
          this.accessStart = this.#textStart;
          break;
        case (3 << 3) | BYTES:
          this.qosEnd = this.#passText(end);
          this.qosStart = this.#textStart;
          break;
        case (4 << 3) | BYTES:
          this.opexEnd = this.#passText(end);
          this.opexStart = this.#textStart;
          break;
        case (5 << 3) | BYTES:
          this.uidEnd = this.#passText(end);
          this.uidStart = this.#textStart;
          break;
        case (6 << 3) | VARINT:
          this.timeMs = this.#readUint64(end);
          break;
        case (7 << 3) | VARINT:
          this.startMs = this.#readUint64(end);
          break;
        case (8 << 3) | VARINT:
          this.staleMs = this.#readUint64(end);
          break;
        case (9 << 3) | BYTES:
          this.howEnd = this.#passText(end);
          this.howStart = this.#textStart;
          break;
        case (10 << 3) | BIT64:
          this.lat = this.#readDouble(end);
          break;
        case (11 << 3) | BIT64:
          this.lon = this.#readDouble(end);
          break;
        case (12 << 3) | BIT64:
          this.hae = this.#readDouble(end);
          break;
        case (13 << 3) | BIT64:
          this.ce = this.#readDouble(end);
          break;
        case (14 << 3) | BIT64:
          this.le = this.#readDouble(end);
          break;
        case (15 << 3) | BYTES: {
          const length = this.#readLength(end);
          if (this.hasDetail) this.isInPieces = true;
          this.hasDetail = true;
          this.detailStart = this.#at;
          this.detailEnd = this.#at + length;
          this.#passDetail(this.detailEnd);
          break;
        }
        default:
          if (tag >>> 3 <= 15)
            throw this.#malformed(`field ${tag >>> 3} of the event with wire type ${tag & 7}`);
          this.#passUnknown(tag, end);
      }
    }
  }

  #passDetail(end: number): void {
    while (this.#at < end) {
      const tag = this.#readUint32(end);
      const number = tag >>> 3;
      if (tag === ((1 << 3) | BYTES)) {
        this.xmlDetailEnd = this.#passText(end);
        this.xmlDetailStart = this.#textStart;
      } else if (number >= 2 && number <= 7 && (tag & 7) === BYTES) {
        const fieldsEnd = this.#readLength(end) + this.#at;
        if (number === CONTACT) this.#passContact(fieldsEnd);
        else if (number === GROUP) this.#passGroup(fieldsEnd);
        else this.#passFields(fieldsEnd, DETAIL_KINDS[number] ?? []);
      } else if (number <= 7) {
        throw this.#malformed(`field ${number} of the detail with wire type ${tag & 7}`);
      } else {
        this.#passUnknown(tag, end);
      }
    }
  }

  #passContact(end: number): void {
    while (this.#at < end) {
      const tag = this.#readUint32(end);
      if (tag === ((2 << 3) | BYTES)) {
        this.callsignEnd = this.#passText(end);
        this.callsignStart = this.#textStart;
      } else {
        this.#passField(tag, end, CONTACT_KINDS);
      }
    }
  }

  #passGroup(end: number): void {
    while (this.#at < end) {
      const tag = this.#readUint32(end);
      if (tag === ((1 << 3) | BYTES)) {
        this.groupNameEnd = this.#passText(end);
        this.groupNameStart = this.#textStart;
      } else if (tag === ((2 << 3) | BYTES)) {
        this.groupRoleEnd = this.#passText(end);
        this.groupRoleStart = this.#textStart;
      } else {
        this.#passField(tag, end, GROUP_KINDS);
      }
    }
  }

  /** A message of plain fields, whose wire types stand at their numbers. */
  #passFields(end: number, kinds: readonly (number | undefined)[]): void {
    while (this.#at < end) this.#passField(this.#readUint32(end), end, kinds);
  }

  #passField(tag: number, end: number, kinds: readonly (number | undefined)[]): void {
    const kind = kinds[tag >>> 3];
    if (kind === undefined) this.#passUnknown(tag, end);
    else if (kind !== (tag & 7)) throw this.#malformed(`field ${tag >>> 3} with wire type ${tag & 7}`);
    else if (kind === BYTES) this.#passText(end);
    else if (kind === VARINT) this.#readUint64(end);
    else this.#readDouble(end);
  }

  #textStart = 0;

  #passText(end: number): number {
    const length = this.#readLength(end);
    const start = this.#at;
    const textEnd = start + length;
    this.#textStart = start;
    const bytes = this.#bytes;
    let at = start;
    // 20 to 7f, in one comparison.
    while (at < textEnd && ((bytes[at] as number) - 0x20) >>> 0 < 0x60) at++;
    if (at !== textEnd) {
      this.#at = firstBadCharacter(bytes, at, textEnd);
      if (this.#at !== textEnd)
        throw this.#malformed("a text with bytes that are no character of XML in UTF-8");
    }
    this.#at = textEnd;
    return textEnd;
  }

  /** Encoding guide: an unsigned varint; ours are tags and lengths, so more than 32 bits is an error. */
  #readUint32(end: number): number {
    if (this.#at < end) {
      const byte = this.#bytes[this.#at] as number;
      if (byte < 0x80) {
        this.#at++;
        return byte;
      }
    }
    const value = this.#readUint64(end);
    if (value > 0xffff_ffff) throw this.#malformed(`${value} where 32 bits are allowed`);
    return value;
  }

  #readLength(end: number): number {
    const length = this.#readUint32(end);
    if (length > end - this.#at) {
      throw this.#malformed(`a length of ${length} bytes where ${end - this.#at} are left`);
    }
    return length;
  }

  /** As a double: exact to 2^53, which all times and lengths of use are. */
  #readUint64(end: number): number {
    const low = this.#readGroups(end, 4);
    if (this.#isLastGroup) return low;
    const middle = this.#readGroups(end, 4);
    if (this.#isLastGroup) return low + middle * 2 ** 28;
    const high = this.#readGroups(end, 2);
    if (this.#isLastGroup) return low + middle * 2 ** 28 + high * 2 ** 56;
    throw this.#malformed("a varint of more than ten bytes");
  }

  #isLastGroup = false;

  /** Up to four groups of seven bits, which fit in a small integer. */
  #readGroups(end: number, countMax: number): number {
    const bytes = this.#bytes;
    let value = 0;
    for (let shift = 0; shift < 7 * countMax; shift += 7) {
      if (this.#at >= end) throw this.#malformed("an end inside of a varint");
      const byte = bytes[this.#at] as number;
      this.#at++;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.#isLastGroup = true;
        return value;
      }
    }
    this.#isLastGroup = false;
    return value;
  }

  #readDouble(end: number): number {
    if (end - this.#at < 8) throw this.#malformed("an end inside of a double");
    const value = this.#view.getFloat64(this.#at, true);
    this.#at += 8;
    return value;
  }

  /** A field that came after this version, which the protocol allows to be ignored. */
  #passUnknown(tag: number, end: number): void {
    if (tag >>> 3 === 0) throw this.#malformed("field number 0");
    switch (tag & 7) {
      case VARINT:
        this.#readUint64(end);
        return;
      case BIT64:
        this.#pass(8, end);
        return;
      case BIT32:
        this.#pass(4, end);
        return;
      case BYTES:
        this.#pass(this.#readLength(end), end);
        return;
      default:
        throw this.#malformed(`wire type ${tag & 7}`);
    }
  }

  #pass(length: number, end: number): void {
    if (end - this.#at < length) throw this.#malformed(`an end inside of a field of ${length} bytes`);
    this.#at += length;
  }

  #malformed(found: string): Error {
    return takErrors["protobuf-malformed"]({ found, at: this.#base + this.#at });
  }
}

// Numbers in Detail.
const CONTACT = 2;
const GROUP = 3;

// Wire types by field number.
const CONTROL_KINDS = [undefined, VARINT, VARINT, BYTES];
const CONTACT_KINDS = [undefined, BYTES, BYTES];
const GROUP_KINDS = [undefined, BYTES, BYTES];
// By the number in Detail: precisionLocation, status, takv, track.
const DETAIL_KINDS: readonly (readonly (number | undefined)[] | undefined)[] = [
  undefined,
  undefined,
  undefined,
  undefined,
  [undefined, BYTES, BYTES],
  [undefined, VARINT],
  [undefined, BYTES, BYTES, BYTES, BYTES],
  [undefined, BIT64, BIT64],
];
