import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { isRemoraError } from "remora/base";
import { createMessage, readMessage } from "./event-decoder.ts";
import { BARE, EVENTS, RICH, TIME_MS, UNIT, UNMOVED } from "./events.fixture.ts";
import { cotLimits } from "./limits.ts";
import type { CotMessage } from "./message.ts";
import { isXmlCharacter } from "./xml-characters.ts";

const read = (xml: string) => readMessage(Buffer.from(xml));

/** What a message says of itself, apart from the form that it came in and the spelling of its time. */
function facts(message: CotMessage) {
  const { type, uid, how, timeMs, startMs, staleMs, lat, lon, hae, ce, le, callsign, groupName, groupRole } =
    message;
  return { type, uid, how, timeMs, startMs, staleMs, lat, lon, hae, ce, le, callsign, groupName, groupRole };
}

function expectRefused(bytes: string | Uint8Array, code: string): void {
  assert.throws(
    () => readMessage(Buffer.from(bytes as string)),
    (error) => isRemoraError(error, `tak/${code}`) || assert.fail(`${String(error)} for ${String(bytes)}`),
  );
}

test("an event of XML has the fields that stand in it", () => {
  assert.deepEqual(facts(read(UNIT)), {
    type: "a-f-G-U-C",
    uid: "UNIT-7",
    how: "m-g",
    timeMs: TIME_MS,
    startMs: TIME_MS,
    staleMs: TIME_MS + 300_000,
    lat: 52.0907,
    lon: 5.1214,
    hae: 12.5,
    ce: 4.2,
    le: undefined,
    callsign: "HERON",
    groupName: "Cyan",
    groupRole: "Team Member",
  });
  const rich = read(RICH);
  assert.equal(rich.uid, "note & more");
  assert.equal(rich.callsign, "Žluťoučký 𝕶ůň & <co>");
  assert.deepEqual([rich.lat, rich.lon], [10, -0.000001]);
  assert.equal(rich.time, "2026-03-14T09:26:53.589Z");
  assert.deepEqual([read(BARE).callsign, read(BARE).hae], [undefined, undefined]);
});

test("an event is forwarded in its own form byte for byte, and transcoded once", () => {
  for (const xml of Object.values(EVENTS)) {
    const message = read(xml);
    assert.equal(Buffer.from(message.bytes("xml")).toString(), xml);
    assert.equal(message.xml(), xml);
    assert.equal(message.bytes("protobuf"), message.bytes("protobuf"));
    const other = readMessage(message.bytes("protobuf"));
    assert.deepEqual(Buffer.from(other.bytes("protobuf")), Buffer.from(message.bytes("protobuf")));
    assert.equal(other.bytes("xml"), other.bytes("xml"));
  }
});

test("both forms say the same, there and back", () => {
  for (const xml of Object.values(EVENTS)) {
    const message = read(xml);
    const other = readMessage(message.bytes("protobuf"));
    assert.equal(other.format, "protobuf");
    assert.deepEqual(facts(other), facts(message));
    const back = readMessage(other.bytes("xml"));
    assert.deepEqual(facts(back), facts(message));
    assert.deepEqual(Buffer.from(back.bytes("protobuf")), Buffer.from(other.bytes("protobuf")));
  }
});

test("elements that the protocol has messages for move there, the rest of the detail stays as it was written", () => {
  const unit = readMessage(read(UNIT).bytes("protobuf")).xml();
  for (const element of UNIT.slice(UNIT.indexOf("<contact"), UNIT.indexOf("</detail>")).match(/<[^>]+>/g) ??
    []) {
    assert.ok(unit.includes(element), element);
  }
  const bytes = Buffer.from(read(UNIT).bytes("protobuf")).toString("latin1");
  assert.ok(
    bytes.includes('<uid Droid="HERON"/>') && !bytes.includes("<contact") && !bytes.includes("<track"),
  );

  const unmoved = UNMOVED.slice(UNMOVED.indexOf("<detail>"));
  assert.ok(readMessage(read(UNMOVED).bytes("protobuf")).xml().endsWith(unmoved));
  assert.match(
    readMessage(read(UNMOVED).bytes("protobuf")).xml(),
    / access="Undefined" qos="1-r-c" opex="e"/,
  );

  const rich = readMessage(read(RICH).bytes("protobuf")).xml();
  for (const part of [
    "<!-- who's <there> -->",
    "<![CDATA[<b> & ]] ]>]]>",
    "<čáp jméno='é'/>",
    "<?style none?>",
  ]) {
    assert.ok(rich.includes(part), part);
  }
});

