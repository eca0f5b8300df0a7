import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { isRemoraError, type RemoraError } from "remora/base";
import { readMessage } from "./event-decoder.ts";
import { BARE, EVENTS, eventOfSize, framed, UNIT } from "./events.fixture.ts";
import { type CotLimits, cotLimits } from "./limits.ts";
import type { CotMessage } from "./message.ts";
import { type Accepted, StreamReader } from "./stream-reader.ts";

const HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n';
const protobuf = (xml: string) => framed(readMessage(Buffer.from(xml)).bytes("protobuf"));

interface Read {
  /** Not enumerable, so that what was read can be compared as a whole. */
  readonly messages: CotMessage[];
  readonly uids: string[];
  readonly dropped: string[];
  /** Why the stream ended, if it did. */
  over: string | undefined;
}

function read(
  chunks: readonly (string | Uint8Array)[],
  options: { accepted?: Accepted; limits?: CotLimits; isEnded?: boolean } = {},
): Read {
  const messages: CotMessage[] = [];
  const result: Read = Object.defineProperty(
    { messages, uids: [], dropped: [], over: undefined },
    "messages",
    {
      enumerable: false,
    },
  );
  const reader = new StreamReader(
    {
      onMessage(message) {
        messages.push(message);
        result.uids.push(message.uid);
      },
      onBadEvent: (error) => result.dropped.push(error.code),
    },
    options,
  );
  try {
    for (const chunk of chunks) reader.push(Buffer.from(chunk as string));
    if (options.isEnded !== false) reader.end();
  } catch (error) {
    assert.ok(isRemoraError(error), String(error));
    result.over = error.code;
  }
  return result;
}

const expectRead = (found: Read, expected: Partial<Omit<Read, "messages">>) =>
  assert.deepEqual(found, { uids: [], dropped: [], over: undefined, ...expected });

const withUid = (uid: string) => BARE.replace("BARE-1", uid);

test("events of both forms are read from one stream, with what may stand between them", () => {
  const stream = Buffer.concat([
    Buffer.from(`\ufeff${HEADER}${UNIT}${HEADER}${withUid("2")}\r\n \n<!-- between --><?pi?>${withUid("3")}`),
    protobuf(withUid("4")),
    protobuf(withUid("5")),
    Buffer.from(withUid("6")),
  ]);
  expectRead(read([stream]), { uids: ["UNIT-7", "2", "3", "4", "5", "6"] });
});

test("it makes no difference where the stream is cut into chunks", () => {
  const stream = Buffer.concat([
    Buffer.from(HEADER + Object.values(EVENTS).join(HEADER)),
    protobuf(UNIT),
    Buffer.from(`${UNIT.slice(0, 300)}${HEADER}${withUid("7")}<auth>${withUid("8")}`),
    protobuf(withUid("9")),
    protobuf(eventOfSize(3000)),
    Buffer.from(
      `${eventOfSize(3000, "X")}<!DOCTYPE a>${UNIT}${withUid("10")}${withUid("11").replace(">", " >")}`,
    ),
  ]);
  const limits = cotLimits({ eventBytesMax: 2000 });
  const whole = read([stream], { limits });
  assert.deepEqual(whole, {
    uids: ["UNIT-7", "BARE-1", "note & more", "UNMOVED-1", "UNIT-7", "7", "8", "9", "10", "11"],
    dropped: [
      "tak/xml-nested-event",
      "tak/xml-malformed",
      "tak/event-too-large",
      "tak/event-too-large",
      "tak/xml-doctype",
    ],
    over: undefined,
  });
  const bytes = Array.from(stream, (byte) => Buffer.from([byte]));
  assert.deepEqual(read(bytes, { limits }), whole, "a byte each");
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 1200 }), { minLength: 1, maxLength: 20 }), (sizes) => {
      const chunks: Buffer[] = [];
      for (let at = 0, k = 0; at < stream.length; k++) {
        const size = sizes[k % sizes.length] ?? 1;
        chunks.push(stream.subarray(at, at + size));
        at += size;
      }
      assert.deepEqual(read(chunks, { limits }), whole);
    }),
  );
});

test("an event is a view of the chunk that it came in", () => {
  const chunk = Buffer.from(HEADER + UNIT);
  const reader = new StreamReader({
    onMessage: (message) => assert.equal(message.bytes("xml").buffer, chunk.buffer),
    onBadEvent: assert.fail,
  });
  reader.push(chunk);
});

