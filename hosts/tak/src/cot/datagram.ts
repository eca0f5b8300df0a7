/**
 * One message in one datagram, as in a mesh: `BF <varint version> BF <payload>`, or a bare XML event, which counts as
 * version 0 (protocol.txt, "Generic Framework - Mesh Networks").
 */

import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { takErrors } from "../errors.ts";
import type { EventDecoder, TakMessage } from "./event-decoder.ts";
import type { CotFormat, CotMessage } from "./message.ts";
import { MAGIC } from "./stream-reader.ts";
import type { TakControl } from "./tak-message.ts";
import { showBytes } from "./xml-text.ts";

const HEADER = Buffer.of(MAGIC, 1, MAGIC);

/** What a datagram holds, and in which version of the protocol. */
export interface Datagram extends TakMessage {
  readonly version: 0 | 1;
}

/**
 * Reads a datagram.
 *
 * @throws tak/datagram-header, tak/version-unsupported, tak/event-too-large, and what a message can be wrong in
 */
export function readDatagram(decoder: EventDecoder, bytes: Buffer): Datagram {
  const sizes = { sizeBytes: bytes.length, sizeBytesMax: decoder.limits.eventBytesMax };
  if (sizes.sizeBytes > sizes.sizeBytesMax) throw takErrors["event-too-large"]({ ...sizes, at: 0 });
  if (bytes[0] === MAGIC) return { version: 1, ...readPayload(decoder, bytes) };
  if (/^(?:\xef\xbb\xbf)?\s*</.test(bytes.toString("latin1", 0, 64))) {
    return { version: 0, event: decoder.readXml(bytes), control: undefined };
  }
  throw takErrors["datagram-header"]({
    found: bytes.length === 0 ? "nothing" : showBytes(bytes, 0, bytes.length),
  });
}

function readPayload(decoder: EventDecoder, bytes: Buffer): TakMessage {
  let version = 0;
  for (let at = 1; at <= 10; at++) {
    const byte = bytes[at];
    if (byte === undefined) break;
    version += (byte & 0x7f) * 2 ** (7 * (at - 1));
    if (byte >= 0x80) continue;
    if (bytes[at + 1] !== MAGIC) break;
    if (version !== 1) throw takErrors["version-unsupported"]({ version });
    return decoder.readTakMessage(bytes, at + 2, bytes.length, 0);
  }
  throw takErrors["datagram-header"]({ found: bytes.toString("hex", 0, Math.min(bytes.length, 12)) });
}

/** The event as a datagram of version 0 or 1. */
export function writeDatagram(message: CotMessage, format: CotFormat): Uint8Array {
  const bytes = message.bytes(format);
  return format === "xml" ? bytes : Buffer.concat([HEADER, bytes]);
}

/** Says which versions we read; the least of them that is not XML is the one to say it in. */
export function writeControlDatagram(control: TakControl): Uint8Array {
  const writer = new BinaryWriter().raw(HEADER).tag(1, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.Varint).uint32(control.versionMin);
  writer.tag(2, WireType.Varint).uint32(control.versionMax);
  if (control.contactUid !== "") writer.tag(3, WireType.LengthDelimited).string(control.contactUid);
  return writer.join().finish();
}
