import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { isRemoraError } from "remora/base";
import { EventDecoder, readMessage } from "./event-decoder.ts";
import { EVENTS, TIME_MS, UNIT } from "./events.fixture.ts";
import { cotLimits } from "./limits.ts";

/** Writes an event's fields; the rest of the message is what the test adds. */
function eventFields(writer: BinaryWriter): BinaryWriter {
  writer.tag(1, WireType.LengthDelimited).string("a-f-G");
  writer.tag(5, WireType.LengthDelimited).string("P-1");
  for (const number of [6, 7, 8]) writer.tag(number, WireType.Varint).uint64(TIME_MS);
  return writer.tag(10, WireType.Bit64).double(1.5).tag(11, WireType.Bit64).double(-2.5);
}

function takMessage(add: (writer: BinaryWriter) => void = () => {}): Buffer {
  const writer = new BinaryWriter().tag(2, WireType.LengthDelimited).fork();
  eventFields(writer);
  add(writer);
  return Buffer.from(writer.join().finish());
}

function withDetail(add: (writer: BinaryWriter) => void): Buffer {
  return takMessage((writer) => {
    writer.tag(15, WireType.LengthDelimited).fork();
    add(writer);
    writer.join();
  });
}

function expectRefused(bytes: Uint8Array, code: string): void {
  assert.throws(
    () => readMessage(bytes),
    (error) => isRemoraError(error, `tak/${code}`) || assert.fail(String(error)),
  );
}

test("what is not written has the default value of proto3, and 999999 is unknown", () => {
  const message = readMessage(takMessage((writer) => writer.tag(13, WireType.Bit64).double(999_999)));
  assert.deepEqual([message.how, message.hae, message.ce, message.le], ["", 0, undefined, 0]);
  assert.equal(message.time, "2026-03-14T09:26:53.589Z");
});

test("fields of later versions are passed over and forwarded", () => {
  const bytes = takMessage((writer) => {
    writer.tag(16, WireType.LengthDelimited).string("new").tag(100, WireType.Bit32).fixed32(1);
    writer.tag(17, WireType.Varint).uint64("18446744073709551615").tag(18, WireType.Bit64).double(1);
  });
  assert.equal(readMessage(bytes).uid, "P-1");
  assert.deepEqual(Buffer.from(readMessage(bytes).bytes("protobuf")), bytes);
});

test("xmlDetail wins over a message for the same element", () => {
  const message = readMessage(
    withDetail((writer) => {
      writer.tag(1, WireType.LengthDelimited).string('<contact callsign="XML"/><a/>');
      writer.tag(2, WireType.LengthDelimited).fork().tag(2, WireType.LengthDelimited).string("TYPED").join();
      writer.tag(3, WireType.LengthDelimited).fork().tag(1, WireType.LengthDelimited).string("Red").join();
    }),
  );
  assert.deepEqual([message.callsign, message.groupName, message.groupRole], ["XML", "Red", undefined]);
  assert.ok(
    message.xml().includes('<detail><__group name="Red" role=""/><contact callsign="XML"/><a/></detail>'),
  );
});

test("an event and a detail that come in pieces are merged", () => {
  const first = takMessage((writer) => {
    writer.tag(15, WireType.LengthDelimited).fork().tag(1, WireType.LengthDelimited).string("<a/>").join();
    writer.tag(15, WireType.LengthDelimited).fork();
    writer.tag(2, WireType.LengthDelimited).fork().tag(2, WireType.LengthDelimited).string("C").join().join();
  });
  const second = new BinaryWriter()
    .tag(2, WireType.LengthDelimited)
    .fork()
    .tag(5, WireType.LengthDelimited)
    .string("P-2");
  const message = readMessage(Buffer.concat([first, second.join().finish()]));
  assert.deepEqual([message.uid, message.type, message.callsign], ["P-2", "a-f-G", "C"]);
  assert.ok(message.xml().includes('<contact callsign="C"/><a/>'));
});

test("what a sender says of its versions is read, and not forwarded with its event", () => {
  const control = new BinaryWriter().tag(1, WireType.LengthDelimited).fork();
  control.tag(2, WireType.Varint).uint32(2).tag(3, WireType.LengthDelimited).string("P-1");
  const event = takMessage();
  const bytes = Buffer.concat([control.join().finish(), event]);
  const message = new EventDecoder(cotLimits()).readTakMessage(bytes, 0, bytes.length, 0);
  assert.deepEqual(message.control, { versionMin: 1, versionMax: 2, contactUid: "P-1" });
  assert.deepEqual(Buffer.from(message.event?.bytes("protobuf") ?? []), event);
});

