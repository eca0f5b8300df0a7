/**
 * What a filter costs on a stream of Cursor-on-Target events, limits on: one call in each shape beside the same
 * decision as a plain function, and the whole way from framed bytes to decision with and without the plugin.
 */

import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import {
  Chain,
  type CotMessage,
  createMessage,
  filterInterfaces,
  noElevation,
  openPluginStage,
  Player,
  type PluginStage,
  readRecording,
  StreamReader,
  takHostImports,
} from "@remora/tak";
import { CompileCache, defaultLimits, type Limits, load, openArtifact } from "remora/engine";
import { buildExamples, componentPath } from "../examples/build.ts";
import type { Figures } from "./main.ts";
import { measure, median, rounded, type Variant } from "./measure.ts";
import { message as record } from "./message.ts";

const limits: Limits = { ...defaultLimits, fuelMax: 1_000_000, deadlineMs: 50, memoryPagesMax: 64 };
const host = { log: () => {}, nowMs: Date.now, elevation: noElevation, audit: { write: () => {} } };
const imports = takHostImports("bench", host);

/** The fence of the example plugins as a plain function. */
const corners = [52.13, 4.2, 52.2, 4.37, 52.08, 4.45, 52.0, 4.36, 51.96, 4.1];

interface Filter {
  evaluate(message: unknown): "pass" | "block";
}

interface BatchFilter {
  evaluateBatch(messages: readonly unknown[]): readonly ("pass" | "block")[];
}

export async function run(): Promise<Figures> {
  await buildExamples();
  const calls = await callTimes();
  return { ...calls, ...(await pipeline()), ...(await loadTimes()), instanceKb: instanceKb() };
}

/** Nanoseconds of one call, or of one record of a batch. */
async function callTimes(): Promise<Figures> {
  const lent = new LentPosition(record.lat, record.lon);
  const batch = Array.from({ length: 64 }, () => record);
  const byRecord = await exportsOf<Filter>("geofence-filter", filterInterfaces.record);
  const recordCall = (name: string) => repeated(name, () => byRecord.evaluate(record) === "pass");
  const plainCall = repeated("plainFunctionNs", () => plainFence(record));

  // A process with one plugin first: with several, V8 sees many targets where it saw one.
  const alone = measure([recordCall("evaluateRecordNs"), plainCall]);

  const lazy = await exportsOf<Filter>("geofence-lazy", filterInterfaces.lazy);
  const batched = await exportsOf<BatchFilter>("geofence-batch", filterInterfaces.batch);
  const outcomes = [
    byRecord.evaluate(record),
    lazy.evaluate(lent),
    batched.evaluateBatch(batch)[63],
    plainFence(record) ? "pass" : "block",
  ];
  if (new Set(outcomes).size !== 1) throw new Error(`The variants disagree: ${outcomes.join(", ")}`);
  const together = measure([
    recordCall("evaluateRecordAmongOthersNs"),
    repeated("evaluateLazyNs", () => lazy.evaluate(lent) === "pass"),
    repeated("evaluateBatch64Ns", () => batched.evaluateBatch(batch)[0] === "pass"),
    plainCall,
  ]);
  const figures: Record<string, number> = {};
  for (const [name, { median: middle, min }] of [...alone, ...together]) {
    const records = name === "evaluateBatch64Ns" ? batch.length : 1;
    figures[name] = rounded(middle / records);
    figures[name.replace("Ns", "MinNs")] = rounded(min / records);
  }
  return figures;
}

/**
 * From bytes as they come from a socket, in pieces of 64 KiB, to a decision about each event: framing, parsing and
 * the chain, on this one thread. The recording holds XML and TAK protocol frames as they come; a real connection
 * carries one of the two. The geofence is the one that takes columns, which is what its author would choose for a
 * stream; the others stand beside it.
 */
