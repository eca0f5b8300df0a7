import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatIsoTime, parseIsoTime, TIME_MS_MAX } from "./time.ts";

const parse = (text: string) => parseIsoTime(Buffer.from(text), 0, Buffer.byteLength(text));

test("every millisecond from 1970 to 9999 is read back from how it is written", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: TIME_MS_MAX }), (ms) => assert.equal(parse(formatIsoTime(ms)), ms)),
  );
  assert.equal(parse(formatIsoTime(TIME_MS_MAX)), TIME_MS_MAX);
});

test("times with a zone, without a fraction, and with digits behind the millisecond are read", () => {
  const expected: Readonly<Record<string, number>> = {
    "2026-03-14T09:26:53Z": Date.UTC(2026, 2, 14, 9, 26, 53),
    "2026-03-14T09:26:53": Date.UTC(2026, 2, 14, 9, 26, 53),
    "2026-03-14T09:26:53.5Z": Date.UTC(2026, 2, 14, 9, 26, 53, 500),
    "2026-03-14T09:26:53.123999Z": Date.UTC(2026, 2, 14, 9, 26, 53, 123),
    "2026-03-14T09:26:53.000+02:00": Date.UTC(2026, 2, 14, 7, 26, 53),
    "2026-03-14T09:26:53-05:30": Date.UTC(2026, 2, 14, 14, 56, 53),
    "2024-02-29T00:00:00Z": Date.UTC(2024, 1, 29),
  };
  for (const [text, ms] of Object.entries(expected)) assert.equal(parse(text), ms, text);
});

test("what is no date and time gives NaN", () => {
  const texts = [
    "",
    "2026-03-14",
    "2026-03-14 09:26:53Z",
    "2026-13-14T09:26:53Z",
    "2026-02-29T09:26:53Z",
    "1900-02-29T09:26:53Z",
    "2026-03-00T09:26:53Z",
    "2026-03-14T24:00:00Z",
    "2026-03-14T09:60:53Z",
    "2026-03-14T09:26:60Z",
    "2026-03-14T09:26:53.Z",
    "2026-03-14T09:26:53Zulu",
    "2026-03-14T09:26:53+2:00",
    "2026-03-14T09:26:53+99:00",
    "-026-03-14T09:26:53Z",
    "２026-03-14T09:26:53Z",
  ];
  for (const text of texts) assert.equal(parse(text), Number.NaN, text);
});
