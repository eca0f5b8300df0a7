import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { before, describe, test } from "node:test";
import { componentWit } from "@bytecodealliance/jco-transpile/wasm-tools";
import { buildExamples, componentPath, examplePlugins } from "../build.ts";
import { type Functions, instantiateOnJco, type JcoInstance } from "./with-jco.ts";

const theHague = { lat: 52.08, lon: 4.31 };
const amsterdam = { lat: 52.37, lon: 4.9 };
const pageSize = 65536;

const skipped = new Map<string, string>();

before(async () => {
  const report = await buildExamples();
  for (const { folder, reason } of report.skipped) skipped.set(folder, reason);
});

describe("the filter that takes a record", () => {
  test("passes what is inside the fence and blocks what is outside", async () => {
    const { filter } = await exportsOf("tak/geofence-filter");
    assert.equal(filter.evaluate(record(theHague)), "pass");
    assert.equal(filter.evaluate(record(amsterdam)), "block");
    assert.equal(filter.evaluate(record({ lat: Number.NaN, lon: 4.3 })), "block");
  });

  test("says who it is", async () => {
    const { filter } = await exportsOf("tak/geofence-filter");
    const metadata = filter.getMetadata();
    assert.equal(metadata.id, "geofence-filter");
    assert.equal(metadata.maxExecutionTimeUs, 10n);
    assert.equal(filter.describe(), metadata.description);
  });

  test("needs no more memory after a hundred thousand calls than after one", async () => {
    const instance = await instanceOf("tak/geofence-filter");
    const { filter } = interfaces(instance);
    filter.evaluate(record(theHague));
    const memorySizeAtFirst = instance.memorySize();
    const message = record(amsterdam);
    for (let call = 0; call < 100_000; call++) filter.evaluate(message);
    assert.equal(instance.memorySize(), memorySizeAtFirst);
  });

  test("gives back the room of a message of four megabytes", async () => {
    const instance = await instanceOf("tak/geofence-filter");
    const { filter } = interfaces(instance);
    const large = { ...record(theHague), xmlPayload: "x".repeat(2_000_000) };
    assert.equal(filter.evaluate(large), "pass");
    const memorySizeAfterOne = instance.memorySize();
    for (let call = 0; call < 20; call++) filter.evaluate(large);
    assert.ok(instance.memorySize() <= memorySizeAfterOne + 4_000_000);
  });

  test("is the same filter in C", async (t) => {
    await buildExamples();
    const reason = skipped.get("tak/geofence-c");
    if (reason !== undefined) return t.skip(reason);
    const { filter } = await exportsOf("tak/geofence-c");
    assert.equal(filter.evaluate(record(theHague)), "pass");
    assert.equal(filter.evaluate(record(amsterdam)), "block");
    assert.equal(filter.getMetadata().id, "geofence-c");
  });
});

describe("the filter that is lent the message", () => {
  test("decides like the other, and reads two fields", async () => {
    const reads: string[] = [];
    const { lazy } = await exportsOf("tak/geofence-lazy");
    assert.equal(lazy.evaluate(new Message(theHague, reads)), "pass");
    assert.equal(lazy.evaluate(new Message(amsterdam, reads)), "block");
    assert.deepEqual(reads, ["lat", "lon", "lat", "lon"]);
  });
});

describe("the filters of many messages", () => {
  test("answer a batch in its order", async () => {
    const { batch } = await exportsOf("tak/geofence-batch");
    const messages = Array.from({ length: 200 }, (_, index) =>
      record(index % 3 === 0 ? theHague : amsterdam),
    );
    const expected = messages.map((_, index) => (index % 3 === 0 ? "pass" : "block"));
    assert.deepEqual(batch.evaluateBatch(messages), expected);
    assert.deepEqual(batch.evaluateBatch([]), []);
    assert.deepEqual(batch.evaluateBatch(messages.slice(0, 2)), ["pass", "block"]);
  });

  test("answer columns in their order", async () => {
    const { columns } = await exportsOf("tak/geofence-columns");
    const positions = [theHague, amsterdam, theHague];
    const result = columns.evaluateColumns({
      lats: Float64Array.from(positions, (each) => each.lat),
      lons: Float64Array.from(positions, (each) => each.lon),
      haes: Float64Array.from(positions, () => Number.NaN),
    });
    assert.deepEqual(result, ["pass", "block", "pass"]);
  });

  test("trap on columns of different length", async () => {
    const { columns } = await exportsOf("tak/geofence-columns");
    assert.throws(() =>
      columns.evaluateColumns({
        lats: new Float64Array(2),
        lons: new Float64Array(1),
        haes: new Float64Array(2),
      }),
    );
  });

  test("need no more memory after many batches", async () => {
    const instance = await instanceOf("tak/geofence-batch");
    const { batch } = interfaces(instance);
    const messages = Array.from({ length: 64 }, () => record(theHague));
    for (let call = 0; call < 10; call++) batch.evaluateBatch(messages);
    const memorySizeAtFirst = instance.memorySize();
    for (let call = 0; call < 2000; call++) batch.evaluateBatch(messages);
    assert.equal(instance.memorySize(), memorySizeAtFirst);
  });
});

