/** A course that an instrument steers, and what becomes of one at a restart. */

import assert from "node:assert/strict";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openDecoder } from "../input/decoder.ts";
import type { RunSignalkOptions } from "../run.ts";
import { boatWith } from "../testing/boats.ts";
import { crossTrackMetres } from "./cross-track.ts";
import { disagreementsMax, staleMs } from "./instrument-course.ts";

const course = "/signalk/v2/api/vessels/self/navigation/course";
const here = { latitude: 52, longitude: 4 };
const there = { latitude: 53, longitude: 5 };
const chosen = { latitude: 51, longitude: 3 };

/** NMEA 0183: `$`, and after `*` all characters between them by exclusive or. */
function sentence(body: string): string {
  const sum = [...Buffer.from(body)].reduce((all, byte) => all ^ byte, 0);
  return `$${body}*${sum.toString(16).toUpperCase().padStart(2, "0")}`;
}

const rmb = sentence("GPRMB,A,0.66,L,003,004,5300.00,N,00500.00,E,001.3,052.5,000.5,V");
const elsewhere = sentence("GPRMB,A,0.66,L,003,004,5330.00,N,00500.00,E,001.3,052.5,000.5,V");
const nowhere = sentence("GPRMB,V,,,,,,,,,,,,V");

async function boat(t: TestContext, options: Partial<RunSignalkOptions> = {}) {
  const running = await boatWith(t, [], options);
  const decoder = await openDecoder("nmea0183");
  const at = (position: object) =>
    running.server.input(
      { updates: [{ values: [{ path: "navigation.position", value: position }] }] },
      "gps",
    );
  at(here);
  return {
    ...running,
    at,
    hear(sentence: string, label = "plotter") {
      const delta = decoder.decode(sentence);
      if (delta !== undefined) running.server.input(delta, label);
    },
    info: async () => (await running.fetch(course)).json,
    put: async (path: string, body: unknown) =>
      (await running.fetch(course + path, { method: "PUT", body })).status,
  };
}

test("a sentence that names a place sets the destination, from where the vessel is", async (t) => {
  const { hear, info } = await boat(t);
  hear(rmb);
  const { nextPoint, previousPoint, activeRoute, startTime } = await info();
  assert.deepEqual(nextPoint, { type: "Location", position: there, name: "DP" });
  assert.deepEqual(previousPoint, { type: "VesselPosition", position: here, name: "VP" });
  assert.deepEqual([activeRoute, startTime], [null, "2026-01-01T00:00:00.000Z"]);
});

test("the same instrument moves it and takes it back; another one does neither", async (t) => {
  const { hear, info } = await boat(t);
  hear(rmb);
  hear(elsewhere, "another");
  hear(nowhere, "another");
  assert.deepEqual((await info()).nextPoint.position, there);
  hear(elsewhere);
  assert.equal((await info()).nextPoint.position.latitude, 53.5);
  hear(nowhere);
  assert.equal((await info()).nextPoint, null);
});

test("an instrument that says nothing more has no destination after fifteen seconds", async (t) => {
  const { hear, info, clock } = await boat(t);
  hear(rmb);
  clock.move(staleMs - 1);
  hear(rmb);
  clock.move(staleMs - 1);
  assert.notEqual((await info()).nextPoint, null);
  clock.move(1);
  assert.equal((await info()).nextPoint, null);
});

test("what was set by the interface no instrument changes, until it is cleared", async (t) => {
  const { hear, info, put, fetch } = await boat(t);
  hear(rmb);
  assert.equal(await put("/destination", { position: chosen }), 200);
  hear(elsewhere);
  hear(nowhere);
  assert.deepEqual((await info()).nextPoint.position, chosen);
  await fetch(course, { method: "DELETE" });
  hear(rmb);
  assert.deepEqual((await info()).nextPoint.position, there);
});

test("with apiOnly no instrument sets a course, and one that did has it no more", async (t) => {
  const { hear, info, fetch } = await boat(t);
  hear(rmb);
  assert.equal((await fetch(`${course}/_config/apiOnly`, { method: "POST", body: {} })).status, 200);
  assert.deepEqual((await fetch(`${course}/_config`)).json, { apiOnly: true });
  hear(rmb);
  assert.equal((await info()).nextPoint, null);
  await fetch(`${course}/_config/apiOnly`, { method: "DELETE" });
  hear(rmb);
  assert.deepEqual((await info()).nextPoint.position, there);
});

