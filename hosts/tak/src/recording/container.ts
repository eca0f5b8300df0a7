/**
 * The file of a recorded stream: what was on the wire, when, and where in it the times stand, so that a player
 * can move them. All of it is compressed with gzip. Integers are unsigned LEB128 unless said otherwise.
 *
 *     file    ::= "CoTrec" 0x01 0x0a  size  header  event*
 *     header  ::= JSON in UTF-8, `size` bytes: RecordingHeader
 *     event   ::= ms since the event before  form  places  size  bytes
 *     form    ::= 0x00 an XML event | 0x01 a frame of TAK protocol v1: BF, length, TakMessage
 *     places  ::= count, then for each: offset in `bytes` * 2 + kind
 *     kind    ::= 0 ISO 8601 with milliseconds, 24 characters | 1 milliseconds since 1970 as LEB128 of six bytes
 */

import { gunzipSync, gzipSync } from "node:zlib";
import type { CotFormat } from "../cot/message.ts";
import { takErrors } from "../errors.ts";

export interface RecordingHeader {
  readonly name: string;
  readonly description: string;
  /** Of the recorded stream's beginning, in milliseconds since 1970. */
  readonly epochMs: number;
  /** All events are within it, and a player that loops begins again after it. */
  readonly durationMs: number;
  readonly events: number;
  readonly entities: number;
}

export interface RecordedEvent {
  /** Since the beginning. */
  readonly offsetMs: number;
  readonly format: CotFormat;
  /** As on the wire. */
  readonly bytes: Uint8Array;
  readonly times: readonly TimePlace[];
}

/** A time inside an event's bytes. */
export interface TimePlace {
  readonly offset: number;
  readonly kind: TimeKind;
}

export type TimeKind = "iso" | "varint";

/** Bytes that each kind of time takes. */
export const timeSize: Readonly<Record<TimeKind, number>> = { iso: 24, varint: 6 };

const magic = Buffer.from("CoTrec\x01\n", "latin1");

/** Of a file when it is not compressed; larger ones would fill the memory. */
const bytesMax = 512 * 1024 * 1024;
const eventBytesMax = 1024 * 1024;

/** @param events In the order of their offsets. */
export function writeRecording(header: RecordingHeader, events: readonly RecordedEvent[]): Uint8Array {
  const parts: Uint8Array[] = [magic];
  const headerBytes = Buffer.from(JSON.stringify(header));
  parts.push(leb(headerBytes.length), headerBytes);
  let beforeMs = 0;
  for (const { offsetMs, format, bytes, times } of events) {
    const head = [...leb(offsetMs - beforeMs), format === "xml" ? 0 : 1, ...leb(times.length)];
    for (const { offset, kind } of times) head.push(...leb(offset * 2 + (kind === "iso" ? 0 : 1)));
    head.push(...leb(bytes.length));
    parts.push(Uint8Array.from(head), bytes);
    beforeMs = offsetMs;
  }
  return gzipSync(Buffer.concat(parts), { level: 9 });
}

export interface Recording {
  readonly header: RecordingHeader;
  readonly events: readonly RecordedEvent[];
}

/**
 * Reads a file of recorded events.
 *
 * @param file Its bytes, as written by `writeRecording`.
 * @throws tak/recording-malformed it is none, or was cut or damaged; with the offset in the uncompressed bytes
 */
export function readRecording(file: Uint8Array): Recording {
  return new ContainerReader(uncompressed(file)).read();
}

function uncompressed(file: Uint8Array): Buffer {
  try {
    return gunzipSync(file, { maxOutputLength: bytesMax });
  } catch (cause) {
    // Whatever zlib says, the file is not one of ours or is damaged.
    throw takErrors["recording-malformed"]({ at: 0, found: "bytes that are no whole gzip file" }, cause);
  }
}

class ContainerReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  read(): Recording {
    if (!this.#take(magic.length).equals(magic)) this.#fail("another kind of file", 0);
    const header = this.#header();
    const events: RecordedEvent[] = [];
    let offsetMs = 0;
    while (this.#at < this.#bytes.length) {
      offsetMs += this.#leb();
      if (offsetMs >= header.durationMs) this.#fail(`an event at ${offsetMs} ms, after the end`);
      events.push(this.#event(offsetMs));
    }
    if (events.length !== header.events) {
      this.#fail(`${events.length} events where ${header.events} are announced`);
    }
    return { header, events };
  }

  #header(): RecordingHeader {
    const start = this.#at;
    const text = this.#take(this.#leb()).toString("utf8");
    const header: unknown = parsed(text);
    if (!isHeader(header)) this.#fail("a header that is none", start);
    return header;
  }

  #event(offsetMs: number): RecordedEvent {
    const form = this.#take(1)[0];
    if (form !== 0 && form !== 1) this.#fail(`the form ${form}`, this.#at - 1);
    const count = this.#leb();
    if (count > 64) this.#fail(`${count} times in one event`);
    const times = Array.from({ length: count }, (): TimePlace => {
      const place = this.#leb();
      return { offset: Math.floor(place / 2), kind: place % 2 === 0 ? "iso" : "varint" };
    });
    const size = this.#leb();
    if (size > eventBytesMax) this.#fail(`an event of ${size} bytes`);
    for (const { offset, kind } of times) {
      if (offset + timeSize[kind] > size) this.#fail(`a time at ${offset} of ${size} bytes`);
    }
    return { offsetMs, format: form === 0 ? "xml" : "protobuf", bytes: this.#take(size), times };
  }

  #take(size: number): Buffer {
    if (size > this.#bytes.length - this.#at) this.#fail("the end of the file", this.#bytes.length);
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }

  #leb(): number {
    let value = 0;
    // Five bytes are enough for every number in the file.
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#take(1)[0] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    return this.#fail("a number of more than five bytes");
  }

  #fail(found: string, at = this.#at): never {
    throw takErrors["recording-malformed"]({ at, found });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Text that is no JSON is no header, which is what the caller says.
    return undefined;
  }
}

function isHeader(header: unknown): header is RecordingHeader {
  if (typeof header !== "object" || header === null) return false;
  const fields: Record<string, unknown> = { ...header };
  return (
    typeof fields.name === "string" &&
    typeof fields.description === "string" &&
    ["epochMs", "durationMs", "events", "entities"].every((name) => Number.isSafeInteger(fields[name])) &&
    Number(fields.durationMs) > 0
  );
}

function leb(value: number): Uint8Array {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 0x80; left = Math.floor(left / 128)) bytes.push((left % 128) | 0x80);
  bytes.push(left);
  return Uint8Array.from(bytes);
}