describe("what is bad costs one event", () => {
  const bad: Readonly<Record<string, readonly [string | Uint8Array, string]>> = {
    "half an event": [UNIT.slice(0, 200), "xml-nested-event"],
    "half an event and a header": [UNIT.slice(0, 320) + HEADER, "xml-nested-event"],
    "an event cut in a tag": [UNIT.slice(0, UNIT.indexOf("callsign")), "xml-malformed"],
    "an unbalanced detail": [UNIT.replace("</detail>", "<a></detail>"), "xml-malformed"],
    "a billion laughs": [
      `${HEADER}<!DOCTYPE a [<!ENTITY lol "lol"><!ENTITY l2 "&lol;&lol;">]>${UNIT.replace("HERON", "&l2;")}`,
      "xml-doctype",
    ],
    "an entity of its own": [UNIT.replace("HERON", "&lol;"), "xml-entity"],
    "an end of an event in a section": [UNIT.replace("<uid", "<![CDATA[</event>]]><uid"), "xml-nested-event"],
    "bytes that are not UTF-8": [Buffer.from(UNIT.replace("HERON", "\u00ff"), "latin1"), "xml-malformed"],
    "a position off the globe": [UNIT.replace("52.0907", "91"), "field-invalid"],
    "no position": [UNIT.replace(/<point[^>]*>/, ""), "field-missing"],
    "another element": ['<auth><cot username="a" password="b"/></auth>', "xml-malformed"],
    "an event of 10 MB": [eventOfSize(10 << 20), "event-too-large"],
    "an event of 10 MB in the protocol": [protobufOfSize(10 << 20), "event-too-large"],
    "a message that is no TakMessage": [framed(Buffer.from("ffffffff", "hex")), "protobuf-malformed"],
    "a message with half an xmlDetail": [framed(Buffer.from("1200", "hex")), "field-missing"],
  };
  for (const [name, [bytes, code]] of Object.entries(bad)) {
    test(name, () => {
      const stream = Buffer.concat([
        Buffer.from(withUid("1")),
        Buffer.from(bytes as string),
        Buffer.from(withUid("2")),
      ]);
      expectRead(read([stream]), { uids: ["1", "2"], dropped: [`tak/${code}`] });
    });
  }

  function protobufOfSize(sizeBytes: number): Buffer {
    return framed(Buffer.alloc(sizeBytes));
  }
});

describe("what leaves no next event to be found ends the stream", () => {
  const over: Readonly<Record<string, readonly [string | Uint8Array, string]>> = {
    "a request of another protocol": ["GET / HTTP/1.1\r\n\r\n", "frame-start"],
    "random bytes": [Buffer.from("160301020001", "hex"), "frame-start"],
    "UTF-16": [Buffer.from(`\ufeff${UNIT}`, "utf16le"), "frame-start"],
    "a varint of more than ten bytes": [Buffer.from(`bf${"80".repeat(10)}01`, "hex"), "frame-length"],
    "a length of 2^62": [Buffer.from("bfffffffffffffffff3f", "hex"), "frame-length"],
    "a length of 17 MiB": [Buffer.from("bf80808008", "hex").fill(0x88, 3, 4), "frame-length"],
    "a comment without an end": [`<!--${" ".repeat(5000)}`, "frame-start"],
  };
  for (const [name, [bytes, code]] of Object.entries(over)) {
    test(name, () => {
      const stream = Buffer.concat([Buffer.from(withUid("1")), Buffer.from(bytes as string)]);
      expectRead(read([stream]), { uids: ["1"], over: `tak/${code}` });
    });
  }

  test("the other form, where only one is accepted", () => {
    expectRead(read([protobuf(UNIT)], { accepted: "xml" }), { over: "tak/frame-start" });
    expectRead(read([UNIT], { accepted: "protobuf" }), { over: "tak/frame-start" });
  });

  test("more bad events in a row than are allowed", () => {
    const limits = cotLimits({ badEventsMax: 3 });
    const bad = framed(Buffer.from("1200", "hex"));
    const row = (count: number) => Array.from({ length: count }, () => bad);
    const dropped = (count: number) => Array.from({ length: count }, () => "tak/field-missing");
    const good = protobuf(withUid("1"));
    expectRead(read([...row(3), good, ...row(3), good], { limits }), {
      uids: ["1", "1"],
      dropped: dropped(6),
    });
    expectRead(read([...row(4), good], { limits }), { dropped: dropped(4), over: "tak/too-many-bad-events" });
  });

  test("more to skip than is allowed", () => {
    const limits = cotLimits({ eventBytesMax: 1000, skippedBytesMax: 5000 });
    expectRead(read([eventOfSize(4000), BARE], { limits }), {
      uids: ["BARE-1"],
      dropped: ["tak/event-too-large"],
    });
    const pieces = (text: string) => text.match(/.{1,500}/gs) ?? [];
    const found = read(pieces(eventOfSize(9000) + BARE), { limits });
    expectRead(found, { dropped: ["tak/event-too-large"], over: "tak/frame-unsynchronised" });
    const junk = read([`<html>${"junk ".repeat(2000)}`, BARE], { limits });
    expectRead(junk, { dropped: ["tak/xml-malformed"], over: "tak/frame-unsynchronised" });
  });

  test("an end inside of an event", () => {
    expectRead(read([UNIT, UNIT.slice(0, -1)]), { uids: ["UNIT-7"], over: "tak/stream-cut" });
    expectRead(read([protobuf(UNIT).subarray(0, 100)]), { over: "tak/stream-cut" });
    expectRead(read(["<eve"]), { over: "tak/stream-cut" });
    expectRead(read([UNIT, "\n"]), { uids: ["UNIT-7"] });
  });
});

