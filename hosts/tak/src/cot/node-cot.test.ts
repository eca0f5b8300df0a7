/** Against an independent codec of both forms, `@tak-ps/node-cot`: each reads what the other wrote. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CoTParser } from "@tak-ps/node-cot";
import fc from "fast-check";
import { createMessage, readMessage } from "./event-decoder.ts";
import { BARE, EVENTS, UNIT } from "./events.fixture.ts";
import type { CotMessage } from "./message.ts";

/** Its view of an event, in our words. */
function theirFacts(cot: ReturnType<typeof CoTParser.from_xml>) {
  const { _attributes: event, point } = cot.raw.event;
  const known = (metres: unknown) => (Number(metres) >= 999_999 ? undefined : Number(metres));
  return {
    type: event.type,
    uid: event.uid,
    how: event.how,
    timeMs: Date.parse(event.time),
    startMs: Date.parse(event.start),
    staleMs: Date.parse(event.stale),
    lat: Number(point._attributes.lat),
    lon: Number(point._attributes.lon),
    hae: known(point._attributes.hae),
    ce: known(point._attributes.ce),
    le: known(point._attributes.le),
  };
}

function ourFacts(message: CotMessage) {
  const { type, uid, how, timeMs, startMs, staleMs, lat, lon, hae, ce, le } = message;
  return { type, uid, how, timeMs, startMs, staleMs, lat, lon, hae, ce, le };
}

// It validates a detail strictly: no elements without the attributes that it wants, and no remarks in pieces.
const SHARED = Object.entries(EVENTS)
  .filter(([name]) => name !== "UNMOVED")
  .map(([name, xml]) => [name, xml.replace(/<remarks.*<\/remarks>/, "<remarks>plain</remarks>")] as const);

describe("the XML that it reads says the same to us", () => {
  for (const [name, xml] of SHARED) {
    test(name, () =>
      assert.deepEqual(ourFacts(readMessage(Buffer.from(xml))), theirFacts(CoTParser.from_xml(xml))),
    );
  }
});

describe("the message that it writes says to us what its XML said", () => {
  for (const [name, xml] of [
    ["UNIT", UNIT],
    ["BARE", BARE],
  ] as const) {
    test(name, async () => {
      const message = readMessage(await CoTParser.to_proto(CoTParser.from_xml(xml)));
      const expected = readMessage(Buffer.from(xml));
      assert.deepEqual(ourFacts(message), ourFacts(expected));
      assert.equal(message.callsign, expected.callsign);
      assert.equal(message.groupName, expected.groupName);
      assert.equal(message.groupRole, expected.groupRole);
    });
  }
});

describe("it reads the message that we write", () => {
  for (const [name, xml] of SHARED) {
    test(name, async () => {
      const cot = await CoTParser.from_proto(readMessage(Buffer.from(xml)).bytes("protobuf"));
      assert.deepEqual(theirFacts(cot), ourFacts(readMessage(Buffer.from(xml))));
    });
  }
  test("with what is typed in the detail, and what is not", async () => {
    const cot = await CoTParser.from_proto(readMessage(Buffer.from(UNIT)).bytes("protobuf"));
    const detail = cot.raw.event.detail;
    assert.deepEqual({ ...detail?.contact?._attributes }, { endpoint: "*:-1:stcp", callsign: "HERON" });
    assert.deepEqual({ ...detail?.__group?._attributes }, { name: "Cyan", role: "Team Member" });
    assert.deepEqual(
      { ...detail?.takv?._attributes },
      { device: "BOX", platform: "REMORA", os: "1", version: "0.1" },
    );
    assert.deepEqual({ ...detail?.track?._attributes }, { speed: "1.25", course: "271.5" });
    assert.deepEqual({ ...detail?.status?._attributes }, { battery: "87" });
    assert.deepEqual(detail?.uid, { _attributes: { Droid: "HERON" } });
  });
});

test("any event that we write, it reads the same from either form, and so do we what it writes", async () => {
  const word = fc.stringMatching(/^[A-Za-z0-9 .&<>'"é漢-]{1,16}$/).filter((text) => text.trim() === text);
  const time = fc.integer({ min: 0, max: 4_000_000_000_000 });
  const fields = fc.record({
    type: fc.constantFrom("a-f-G-U-C", "a-h-A", "b-m-p-w", "a-n-S-X"),
    uid: word,
    how: fc.constantFrom("m-g", "h-e"),
    timeMs: time,
    startMs: time,
    staleMs: time,
    lat: fc.double({ min: -90, max: 90, noNaN: true }).filter((value) => !Object.is(value, -0)),
    lon: fc.double({ min: -180, max: 180, noNaN: true }).filter((value) => !Object.is(value, -0)),
    hae: fc.option(fc.integer({ min: -400, max: 9000 }), { nil: undefined }),
    ce: fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(fields, async (made) => {
      const message = createMessage(made, '<contact callsign="C"/>');
      const fromXml = CoTParser.from_xml(message.xml());
      assert.deepEqual(theirFacts(fromXml), ourFacts(message));
      assert.deepEqual(theirFacts(await CoTParser.from_proto(message.bytes("protobuf"))), ourFacts(message));
      assert.deepEqual(ourFacts(readMessage(await CoTParser.to_proto(fromXml))), ourFacts(message));
      // Its writer leaves markup in attributes as it is.
      if (/[&<"]/.test(made.uid)) return;
      assert.deepEqual(ourFacts(readMessage(Buffer.from(CoTParser.to_xml(fromXml)))), ourFacts(message));
    }),
    { numRuns: 100 },
  );
});
