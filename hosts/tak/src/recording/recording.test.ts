import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { CoTParser } from "@tak-ps/node-cot";
import fc from "fast-check";
import { isRemoraError } from "remora/base";
import { Aggregator } from "../aggregate.ts";
import type { CotMessage } from "../cot/message.ts";
import { StreamReader } from "../cot/stream-reader.ts";
import { type RecordedEvent, type Recording, readRecording, writeRecording } from "./container.ts";
import { bundledOptions, bundledRecording, generate } from "./generate.ts";
import { type PlayClock, Player, play } from "./player.ts";

const bundled = readRecording(readFileSync(bundledRecording));
const startMs = Date.UTC(2031, 11, 31, 23, 30);

/** The messages of some bytes as a stream; anything bad in it is a failure. */
function messagesOf(bytes: Uint8Array): CotMessage[] {
  const messages: CotMessage[] = [];
  const reader = new StreamReader({
    onMessage: (message) => messages.push(message),
    onBadEvent: (error) => assert.fail(error.message),
  });
  reader.push(Buffer.from(bytes));
  return messages;
}

function oneMessage(bytes: Uint8Array): CotMessage {
  const [message, ...others] = messagesOf(bytes);
  assert.ok(message !== undefined && others.length === 0);
  return message;
}

const iso = "2026-03-14T09:00:00.000Z";

const small = (offsetsMs: readonly number[], durationMs = 1_000): Recording => {
  const events = offsetsMs.map((offsetMs): RecordedEvent => {
    const bytes = Buffer.from(`<event time="${iso}"/>`);
    return { offsetMs, format: "xml", bytes, times: [{ offset: 13, kind: "iso" }] };
  });
  const header = {
    name: "n",
    description: "d",
    epochMs: Date.parse(iso),
    durationMs,
    events: events.length,
    entities: 1,
  };
  return { header, events };
};

const timeIn = (bytes: Uint8Array) => Date.parse(Buffer.from(bytes).toString("latin1").slice(13, 37));

test("the bundled recording is what its generator makes", () => {
  const { header, events } = generate(bundledOptions);
  assert.deepEqual(bundled.header, header);
  assert.equal(
    bundled.events.findIndex((event, index) => {
      const made = events[index];
      return (
        made === undefined ||
        event.offsetMs !== made.offsetMs ||
        event.format !== made.format ||
        Buffer.compare(event.bytes, made.bytes) !== 0 ||
        JSON.stringify(event.times) !== JSON.stringify(made.times)
      );
    }),
    -1,
  );
});

test("the bundled recording has hundreds of entities, all affiliations and dimensions, and both forms", () => {
  const uids = new Set<string>();
  const types = new Set<string>();
  const formats = { xml: 0, protobuf: 0 };
  for (const { bytes, format, offsetMs } of bundled.events) {
    const message = oneMessage(bytes);
    uids.add(message.uid);
    types.add(message.type);
    formats[format]++;
    assert.equal(message.format, format);
    assert.ok(offsetMs >= 0 && offsetMs < bundled.header.durationMs);
  }
  assert.ok(uids.size >= 300, String(uids.size));
  for (const start of [
    "a-f-G",
    "a-h-G",
    "a-n-G",
    "a-u-G",
    "a-f-A",
    "a-n-A",
    "a-h-A",
    "a-f-S",
    "a-n-S",
    "a-u-S",
  ]) {
    assert.ok(
      [...types].some((type) => type.startsWith(start)),
      start,
    );
  }
  for (const type of ["b-t-f", "b-m-p-s-m", "b-m-p-s-p-loc", "b-a-o-tbl", "b-a-o-can"]) {
    assert.ok(types.has(type), type);
  }
  assert.ok(formats.xml > 5_000 && formats.protobuf > 5_000, JSON.stringify(formats));
});

test("nothing in the bundled recording is faster between two reports than its kind can be", () => {
  const last = new Map<string, { timeMs: number; lat: number; lon: number }>();
  for (const { bytes } of bundled.events) {
    const message = oneMessage(bytes);
    if (!message.type.startsWith("a-")) continue;
    const before = last.get(message.uid);
    last.set(message.uid, { timeMs: message.timeMs, lat: message.lat, lon: message.lon });
    if (before === undefined || message.timeMs <= before.timeMs) continue;
    const north = (message.lat - before.lat) * 111_195;
    const east = (message.lon - before.lon) * 111_195 * Math.cos((message.lat * Math.PI) / 180);
    const speed = Math.hypot(north, east) / ((message.timeMs - before.timeMs) / 1_000);
    const fastest = message.type.includes("-A") ? 400 : 50;
    assert.ok(speed < fastest, `${message.uid} ${message.type} ${speed} m/s`);
  }
});

test("an independent codec reads both forms and finds the same position and time", async () => {
  for (const { bytes, format } of bundled.events.filter((_, index) => index % 211 === 0)) {
    const ours = oneMessage(bytes);
    const theirs =
      format === "xml"
        ? CoTParser.from_xml(Buffer.from(bytes))
        : await CoTParser.from_proto(ours.bytes("protobuf"));
    const { _attributes: event, point } = theirs.raw.event;
    assert.deepEqual(
      [event.uid, Date.parse(event.time), Number(point._attributes.lat), Number(point._attributes.lon)],
      [ours.uid, ours.timeMs, ours.lat, ours.lon],
    );
  }
});