async function pipeline(): Promise<Figures> {
  const { both, xml, protobuf, events } = await recordedStreams();
  const clock: StageClock = { inside: 0 };
  const stages = {
    columns: timed(await geofenceStage("geofence-columns"), clock),
    lazy: await geofenceStage("geofence-lazy"),
    record: await geofenceStage("geofence-filter"),
  };
  const variants = {
    none: streamVariant("none", both, new Chain([])),
    columns: streamVariant("columns", both, new Chain([stages.columns])),
    lazy: streamVariant("lazy", both, new Chain([stages.lazy])),
    record: streamVariant("record", both, new Chain([stages.record])),
    xml: streamVariant("xml", xml, new Chain([stages.columns])),
    protobuf: streamVariant("protobuf", protobuf, new Chain([stages.columns])),
  };
  const { messages, passed } = variants.columns.decide();
  if (messages !== events || passed === 0 || passed === events) {
    throw new Error(`The stream was not decided as it should be: ${passed} of ${messages} passed`);
  }
  for (const variant of [variants.lazy, variants.record]) {
    if (variant.decide().passed !== passed) throw new Error(`${variant.name} disagrees with the columns`);
  }

  // A count of 1 is the whole stream.
  const times = measure(Object.values(variants), { rounds: 25, roundMs: 40 });
  const nsOf = ({ name, messages: count }: StreamVariant) => (times.get(name)?.median ?? Number.NaN) / count;
  const shareOf = (variant: StreamVariant) => 1 - nsOf(variants.none) / nsOf(variant);
  const figures = {
    pipelineMessagesPerSecond: Math.round(1e9 / nsOf(variants.columns)),
    pluginShare: rounded(insideShare(variants.columns, clock), 4),
    pluginShareLazy: rounded(shareOf(variants.lazy), 4),
    pluginShareRecord: rounded(shareOf(variants.record), 4),
    pipelineNs: rounded(nsOf(variants.columns)),
    pipelineWithoutPluginNs: rounded(nsOf(variants.none)),
    pipelineXmlNs: rounded(nsOf(variants.xml)),
    pipelineProtobufNs: rounded(nsOf(variants.protobuf)),
    bytesPerMessage: Math.round(both.reduce((sum, chunk) => sum + chunk.length, 0) / events),
  };
  for (const stage of Object.values(stages)) stage.close();
  return figures;
}

/** Nanoseconds that a stage has taken, batch by batch. */
interface StageClock {
  inside: number;
}

/** The same stage with a clock around each batch: two looks at it for more than a hundred messages. */
function timed(stage: PluginStage, clock: StageClock): PluginStage {
  if (stage.kind !== "filter" || stage.decideBatch === undefined) return stage;
  const decideBatch = stage.decideBatch;
  return {
    ...stage,
    decideBatch(messages) {
      const started = process.hrtime.bigint();
      try {
        return decideBatch(messages);
      } finally {
        clock.inside += Number(process.hrtime.bigint() - started);
      }
    },
  };
}

/** The plugin's part of the time, both taken in the same passes: a difference of two runs would drown in noise. */
function insideShare(variant: StreamVariant, clock: StageClock): number {
  const shares: number[] = [];
  for (let pass = 0; pass < 15; pass++) {
    clock.inside = 0;
    const started = process.hrtime.bigint();
    variant.decide();
    shares.push(clock.inside / Number(process.hrtime.bigint() - started));
  }
  return median(shares);
}

/** Milliseconds from bytes to the first result, with nothing kept from the time before. */
async function loadTimes(): Promise<Figures> {
  const bytes = await readFile(componentPath("tak/geofence-filter"));
  const rounds: number[] = [];
  for (let round = 0; round < 21; round++) {
    const fresh = Uint8Array.from(bytes);
    const started = performance.now();
    const artifact = openArtifact(fresh, { cache: new CompileCache(), plugin: "geofence-filter" });
    const instance = artifact.instantiate({ imports, limits });
    // Exported under this name by the world of the example.
    (instance.exports[filterInterfaces.record] as Filter).evaluate(record);
    rounds.push(performance.now() - started);
    instance.close();
  }
  return {
    loadMs: rounded(median(rounds)),
    loadFirstMs: rounded(rounds[0] ?? 0),
    componentBytes: bytes.length,
  };
}

/** Measured in a process of its own: two hundred instances would change what V8 makes of every later call. */
function instanceKb(): number {
  const script = fileURLToPath(new URL("tak-instance.ts", import.meta.url));
  return Number(execFileSync(process.execPath, [script], { encoding: "utf8" }));
}