test("errors name the place in the stream, not in the chunk", () => {
  const errors: RemoraError[] = [];
  const reader = new StreamReader({ onMessage: () => {}, onBadEvent: (error) => errors.push(error) });
  const bad = BARE.replace("-33.5", "-133.5");
  reader.push(Buffer.from(UNIT));
  reader.push(Buffer.from(bad.slice(0, 50)));
  reader.push(Buffer.from(bad.slice(50)));
  reader.push(framed(Buffer.from("1a", "hex")));
  const places = errors.map(({ code, details }) => [code, (details as { at: number }).at]);
  assert.deepEqual(places[0], ["tak/field-invalid", UNIT.length]);
  assert.deepEqual(places[1], ["tak/protobuf-malformed", UNIT.length + bad.length + 3]);
});

test("what is accepted can change with each event, within one chunk", () => {
  const uids: string[] = [];
  const reader = new StreamReader(
    {
      onMessage(message) {
        uids.push(message.uid);
        reader.accepted = "protobuf";
      },
      onBadEvent: assert.fail,
    },
    { accepted: "xml" },
  );
  reader.push(Buffer.concat([Buffer.from(UNIT), protobuf(BARE)]));
  assert.deepEqual(uids, ["UNIT-7", "BARE-1"]);
  assert.throws(
    () => reader.push(Buffer.from(UNIT)),
    (error) => isRemoraError(error, "tak/frame-start"),
  );
});

test("an error that a handler throws comes out of push, and costs no other event", () => {
  const uids: string[] = [];
  const reader = new StreamReader({
    onMessage({ uid }) {
      uids.push(uid);
      if (uid === "1") throw new Error("from the handler");
    },
    onBadEvent: assert.fail,
  });
  assert.throws(() => reader.push(Buffer.from(withUid("1") + withUid("2"))), /from the handler/);
  reader.push(Buffer.from(withUid("3")));
  assert.deepEqual(uids, ["1", "2", "3"]);
});

test("a slow sender of a large event does not make the reader scan it over and over", () => {
  const bytes = Buffer.from(eventOfSize(900_000).replace(/x{10}/g, "<a b='c'/>"));
  const uids: string[] = [];
  const reader = new StreamReader({ onMessage: ({ uid }) => uids.push(uid), onBadEvent: assert.fail });
  const start = process.threadCpuUsage();
  for (let at = 0; at < bytes.length; at += 16) reader.push(bytes.subarray(at, at + 16));
  assert.deepEqual(uids, ["LARGE-1"]);
  // Some 5600 chunks: a scan for each would take minutes.
  assert.ok(process.threadCpuUsage(start).user < 5_000_000);
});

test("whatever comes, however it is cut: errors have codes, and each event is whole in both forms", () => {
  const stream = Buffer.concat([
    Buffer.from(HEADER + Object.values(EVENTS).join(HEADER)),
    ...Object.values(EVENTS).map((xml) => protobuf(xml)),
  ]);
  const edit = fc.record({
    at: fc.nat({ max: stream.length - 1 }),
    removed: fc.integer({ min: 0, max: 300 }),
    added: fc.oneof(
      fc.uint8Array({ maxLength: 4 }),
      fc
        .constantFrom("<event ", "</event>", "<?xml", "\xbf\x05", "<!--", "]]>")
        .map((text) => Buffer.from(text, "latin1")),
    ),
  });
  const edits = fc.array(edit, { minLength: 1, maxLength: 4 });
  const chunkSizes = fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(edits, chunkSizes, (made, sizes) => {
      let bytes = stream;
      for (const { at, removed, added } of made) {
        bytes = Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)]);
      }
      const chunks: Buffer[] = [];
      for (let at = 0, k = 0; at < bytes.length; k++) {
        const size = sizes[k % sizes.length] ?? 1;
        chunks.push(bytes.subarray(at, at + size));
        at += size;
      }
      const found = read(chunks);
      assert.deepEqual(found, read([bytes]));
      for (const message of found.messages) {
        for (const format of ["xml", "protobuf"] as const) {
          assert.equal(readMessage(message.bytes(format)).uid, message.uid);
        }
      }
    }),
    { numRuns: 1000 },
  );
});
