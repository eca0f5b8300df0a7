/**
 * Makes the bundled recording: `node hosts/tak/src/recording/generate.ts`. The same seed makes the same file, so
 * that a change in it is a change in here.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readMessage } from "../cot/event-decoder.ts";
import {
  type RecordedEvent,
  type RecordingHeader,
  type TimePlace,
  timeSize,
  writeRecording,
} from "./container.ts";
import { type Entity, makeEntities } from "./entities.ts";
import { alertXml, chatXml, reportXml } from "./event-text.ts";
import { Random } from "./random.ts";

/** The bundled recording's place in the repository. */
export const bundledRecording = join(
  import.meta.dirname,
  "../../../../examples/tak/recording/the-hague.cotrec.gz",
);

export interface GenerateOptions {
  readonly seed: number;
  readonly durationMs: number;
  readonly epochMs: number;
}

export const bundledOptions: GenerateOptions = {
  seed: 20_260_314,
  durationMs: 3_600_000,
  epochMs: Date.UTC(2026, 2, 14, 9),
};

/** The recording, ready to be written. */
export function generate(options: GenerateOptions): {
  header: RecordingHeader;
  events: readonly RecordedEvent[];
} {
  const random = new Random(options.seed);
  const entities = makeEntities(random);
  const written = [
    ...entities.flatMap((entity) => reports(entity, options, random)),
    ...chat(entities, options, random),
    ...alerts(entities, options, random),
  ];
  const events = written.toSorted((a, b) => a.offsetMs - b.offsetMs).map(recorded);
  const header = {
    name: "the-hague",
    description:
      "An hour around The Hague: patrols, traffic on roads, at sea and in the air, sightings, chat",
    epochMs: options.epochMs,
    durationMs: options.durationMs,
    events: events.length,
    entities: entities.length,
  };
  return { header, events };
}

/** An event as XML, and the form that it is to be recorded in. */
interface Written {
  readonly offsetMs: number;
  readonly format: Entity["format"];
  readonly xml: string;
}

function reports(entity: Entity, { durationMs, epochMs }: GenerateOptions, random: Random): Written[] {
  const all: Written[] = [];
  for (let seconds = entity.phaseSeconds; seconds * 1_000 < durationMs; seconds += entity.intervalSeconds) {
    // A network delivers when it can: up to a quarter of a second later than the position was taken.
    const takenMs = Math.round(seconds * 1_000);
    const offsetMs = Math.min(takenMs + random.integer(0, 250), durationMs - 1);
    const motion = entity.track.at(seconds);
    all.push({
      offsetMs,
      format: entity.format,
      xml: reportXml({ entity, motion, timeMs: epochMs + takenMs }),
    });
  }
  return all;
}

const lines = [
  "In position",
  "Moving to CP 3",
  "Two vehicles northbound, fast",
  "Copy, on our way",
  "Bridge is clear",
  "Need water & batteries",
  "Boat <6 m at the pier, no lights",
  "Say again?",
] as const;

function chat(entities: readonly Entity[], options: GenerateOptions, random: Random): Written[] {
  return Array.from({ length: 90 }, () => {
    const entity = clientOf(entities, random);
    const offsetMs = random.integer(0, options.durationMs - 1);
    const motion = entity.track.at(offsetMs / 1_000);
    const line = { entity, motion, timeMs: options.epochMs + offsetMs };
    const xml = chatXml({ ...line, messageId: random.uuid(), text: random.pick(lines) });
    return { offsetMs, format: entity.format, xml };
  });
}

/** Three emergencies, each with its end five minutes later. */
function alerts(entities: readonly Entity[], options: GenerateOptions, random: Random): Written[] {
  return [0.15, 0.45, 0.8].flatMap((share) => {
    const entity = clientOf(entities, random);
    return [0, 300_000].map((laterMs) => {
      const offsetMs = Math.min(Math.round(share * options.durationMs) + laterMs, options.durationMs - 1);
      const motion = entity.track.at(offsetMs / 1_000);
      const report = { entity, motion, timeMs: options.epochMs + offsetMs };
      return { offsetMs, format: entity.format, xml: alertXml(report, laterMs > 0) };
    });
  });
}

function clientOf(entities: readonly Entity[], random: Random): Entity {
  const [first, ...others] = entities.filter(({ detail }) => detail.kind === "client");
  if (first === undefined) throw new Error("There are no clients among the entities");
  return random.pick([first, ...others]);
}

function recorded({ offsetMs, format, xml }: Written): RecordedEvent {
  const message = readMessage(Buffer.from(xml));
  const bytes = format === "xml" ? Buffer.from(message.bytes("xml")) : frameOf(message.bytes("protobuf"));
  const times = isoPlaces(bytes);
  if (format === "protobuf") {
    const all = new Set([message.timeMs, message.startMs, message.staleMs]);
    for (const timeMs of all) times.push(...varintPlaces(bytes, timeMs));
  }
  return { offsetMs, format, bytes, times: times.toSorted((a, b) => a.offset - b.offset) };
}

/** protocol.txt, "Streaming Connections": BF, the length as a varint, the TakMessage. */
function frameOf(message: Uint8Array): Buffer {
  const head = [0xbf];
  let left = message.length;
  for (; left >= 0x80; left >>>= 7) head.push((left & 0x7f) | 0x80);
  return Buffer.concat([Uint8Array.from([...head, left]), message]);
}

function isoPlaces(bytes: Buffer): TimePlace[] {
  const times = bytes.toString("latin1").matchAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g);
  return Array.from(times, ({ index }) => ({ offset: index, kind: "iso" }));
}

/** Six bytes of a time of our own making do not turn up by accident; three of them are expected. */
function varintPlaces(bytes: Buffer, timeMs: number): TimePlace[] {
  let left = timeMs;
  const wanted = Buffer.from(
    Array.from({ length: timeSize.varint }, (_, index) => {
      const byte = (left % 128) | (index === timeSize.varint - 1 ? 0 : 0x80);
      left = Math.floor(left / 128);
      return byte;
    }),
  );
  const places: TimePlace[] = [];
  for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + 1)) {
    places.push({ offset: at, kind: "varint" });
  }
  return places;
}

if (import.meta.main) {
  const { header, events } = generate(bundledOptions);
  mkdirSync(dirname(bundledRecording), { recursive: true });
  writeFileSync(bundledRecording, writeRecording(header, events));
}