test("any event that can be made is the same in both forms, there and back", () => {
  const text = fc
    .string({ unit: "grapheme", maxLength: 20 })
    .filter((value) => Array.from(value, (character) => character.codePointAt(0) ?? 0).every(isXmlCharacter));
  const word = text.filter((value) => value !== "");
  const time = fc.integer({ min: 0, max: 253_402_300_799_999 });
  const metres = fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }), { nil: undefined });
  const fields = fc.record({
    type: word,
    uid: word,
    how: text,
    timeMs: time,
    startMs: time,
    staleMs: time,
    lat: fc.double({ min: -90, max: 90, noNaN: true }),
    lon: fc.double({ min: -180, max: 180, noNaN: true }),
    hae: metres,
    ce: metres,
    le: metres,
    access: text,
    qos: text,
    opex: text,
  });
  const details = [
    "",
    '<contact callsign="C" endpoint="e"/>',
    "<a>b</a>",
    '<__group role="" name=""/><status battery="0"/>',
  ];
  fc.assert(
    fc.property(fields, fc.constantFrom(...details), (made, detail) => {
      const message = createMessage(made, detail);
      const { access, qos, opex, ...expected } = made;
      const found = facts(message);
      for (const [name, value] of Object.entries(expected)) {
        // XML does not tell -0 from 0, and we know no metres that mean "unknown".
        assert.equal(found[name as keyof typeof found], value === 0 ? 0 : value, name);
      }
      const other = readMessage(message.bytes("protobuf"));
      assert.deepEqual(facts(other), found);
      assert.deepEqual(facts(readMessage(other.bytes("xml"))), found);
    }),
    { numRuns: 300 },
  );
});

describe("a field that is missing or not allowed is a coded error", () => {
  const without = (pattern: RegExp | string) => UNIT.replace(pattern, "");
  for (const name of ["uid", "type", "time", "start", "stale", "lat", "lon"]) {
    test(`without ${name}`, () => expectRefused(without(new RegExp(` ${name}="[^"]*"`)), "field-missing"));
    test(`with an empty ${name}`, () =>
      assert.throws(() => read(UNIT.replace(new RegExp(` ${name}="[^"]*"`), ` ${name}=""`)), isRemoraError));
  }
  test("without a point", () => expectRefused(without(/<point[^>]*>/), "field-missing"));
  for (const [name, value] of [
    ["lat", "90.0001"],
    ["lat", "-91"],
    ["lat", "NaN"],
    ["lat", "52,1"],
    ["lon", "180.5"],
    ["lon", "1e3"],
    ["hae", "high"],
    ["time", "yesterday"],
    ["start", "1969-12-31T23:59:59Z"],
    ["stale", "2026-02-30T00:00:00Z"],
  ]) {
    test(`${name}="${value}"`, () =>
      expectRefused(UNIT.replace(new RegExp(` ${name}="[^"]*"`), ` ${name}="${value}"`), "field-invalid"));
  }
  test("the error names field, finding, what is allowed and the place", () => {
    assert.throws(
      () => read(UNIT.replace("52.0907", "152")),
      (error) => {
        assert.ok(isRemoraError(error));
        assert.deepEqual(error.details, {
          field: "lat",
          found: "152",
          allowed: "a number from -90 to 90",
          at: 0,
        });
        return true;
      },
    );
  });
});

test("unknown height and errors are undefined however they are spelled, and each form spells them its way", () => {
  for (const value of ["9999999.0", "9999999", "999999", "999999.0", "NaN", "nan", "Infinity"]) {
    assert.equal(read(UNIT.replace('hae="12.5"', `hae="${value}"`)).hae, undefined, value);
  }
  assert.equal(read(UNIT.replace(' hae="12.5"', "")).hae, undefined);
  assert.match(
    readMessage(read(BARE).bytes("protobuf")).xml(),
    /hae="9999999.0" ce="9999999.0" le="9999999.0"/,
  );
});

test("an XML event may have a declaration and space around it, and nothing else", () => {
  assert.equal(read(`\ufeff<?xml version="1.0" encoding="UTF-8"?>\n${UNIT}\n`).uid, "UNIT-7");
  expectRefused(`${UNIT}${UNIT}`, "xml-malformed");
  expectRefused(`${UNIT}x`, "xml-malformed");
  expectRefused(`<!DOCTYPE event>${UNIT}`, "xml-doctype");
  expectRefused(UNIT.slice(0, -3), "stream-cut");
  expectRefused("<auth/>", "xml-malformed");
  expectRefused("", "field-missing");
  expectRefused("no TAK at all", "protobuf-malformed");
});

test("a space in the end tag, by which nobody else would find the end, is left out", () => {
  assert.equal(Buffer.from(read(UNIT.replace("</event>", "</event \n>")).bytes("xml")).toString(), UNIT);
});

test("an event that is too large is refused before it is looked at", () => {
  const limits = cotLimits({ eventBytesMax: 200 });
  for (const format of ["xml", "protobuf"] as const) {
    const bytes = Buffer.from(read(UNIT).bytes(format));
    assert.throws(
      () => readMessage(bytes, limits),
      (error) => isRemoraError(error, "tak/event-too-large"),
    );
  }
});