async function exportsOf<Exported>(name: string, face: string): Promise<Exported> {
  const bytes = await readFile(componentPath(`tak/${name}`));
  const instance = await load<Record<string, Exported>>(bytes, { imports, limits, plugin: name });
  const found = instance.exports[face];
  if (found === undefined) throw new Error(`${name} does not export ${face}`);
  return found;
}

async function geofenceStage(name: string): Promise<PluginStage> {
  return openPluginStage({
    id: name,
    kind: "filter",
    bytes: await readFile(componentPath(`tak/${name}`)),
    onFailure: "block",
    limits,
    grants: [],
    givesXml: false,
    host,
  });
}

interface StreamVariant extends Variant {
  readonly messages: number;
  decide(): { messages: number; passed: number };
}

function streamVariant(name: string, chunks: readonly Buffer[], chain: Chain): StreamVariant {
  const isBatched = name !== "lazy" && name !== "record";
  const through: CotMessage[] = [];
  const decide = () => {
    let messages = 0;
    let passed = 0;
    let batch: CotMessage[] = [];
    const reader = new StreamReader({
      onMessage(message) {
        messages++;
        if (isBatched) batch.push(message);
        else if (chain.run(message) !== undefined) passed++;
      },
      onBadEvent(error) {
        throw error;
      },
    });
    for (const chunk of chunks) {
      reader.push(chunk);
      chain.runBatch(batch, through);
      passed += through.length;
      batch = [];
    }
    return { messages, passed };
  };
  return {
    name,
    messages: decide().messages,
    decide,
    run(count) {
      let passed = 0;
      for (let index = 0; index < count; index++) passed += decide().passed;
      return passed;
    },
  };
}

async function recordedStreams() {
  const file = fileURLToPath(new URL("../examples/tak/recording/the-hague.cotrec.gz", import.meta.url));
  const player = new Player(readRecording(await readFile(file)), Date.UTC(2026, 5, 1));
  const frames = { xml: [] as Buffer[], protobuf: [] as Buffer[], both: [] as Buffer[] };
  const events = 20_000;
  for (let index = 0; index < events; index++) {
    const { bytes, format } = player.next();
    frames[format].push(bytes);
    frames.both.push(bytes);
  }
  return {
    events,
    both: inChunks(frames.both),
    xml: inChunks(frames.xml),
    protobuf: inChunks(frames.protobuf),
  };
}

function inChunks(frames: readonly Buffer[]): Buffer[] {
  const stream = Buffer.concat(frames);
  const chunkBytes = 64 * 1_024;
  const chunks: Buffer[] = [];
  for (let at = 0; at < stream.length; at += chunkBytes) chunks.push(stream.subarray(at, at + chunkBytes));
  return chunks;
}

/** What a lazy filter is lent, without a host behind it. */
const { Message } = imports["remora:tak/messages@0.1.0"] as { Message: new (options: object) => object };
class LentPosition extends Message {
  constructor(lat: number, lon: number) {
    super({ handsOutXml: false });
    const timeMs = Date.UTC(2026, 5, 1);
    const event = createMessage({ type: record.cotType, uid: record.uid, lat, lon, timeMs, staleMs: timeMs });
    Object.assign(this, { event });
  }
}

function plainFence({ lat, lon }: { lat: number; lon: number }): boolean {
  let inside = false;
  let previousLat = corners[corners.length - 2] as number;
  let previousLon = corners[corners.length - 1] as number;
  for (let index = 0; index < corners.length; index += 2) {
    const cornerLat = corners[index] as number;
    const cornerLon = corners[index + 1] as number;
    if (cornerLat > lat !== previousLat > lat) {
      const crossing =
        cornerLon + ((lat - cornerLat) / (previousLat - cornerLat)) * (previousLon - cornerLon);
      if (lon < crossing) inside = !inside;
    }
    previousLat = cornerLat;
    previousLon = cornerLon;
  }
  return inside;
}

function repeated(name: string, once: () => boolean): Variant {
  return {
    name,
    run(count) {
      let passed = 0;
      for (let index = 0; index < count; index++) if (once()) passed++;
      return passed;
    },
  };
}