test("whether instruments may set a course is known after a restart, and what else is in that file stays in it", async (t) => {
  const before = await boat(t);
  const { folder: dataFolder } = before;
  const file = join(dataFolder, "settings.json");
  await writeFile(file, '{"port":3000,"courseApi":{"other":1}}', { mode: 0o600 });
  await before.fetch(`${course}/_config/apiOnly`, { method: "POST", body: {} });
  await before.close();
  const kept = { port: 3000, courseApi: { other: 1, apiOnly: true } };
  assert.deepEqual(JSON.parse(await readFile(file, "utf8")), kept);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const after = await boat(t, { dataFolder });
  assert.deepEqual((await after.fetch(`${course}/_config`)).json, { apiOnly: true });
  after.hear(rmb);
  assert.equal((await after.info()).nextPoint, null);
  await after.fetch(`${course}/_config/apiOnly`, { method: "DELETE" });
  await after.close();
  assert.deepEqual((await (await boat(t, { dataFolder })).fetch(`${course}/_config`)).json, {
    apiOnly: false,
  });
});

test("settings that cannot be read are not written over", async (t) => {
  for (const text of ["{", "[]"]) {
    const { folder: dataFolder } = await boatWith(t, []);
    const file = join(dataFolder, "settings.json");
    await writeFile(file, text);
    const { fetch, close, lines } = await boat(t, { dataFolder });
    await fetch(`${course}/_config/apiOnly`, { method: "POST", body: {} });
    assert.deepEqual((await fetch(`${course}/_config`)).json, { apiOnly: true });
    await close();
    assert.equal(await readFile(file, "utf8"), text);
    assert.equal(lines.filter((line) => line.startsWith("The course cannot be kept")).length, 2);
  }
});

test("an instrument that is off another track than ours says so three times, and its track is ours", async (t) => {
  const { hear, info, clock } = await boat(t);
  for (let count = 0; count < disagreementsMax - 1; count++) hear(rmb);
  assert.deepEqual((await info()).previousPoint.position, here);
  clock.move(1_000);
  hear(rmb);
  const { previousPoint, nextPoint, startTime } = await info();
  assert.deepEqual([previousPoint.type, previousPoint.name], ["VesselPosition", "VP"]);
  const metres = crossTrackMetres(here, { from: previousPoint.position, to: nextPoint.position });
  // RMB says to steer left: it is to the right.
  assert.ok(Math.abs(metres - 0.66 * 1_852) < 1, String(metres));
  assert.equal(startTime, "2026-01-01T00:00:01.000Z");
  for (let count = 0; count < disagreementsMax; count++) hear(rmb);
  assert.deepEqual((await info()).previousPoint, previousPoint, "now they agree");
});

test("one that agrees in between has not said it three times", async (t) => {
  const { hear, info } = await boat(t);
  const onTrack = sentence("GPRMB,A,0.00,L,003,004,5300.00,N,00500.00,E,001.3,052.5,000.5,V");
  for (const said of [rmb, rmb, onTrack, rmb, rmb]) hear(said);
  assert.deepEqual((await info()).previousPoint.position, here);
});

test("the destination is said to come from the instrument that steers, and all else from the server", async (t) => {
  const { server, hear, put } = await boat(t);
  const sources = new Map<string, string>();
  server.onDelta(({ delta, version }) => {
    if (version !== 2) return;
    for (const { $source, values = [] } of delta.updates)
      for (const { path } of values) sources.set(path.slice("navigation.course.".length), $source);
  });
  hear(rmb);
  assert.deepEqual([sources.get("nextPoint"), sources.get("previousPoint")], ["plotter.GP", "courseApi"]);
  await put("/destination", { position: chosen });
  assert.equal(sources.get("nextPoint"), "courseApi");
});

test("a plugin that claims to be an instrument sets no course", async (t) => {
  const { server, info } = await boat(t);
  const values = [{ path: "navigation.courseRhumbline.nextPoint.position", value: there }];
  server.port.handleMessage("p", { updates: [{ source: { type: "NMEA0183" }, values }] }, 1);
  assert.equal((await info()).nextPoint, null);
});

test("the course is there after a restart, where signalk-server has it; one of an instrument is not", async (t) => {
  const before = await boat(t);
  await before.put("/destination", { position: chosen, arrivalCircle: 40 });
  const told = await before.info();
  await before.close();
  const { folder: dataFolder } = before;
  const file = join(dataFolder, "serverState/course/settings.json");
  assert.deepEqual(JSON.parse(await readFile(file, "utf8")), told);
  const after = await boat(t, { dataFolder });
  assert.deepEqual(await after.info(), told);
  after.hear(rmb);
  assert.deepEqual((await after.info()).nextPoint.position, chosen, "it is still the interface's");
  await after.fetch(course, { method: "DELETE" });
  after.hear(rmb);
  await after.close();
  assert.equal((await (await boat(t, { dataFolder })).info()).nextPoint, null);
});

test("a file that is no course is none", async (t) => {
  for (const text of [
    "{",
    "[]",
    '{"nextPoint":{"type":"Location","position":{"latitude":91,"longitude":0}}}',
  ]) {
    const { folder: dataFolder } = await boatWith(t, []);
    await mkdir(join(dataFolder, "serverState/course"), { recursive: true });
    await writeFile(join(dataFolder, "serverState/course/settings.json"), text);
    assert.equal((await (await boat(t, { dataFolder })).info()).nextPoint, null);
  }
});