test('a message is not taken for XML because its first length is the code of "<"', () => {
  const control = new BinaryWriter().tag(1, WireType.LengthDelimited).fork();
  const bytes = control
    .tag(3, WireType.LengthDelimited)
    .string("u".repeat(0x3c - 2))
    .join()
    .finish();
  assert.deepEqual([bytes[0], bytes[1]], [0x0a, 0x3c]);
  assert.equal(readMessage(Buffer.concat([bytes, takMessage()])).uid, "P-1");
});

describe("a message that is not whole is refused", () => {
  const cases: Readonly<Record<string, Uint8Array>> = {
    "a length beyond the end": Buffer.from("1205", "hex"),
    "a varint without an end": Buffer.from("12ff", "hex"),
    "a varint of eleven bytes": Buffer.from("128080808080808080808001", "hex"),
    "a length of 2^40": Buffer.from("12808080808020", "hex"),
    "field number 0": Buffer.from("0200", "hex"),
    "a group": Buffer.from("1b1c", "hex"),
    "wire type 7": Buffer.from("1f", "hex"),
    "an event's field with another wire type": Buffer.from("12020801", "hex"),
    "a double that is cut": Buffer.from("12035100aa", "hex"),
    "a text that is not UTF-8": takMessage((writer) =>
      writer.tag(9, WireType.LengthDelimited).bytes(Buffer.from("ff", "hex")),
    ),
    "a text with a character that XML does not have": takMessage((writer) =>
      writer.tag(9, WireType.LengthDelimited).string("\0"),
    ),
    "a detail's message that is not whole": withDetail((writer) =>
      writer.tag(2, WireType.LengthDelimited).bytes(Buffer.from("12ff", "hex")),
    ),
    "a detail's field with another wire type": withDetail((writer) =>
      writer.tag(1, WireType.Varint).uint32(1),
    ),
    "a status that is a text": withDetail((writer) =>
      writer.tag(5, WireType.LengthDelimited).bytes(Buffer.from("0a00", "hex")),
    ),
  };
  for (const [name, bytes] of Object.entries(cases)) {
    test(name, () => expectRefused(bytes, "protobuf-malformed"));
  }
  test("an event without what every event must have", () => {
    expectRefused(Buffer.from("1200", "hex"), "field-missing");
    expectRefused(Buffer.alloc(0), "field-missing");
  });
  test("a position off the globe, a time that has no date", () => {
    expectRefused(
      takMessage((writer) => writer.tag(10, WireType.Bit64).double(91)),
      "field-invalid",
    );
    expectRefused(
      takMessage((writer) => writer.tag(11, WireType.Bit64).double(Number.NaN)),
      "field-invalid",
    );
    expectRefused(
      takMessage((writer) => writer.tag(6, WireType.Varint).uint64("18446744073709551615")),
      "field-invalid",
    );
  });
});

test("an xmlDetail that would break the XML of those who get it is refused with its event", () => {
  const codes: Readonly<Record<string, string>> = {
    "<a>": "xml-malformed",
    "</detail></event><event>": "xml-malformed",
    "<!-- </event> -->": "xml-nested-event",
    "&lol;": "xml-entity",
    "<!DOCTYPE a>": "xml-doctype",
    "<a": "xml-malformed",
  };
  for (const [xml, code] of Object.entries(codes)) {
    expectRefused(
      withDetail((writer) => writer.tag(1, WireType.LengthDelimited).string(xml)),
      code,
    );
  }
});

test("whatever is done to a message, it is refused with a code or can be read and forwarded as a whole", () => {
  const bases = Object.values(EVENTS).map((xml) =>
    Buffer.from(readMessage(Buffer.from(xml)).bytes("protobuf")),
  );
  const edit = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(fc.constantFrom(...bases), fc.array(edit, { maxLength: 4 }), fc.nat(), (base, edits, cut) => {
      const bytes = Buffer.from(cut % 3 === 0 ? base.subarray(0, cut % base.length) : base);
      if (bytes.length === 0) return;
      for (const [at, byte] of edits) bytes[at % bytes.length] = byte;
      let message: ReturnType<typeof readMessage>;
      try {
        message = readMessage(bytes);
      } catch (error) {
        assert.ok(isRemoraError(error), String(error));
        return;
      }
      const again = readMessage(message.bytes("xml"));
      assert.equal(again.uid, message.uid);
      assert.equal(again.lat, message.lat);
    }),
    { numRuns: 3000 },
  );
});

test("a whole unit takes less than half the bytes of its XML", () => {
  assert.ok(readMessage(Buffer.from(UNIT)).bytes("protobuf").length < UNIT.length / 2);
});