test("played, an event is the recorded one at another time", () => {
  const player = new Player(bundled, startMs);
  const shiftMs = startMs - bundled.header.epochMs;
  for (const { bytes, offsetMs } of bundled.events) {
    const played = player.next();
    const [before, after] = [oneMessage(bytes), oneMessage(played.bytes)];
    assert.equal(played.dueMs, offsetMs);
    assert.deepEqual(
      [after.uid, after.type, after.lat, after.lon, after.callsign],
      [before.uid, before.type, before.lat, before.lon, before.callsign],
    );
    assert.deepEqual(
      [after.timeMs, after.startMs, after.staleMs],
      [before.timeMs + shiftMs, before.startMs + shiftMs, before.staleMs + shiftMs],
    );
  }
});

test("no event of a later round is a duplicate of an earlier one", () => {
  const player = new Player(bundled, startMs);
  const aggregator = new Aggregator();
  for (let n = 0; n < bundled.events.length * 3; n++) {
    assert.ok(aggregator.isNew(oneMessage(player.next().bytes)));
  }
  assert.equal(player.rounds, 3);
});

test("what was given out stays as it was", () => {
  const player = new Player(small([0, 10]), startMs);
  const kept = Array.from({ length: 5_000 }, () => player.next().bytes);
  kept.forEach((bytes, index) => {
    assert.equal(timeIn(bytes), startMs + Math.floor(index / 2) * 1_000);
  });
});

test("times in any of the bundled events come out as Date writes them", () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date(2 ** 35 + 1), max: new Date(2 ** 42 - 2), noInvalidDate: true }),
      (date) => {
        const player = new Player(small([0]), date.getTime());
        assert.ok(Buffer.from(player.next().bytes).toString().includes(date.toISOString()));
      },
    ),
  );
});

test("after the last year that fits, playing begins again in the first", () => {
  const startMs = 2 ** 42 - 2_500;
  const player = new Player(small([0]), startMs);
  const seen = Array.from({ length: 4 }, () => timeIn(player.next().bytes));
  assert.deepEqual(seen, [startMs, startMs + 1_000, startMs, startMs + 1_000]);
});

/** A clock that moves only while somebody sleeps. */
function fakeClock(): PlayClock & { nowMs: number } {
  const clock = {
    nowMs: 0,
    now: () => clock.nowMs,
    async sleep(ms: number) {
      clock.nowMs += ms;
    },
  };
  return clock;
}

test("each event is handed over when it is due, at the chosen speed", async () => {
  const clock = fakeClock();
  const atMs: number[] = [];
  const player = new Player(small([0, 100, 100, 900]), startMs);
  await play(player, { speed: 2, rounds: 2, clock }, () => void atMs.push(clock.nowMs));
  assert.deepEqual(atMs, [0, 50, 50, 450, 500, 550, 550, 950]);
});

test("a speed that changes holds from there on, without catching up", async () => {
  const clock = fakeClock();
  const atMs: number[] = [];
  const player = new Player(small([0, 100, 200, 300]), startMs);
  let speed = Number.POSITIVE_INFINITY;
  await play(player, { speed: () => speed, rounds: 1, clock }, () => {
    atMs.push(clock.nowMs);
    if (atMs.length === 2) speed = 0.5;
  });
  assert.deepEqual(atMs, [0, 0, 0, 200]);
});

test("as fast as it goes, nobody waits, and others get their turn", async () => {
  const clock = fakeClock();
  const turns: number[] = [];
  clock.sleep = async (ms) => {
    turns.push(ms);
  };
  let events = 0;
  const player = new Player(small([0, 500]), startMs);
  await play(player, { speed: Number.POSITIVE_INFINITY, rounds: 500, clock }, () => void events++);
  assert.equal(events, 1_000);
  assert.equal(turns.length, 3);
  assert.ok(turns.every((ms) => ms === 0));
});

test("an aborted signal ends it, also in the middle of waiting", async () => {
  const ending = new AbortController();
  let events = 0;
  const playing = play(new Player(small([0, 900]), startMs), { speed: 0.001, signal: ending.signal }, () => {
    events++;
    ending.abort();
  });
  await playing;
  assert.equal(events, 1);
  const waiting = new AbortController();
  const slow = play(new Player(small([900]), startMs), { speed: 0.001, signal: waiting.signal }, () => {
    assert.fail("it was not due");
  });
  waiting.abort();
  await slow;
});

test("a speed that is none, and a recording without events, are refused", async () => {
  for (const speed of [0, -1, Number.NaN]) {
    await assert.rejects(
      play(new Player(small([0]), startMs), { speed }, () => {}),
      RangeError,
    );
  }
  assert.throws(() => new Player(small([]), startMs), RangeError);
  assert.throws(() => new Player(small([0]), Number.NaN), RangeError);
});

test("what is written is read again", () => {
  const recording = small([0, 3, 3, 999]);
  assert.deepEqual(readRecording(writeRecording(recording.header, recording.events)), recording);
});

test("a file that was cut or damaged is tak/recording-malformed, or another recording", () => {
  const recording = small([0, 3, 3, 999]);
  const whole = gunzipSync(writeRecording(recording.header, recording.events));
  const expectMalformed = (file: Uint8Array) => {
    assert.throws(
      () => readRecording(file),
      (error) => isRemoraError(error, "tak/recording-malformed"),
    );
  };
  expectMalformed(new Uint8Array(0));
  expectMalformed(Buffer.from("no gzip"));
  for (let size = 0; size < whole.length; size++) expectMalformed(gzipSync(whole.subarray(0, size)));
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ flip;
      try {
        readRecording(gzipSync(damaged, { level: 1 }));
      } catch (error) {
        assert.ok(isRemoraError(error, "tak/recording-malformed"), String(error));
      }
    }),
  );
});
