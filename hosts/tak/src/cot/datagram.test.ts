import assert from "node:assert/strict";
import { test } from "node:test";
import { isRemoraError } from "remora/base";
import { readDatagram, writeControlDatagram, writeDatagram } from "./datagram.ts";
import { EventDecoder, readMessage } from "./event-decoder.ts";
import { UNIT } from "./events.fixture.ts";
import { cotLimits } from "./limits.ts";

const decoder = new EventDecoder(cotLimits());
const read = (bytes: Uint8Array) => readDatagram(decoder, Buffer.from(bytes));

test("a datagram holds one event, in XML or behind bf 01 bf", () => {
  const message = readMessage(Buffer.from(UNIT));
  const xml = read(writeDatagram(message, "xml"));
  assert.deepEqual([xml.version, xml.event?.uid], [0, "UNIT-7"]);
  const bytes = writeDatagram(message, "protobuf");
  assert.equal(Buffer.from(bytes).toString("hex", 0, 3), "bf01bf");
  const protobuf = read(bytes);
  assert.deepEqual([protobuf.version, protobuf.event?.uid], [1, "UNIT-7"]);
});

test("versions are announced without an event", () => {
  const control = { versionMin: 1, versionMax: 1, contactUid: "C-1" };
  assert.deepEqual(read(writeControlDatagram(control)), { version: 1, event: undefined, control });
});

test("a datagram that is neither is refused with a code", () => {
  const codes: Readonly<Record<string, string>> = {
    "": "datagram-header",
    bf: "datagram-header",
    bf01: "datagram-header",
    bf0112: "datagram-header",
    bf80808080808080808080: "datagram-header",
    bf02bf: "version-unsupported",
    bf00bf: "version-unsupported",
    bf01bf12: "protobuf-malformed",
    "00": "datagram-header",
    [Buffer.from(UNIT.slice(0, 100)).toString("hex")]: "stream-cut",
  };
  for (const [hex, code] of Object.entries(codes)) {
    assert.throws(
      () => read(Buffer.from(hex, "hex")),
      (error) => isRemoraError(error, `tak/${code}`),
    );
  }
});