describe("the transformer", () => {
  const mark = '<__remora seenMs="1700000000000"/>';

  const cases = [
    { event: "<event><detail><a/></detail></event>", changed: `<event><detail><a/>${mark}</detail></event>` },
    { event: "<event><detail/></event>", changed: `<event><detail>${mark}</detail></event>` },
    { event: "<event><point/></event>", changed: `<event><point/><detail>${mark}</detail></event>` },
    {
      event: "<event><detail><remarks>déjà vu 𝄞 \u0000</remarks></detail></event>",
      changed: `<event><detail><remarks>déjà vu 𝄞 \u0000</remarks>${mark}</detail></event>`,
    },
  ];

  for (const { event, changed } of cases) {
    test(`makes ${changed} of ${event}`, async () => {
      const { transformer } = await exportsOf("tak/add-detail-transformer");
      assert.equal(text(transformer.transform(bytes(event))), changed);
    });
  }

  test("answers with an error for what is no event, and goes on with the next", async () => {
    const { transformer } = await exportsOf("tak/add-detail-transformer");
    assert.throws(
      () => transformer.transform(bytes("<html/>")),
      (reason) => reason === "no end of an event element",
    );
    assert.throws(
      () => transformer.transform(new Uint8Array()),
      (reason) => reason === "no end of an event element",
    );
    assert.equal(
      text(transformer.transform(bytes("<event></event>"))),
      `<event><detail>${mark}</detail></event>`,
    );
  });

  test("wants what stands for something in the world", async () => {
    const { transformer } = await exportsOf("tak/add-detail-transformer");
    assert.equal(transformer.canTransform("a-f-G-U-C"), true);
    assert.equal(transformer.canTransform("b-t-f"), false);
    assert.deepEqual(transformer.getMetadata().supportedTypes, ["a-*"]);
  });

  test("stays below half a megabyte through ten thousand events", async () => {
    const instance = await instanceOf("tak/add-detail-transformer");
    const { transformer } = interfaces(instance);
    const event = bytes(`<event><detail>${"<a/>".repeat(200)}</detail></event>`);
    for (let call = 0; call < 10_000; call++) transformer.transform(event);
    assert.ok(instance.memorySize() <= 8 * pageSize, `${instance.memorySize()} bytes`);
  });
});

test("each component is small, and imports and exports what its world says", async () => {
  for (const { folder, world } of examplePlugins) {
    if (skipped.has(folder)) continue;
    const component = await readFile(componentPath(folder));
    assert.ok(component.length <= 12 * 1024, `${folder} has ${component.length} bytes`);
    const wit = await componentWit(component);
    const exported = [...wit.matchAll(/export ([^;]+);/g)].map((match) => match[1]);
    assert.deepEqual(exported, exportsByWorld[world], folder);
    for (const [, imported = ""] of wit.matchAll(/import ([^;]+);/g)) {
      assert.match(imported, /^(omnitak:plugin\/host|remora:tak\/(types|messages))@0\.1\.0$/, folder);
    }
  }
});

const exportsByWorld: Record<string, string[]> = {
  "omnitak:plugin/filter-plugin@0.1.0": ["omnitak:plugin/filter@0.1.0", "omnitak:plugin/metadata@0.1.0"],
  "omnitak:plugin/transformer-plugin@0.1.0": [
    "omnitak:plugin/transformer@0.1.0",
    "omnitak:plugin/metadata@0.1.0",
  ],
  "remora:tak/lazy-filter@0.1.0": ["remora:tak/lazy@0.1.0"],
  "remora:tak/batch-filter@0.1.0": ["remora:tak/batch@0.1.0"],
  "remora:tak/column-filter@0.1.0": ["remora:tak/columns@0.1.0"],
};

interface Position {
  readonly lat: number;
  readonly lon: number;
}

function record(position: Position) {
  return {
    cotType: "a-f-G-U-C",
    uid: "ANDROID-1",
    callsign: "Kestrel",
    group: undefined,
    team: "Cyan",
    ...position,
    hae: 12.5,
    time: "2026-01-01T00:00:00.000Z",
    xmlPayload: undefined,
  };
}

/** The host's side of `remora:tak/messages`: notes which field is read. */
class Message {
  readonly #position: Position;
  readonly #reads: string[];

  constructor(position: Position, reads: string[]) {
    this.#position = position;
    this.#reads = reads;
  }

  lat(): number {
    this.#reads.push("lat");
    return this.#position.lat;
  }

  lon(): number {
    this.#reads.push("lon");
    return this.#position.lon;
  }
}

async function instanceOf(folder: string): Promise<JcoInstance> {
  return instantiateOnJco(await readFile(componentPath(folder)), {
    "omnitak:plugin/host": {
      getCurrentTimeMs: () => 1_700_000_000_000n,
      log: () => {},
      queryElevation: () => undefined,
    },
    "remora:tak/messages": { Message },
    "remora:tak/types": {},
  });
}

type Interface = "filter" | "lazy" | "batch" | "columns" | "transformer";

function interfaces(instance: JcoInstance): Record<Interface, Functions> {
  // A component exports one or two of them; asking for another fails the test where it is used.
  return instance.exports as Record<Interface, Functions>;
}

async function exportsOf(folder: string): Promise<Record<Interface, Functions>> {
  return interfaces(await instanceOf(folder));
}

function bytes(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function text(value: Uint8Array): string {
  return new TextDecoder().decode(value);
}
