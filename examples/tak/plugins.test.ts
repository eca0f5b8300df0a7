import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { before, describe, test } from "node:test";
import { componentWit } from "@bytecodealliance/jco-transpile/wasm-tools";
import { ComponentError } from "remora/component";
import { buildExamples, componentPath, examplePlugins } from "../build.ts";
import {
  type Functions,
  instantiateOnJco,
  instantiateOnRemora,
  type RunningPlugin,
} from "./running-plugin.ts";

const theHague = { lat: 52.08, lon: 4.31 };
const amsterdam = { lat: 52.37, lon: 4.9 };
const pageSize = 65536;

const skipped = new Map<string, string>();

before(async () => {
  const report = await buildExamples();
  for (const { folder, reason } of report.skipped) skipped.set(folder, reason);
});

// jco is slow, and is here for the values that come out; a million calls are for our own runtime.
const runtimes = [
  { name: "Remora", instantiate: instantiateOnRemora, isOurs: true },
  { name: "jco", instantiate: instantiateOnJco, isOurs: false },
];

for (const { name, instantiate, isOurs } of runtimes) {
  const open = async (folder: string): Promise<RunningPlugin> =>
    instantiate(await readFile(componentPath(folder)), {
      "omnitak:plugin/host": {
        getCurrentTimeMs: () => 1_700_000_000_000n,
        log: () => {},
        queryElevation: () => undefined,
      },
      "remora:tak/messages": { Message },
      "remora:tak/types": {},
    });

  describe(`the filter that takes a record, on ${name}`, () => {
    test("passes what is inside the fence and blocks what is outside", async () => {
      const { filter } = interfacesOf(await open("tak/geofence-filter"));
      assert.equal(filter.evaluate(record(theHague)), "pass");
      assert.equal(filter.evaluate(record(amsterdam)), "block");
      assert.equal(filter.evaluate(record({ lat: Number.NaN, lon: 4.3 })), "block");
    });

    test("says who it is", async () => {
      const { filter } = interfacesOf(await open("tak/geofence-filter"));
      const metadata = filter.getMetadata();
      assert.equal(metadata.id, "geofence-filter");
      assert.equal(metadata.maxExecutionTimeUs, 10n);
      assert.equal(filter.describe(), metadata.description);
    });

    test("needs no more memory after many calls than after one", async () => {
      const plugin = await open("tak/geofence-filter");
      const { filter } = interfacesOf(plugin);
      const message = record(amsterdam);
      filter.evaluate(message);
      const memorySizeAtFirst = plugin.memorySize();
      const calls = isOurs ? 1_000_000 : 10_000;
      for (let call = 0; call < calls; call++) filter.evaluate(message);
      assert.equal(plugin.memorySize(), memorySizeAtFirst);
    });

    test("gives back the room of a message of four megabytes", async () => {
      const plugin = await open("tak/geofence-filter");
      const { filter } = interfacesOf(plugin);
      const large = { ...record(theHague), xmlPayload: "x".repeat(2_000_000) };
      assert.equal(filter.evaluate(large), "pass");
      const memorySizeAfterOne = plugin.memorySize();
      for (let call = 0; call < 20; call++) filter.evaluate(large);
      assert.ok(plugin.memorySize() <= memorySizeAfterOne + 4_000_000);
    });
  });

  describe(`the filter that is lent the message, on ${name}`, () => {
    test("decides like the other, and reads two fields", async () => {
      const reads: string[] = [];
      const { lazy } = interfacesOf(await open("tak/geofence-lazy"));
      assert.equal(lazy.evaluate(new Message(theHague, reads)), "pass");
      assert.equal(lazy.evaluate(new Message(amsterdam, reads)), "block");
      assert.deepEqual(reads, ["lat", "lon", "lat", "lon"]);
    });
  });

  describe(`the filters of many messages, on ${name}`, () => {
    test("answer a batch in its order", async () => {
      const { batch } = interfacesOf(await open("tak/geofence-batch"));
      const isInside = (index: number) => index % 3 === 0;
      const messages = Array.from({ length: 200 }, (_, index) =>
        record(isInside(index) ? theHague : amsterdam),
      );
      const expected = messages.map((_, index) => (isInside(index) ? "pass" : "block"));
      assert.deepEqual(batch.evaluateBatch(messages), expected);
      assert.deepEqual(batch.evaluateBatch([]), []);
      assert.deepEqual(batch.evaluateBatch(messages.slice(0, 2)), ["pass", "block"]);
    });

    test("answer columns in their order", async () => {
      const { columns } = interfacesOf(await open("tak/geofence-columns"));
      const positions = [theHague, amsterdam, theHague];
      const result = columns.evaluateColumns({
        lats: Float64Array.from(positions, (each) => each.lat),
        lons: Float64Array.from(positions, (each) => each.lon),
        haes: Float64Array.from(positions, () => Number.NaN),
      });
      assert.deepEqual(result, ["pass", "block", "pass"]);
    });

    test("trap on columns of different length", async () => {
      const { columns } = interfacesOf(await open("tak/geofence-columns"));
      const [two, one] = [new Float64Array(2), new Float64Array(1)];
      assert.throws(() => columns.evaluateColumns({ lats: two, lons: one, haes: two }));
    });

    test("need no more memory after many batches", async () => {
      const plugin = await open("tak/geofence-batch");
      const { batch } = interfacesOf(plugin);
      const messages = Array.from({ length: 64 }, () => record(theHague));
      for (let call = 0; call < 10; call++) batch.evaluateBatch(messages);
      const memorySizeAtFirst = plugin.memorySize();
      for (let call = 0; call < 1000; call++) batch.evaluateBatch(messages);
      assert.equal(plugin.memorySize(), memorySizeAtFirst);
    });
  });

  describe(`the transformer, on ${name}`, () => {
    const mark = '<__remora seenMs="1700000000000"/>';

    const cases = [
      {
        event: "<event><detail><a/></detail></event>",
        changed: `<event><detail><a/>${mark}</detail></event>`,
      },
      { event: "<event><detail/></event>", changed: `<event><detail>${mark}</detail></event>` },
      { event: "<event><point/></event>", changed: `<event><point/><detail>${mark}</detail></event>` },
      {
        event: "<event><detail>déjà vu 𝄞</detail></event>",
        changed: `<event><detail>déjà vu 𝄞${mark}</detail></event>`,
      },
    ];

    for (const { event, changed } of cases) {
      test(`makes ${changed} of ${event}`, async () => {
        const { transformer } = interfacesOf(await open("tak/add-detail-transformer"));
        assert.equal(text(transformer.transform(bytes(event))), changed);
      });
    }

    test("answers with an error for what is no event, and goes on with the next", async () => {
      const { transformer } = interfacesOf(await open("tak/add-detail-transformer"));
      for (const nonsense of ["<html/>", ""]) {
        assert.equal(
          payloadOf(() => transformer.transform(bytes(nonsense))),
          "no end of an event element",
        );
      }
      assert.equal(
        text(transformer.transform(bytes("<event></event>"))),
        `<event><detail>${mark}</detail></event>`,
      );
    });

    test("wants what stands for something in the world", async () => {
      const { transformer } = interfacesOf(await open("tak/add-detail-transformer"));
      assert.equal(transformer.canTransform("a-f-G-U-C"), true);
      assert.equal(transformer.canTransform("b-t-f"), false);
      assert.deepEqual(transformer.getMetadata().supportedTypes, ["a-*"]);
    });

    test("stays below half a megabyte through many thousand events", async () => {
      const plugin = await open("tak/add-detail-transformer");
      const { transformer } = interfacesOf(plugin);
      const event = bytes(`<event><detail>${"<a/>".repeat(200)}</detail></event>`);
      for (let call = 0; call < (isOurs ? 100_000 : 5000); call++) transformer.transform(event);
      assert.ok(plugin.memorySize() <= 8 * pageSize, `${plugin.memorySize()} bytes`);
    });
  });
}

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

type Interface = "filter" | "lazy" | "batch" | "columns" | "transformer";

function interfacesOf(plugin: RunningPlugin): Record<Interface, Functions> {
  // A component exports one or two of them; asking for another fails the test where it is used.
  return plugin.exports as Record<Interface, Functions>;
}

/** The error of a `result`: jco throws it bare, our runtime inside a `ComponentError`. */
function payloadOf(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error instanceof ComponentError ? error.payload : error;
  }
}

function bytes(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function text(value: Uint8Array): string {
  return new TextDecoder().decode(value);
}
