/** Every field of a message, through the guest library and back over the host's log, in both shapes. */

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { before, describe, test } from "node:test";
import { buildComponent } from "../../sdk/assemblyscript/build.ts";
import { type Functions, instantiateOnJco, instantiateOnRemora } from "./running-plugin.ts";

const witFolder = join(dirname(dirname(import.meta.dirname)), "worlds/tak/0.1.0");

const describeIt = `
  function textOr(value: string | null): string { return value === null ? "none" : value; }
  export function describe(): string { return "Tells its host what it was told 𝄞"; }
  export function getMetadata(): FilterMetadata {
    return { id: "teller", name: "Teller ü", version: "1", author: "", description: "", maxExecutionTimeUs: u64.MAX_VALUE };
  }`;

const recordSource = `
  import { CotMessage, FilterMetadata, FilterResult, log, LogLevel, queryElevation } from "remora/tak";
  export function evaluate(m: CotMessage): FilterResult {
    log(LogLevel.Warn, [m.cotType, m.uid, textOr(m.callsign), textOr(m.group), textOr(m.team), m.lat.toString(),
      m.lon.toString(), m.hae.toString(), m.time, textOr(m.xmlPayload), queryElevation(m.lat, m.lon).toString()].join("|"));
    return FilterResult.Block;
  }${describeIt}`;

const lazySource = `
  import { FilterMetadata, FilterResult, LazyMessage, log, LogLevel, queryElevation } from "remora/tak";
  export function evaluate(m: LazyMessage): FilterResult {
    log(LogLevel.Warn, [m.cotType, m.uid, textOr(m.callsign), textOr(m.group), textOr(m.team), m.lat.toString(),
      m.lon.toString(), m.hae.toString(), m.time, textOr(m.xmlPayload), queryElevation(m.lat, m.lon).toString(),
      m.how, m.ce.toString(), m.le.toString(), m.timeMs.toString(), m.staleMs.toString()].join("|"));
    return FilterResult.Block;
  }${describeIt}`;

const full = {
  cotType: "a-f-G-U-C",
  uid: "Ünïcode 𝄞 日本",
  callsign: "",
  group: "Blue",
  team: "Cyan",
  lat: -52.5,
  lon: 179.25,
  hae: -3.5,
  time: "2026-01-01T00:00:00.000Z",
  xmlPayload: `<event>${"x".repeat(20_000)}</event>`,
};
const bare = {
  ...full,
  callsign: undefined,
  group: undefined,
  team: undefined,
  hae: undefined,
  xmlPayload: undefined,
};
const more = { how: "m-g", ce: undefined, le: 2.5, timeMs: -5n, staleMs: 2n ** 53n + 1n };

const components = new Map<string, Uint8Array>();

before(async () => {
  const folder = await mkdtemp(join(tmpdir(), "remora-fields-"));
  for (const [name, source, world] of [
    ["record", recordSource, "omnitak:plugin/filter-plugin@0.1.0"],
    ["lazy", lazySource, "remora:tak/lazy-filter@0.1.0"],
  ] as const) {
    const entry = join(folder, `${name}.ts`);
    await writeFile(entry, source);
    components.set(name, await buildComponent({ entry, world, witFolder }));
  }
  await rm(folder, { recursive: true });
});

for (const { name, instantiate } of [
  { name: "Remora", instantiate: instantiateOnRemora },
  { name: "jco", instantiate: instantiateOnJco },
]) {
  describe(`what a plugin is told, on ${name}`, () => {
    test("as a record", async () => {
      const { exports, logged } = await open("record");
      for (const [message, elevation] of [
        [full, 12.25],
        [bare, undefined],
      ] as const) {
        assert.equal(exports.filter.evaluate(message), "block");
        assert.deepEqual(logged.pop(), ["warn", expected(message, elevation)]);
      }
      assert.equal(exports.filter.describe(), "Tells its host what it was told 𝄞");
      assert.equal(exports.filter.getMetadata().maxExecutionTimeUs, 2n ** 64n - 1n);
      assert.equal(exports.filter.getMetadata().name, "Teller ü");
    });

    test("when it asks", async () => {
      const { exports, logged } = await open("lazy");
      for (const [fields, elevation] of [
        [full, 12.25],
        [bare, undefined],
      ] as const) {
        assert.equal(exports.lazy.evaluate(new Message(fields)), "block");
        const own = [more.how, "NaN", String(more.le), String(more.timeMs), String(more.staleMs)];
        assert.deepEqual(logged.pop(), ["warn", [expected(fields, elevation), ...own].join("|")]);
      }
    });

    async function open(shape: string) {
      const logged: [level: string, message: string][] = [];
      // The first question gets an answer, the second none.
      const elevations = [12.25];
      const { exports } = await instantiate(components.get(shape) ?? assert.fail(shape), {
        "omnitak:plugin/host": {
          log: (level: string, message: string) => void logged.push([level, message]),
          getCurrentTimeMs: () => 0n,
          queryElevation: () => elevations.shift(),
        },
        "remora:tak/messages": { Message },
        "remora:tak/types": {},
      });
      return { exports: exports as Record<"filter" | "lazy", Functions>, logged };
    }
  });
}

type Fields = typeof full | typeof bare;

function expected(message: Fields, elevation: number | undefined): string {
  const { cotType, uid, callsign, group, team, lat, lon, hae, time, xmlPayload } = message;
  const text = (value: string | undefined) => value ?? "none";
  const number = (value: number | undefined) => (value === undefined ? "NaN" : String(value));
  return [
    ...[cotType, uid, text(callsign), text(group), text(team), number(lat), number(lon), number(hae)],
    ...[time, text(xmlPayload), number(elevation)],
  ].join("|");
}

class Message {
  readonly #fields: Fields;

  constructor(fields: Fields) {
    this.#fields = fields;
  }

  cotType() {
    return this.#fields.cotType;
  }

  uid() {
    return this.#fields.uid;
  }

  callsign() {
    return this.#fields.callsign;
  }

  group() {
    return this.#fields.group;
  }

  team() {
    return this.#fields.team;
  }

  lat() {
    return this.#fields.lat;
  }

  lon() {
    return this.#fields.lon;
  }

  hae() {
    return this.#fields.hae;
  }

  time() {
    return this.#fields.time;
  }

  xmlPayload() {
    return this.#fields.xmlPayload;
  }

  how() {
    return more.how;
  }

  ce() {
    return more.ce;
  }

  le() {
    return more.le;
  }

  timeMs() {
    return more.timeMs;
  }

  staleMs() {
    return more.staleMs;
  }
}
