import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { SignalkServer } from "../server.ts";
import { temporaryFolder } from "../testing/boats.ts";
import { openDecoder } from "./decoder.ts";
import { type InputSettings, openInput } from "./inputs.ts";
import { Lines } from "./lines.ts";
import { recordedTrip } from "./recorded-trip.ts";

const depthSentence = "$SDDPT,2.4,0.5*54";

async function heardFrom(t: TestContext, from: InputSettings["from"]) {
  const server = new SignalkServer({ self: "urn:mrn:signalk:uuid:1" });
  const first = new Promise<string>((resolve) => {
    server.onDelta(({ delta }) => resolve(delta.updates[0]?.$source ?? ""));
  });
  const input = await openInput({ label: "wire", decoder: "nmea0183", from }, server, () => {});
  t.after(() => input.close());
  return { server, first, input };
}

test("every second of the recording is understood, and all of its instruments are heard", async () => {
  const decoder = await openDecoder("nmea0183");
  const paths = new Set<string>();
  for (const sentences of recordedTrip()) {
    for (const sentence of sentences) {
      const delta = decoder.decode(sentence);
      assert.ok(delta !== undefined, sentence);
      for (const { path } of delta.updates.flatMap(({ values }) => values ?? [])) paths.add(path);
    }
  }
  for (const path of [
    "navigation.position",
    "navigation.speedOverGround",
    "environment.depth.belowTransducer",
    "environment.wind.angleApparent",
    "environment.wind.speedApparent",
    "navigation.speedThroughWater",
    "navigation.headingTrue",
  ]) {
    assert.ok(paths.has(path), path);
  }
});

test("a sentence that is none is left out", async () => {
  const decoder = await openDecoder("nmea0183");
  for (const line of ["", "hello", "$SDDPT,2.4,0.5*00", "$XXXXX*00", "\u0000"])
    assert.equal(decoder.decode(line), undefined);
});

test("a decoder that is not installed is an error that names its package", async () => {
  await assert.rejects(openDecoder("n2k"), { code: "signalk/no-decoder", message: /@canboat\/canboatjs/ });
});

test("a UDP port is heard, with the talker as its source", async (t) => {
  const probe = createSocket("udp4");
  probe.bind(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  const { first, server } = await heardFrom(t, { kind: "udp", port, address: "127.0.0.1" });
  const sender = createSocket("udp4");
  t.after(() => sender.close());
  let isHeard = false;
  void first.then(() => {
    isHeard = true;
  });
  // The port may not be open yet, and UDP loses what nobody waits for.
  for (let tries = 0; !isHeard && tries < 1_000; tries++) {
    await new Promise<void>((resolve) =>
      sender.send(depthSentence, port, "127.0.0.1", () => setImmediate(resolve)),
    );
  }
  assert.ok(isHeard);
  assert.equal(await first, "wire.SD");
  assert.equal(server.model.leaf("vessels.self", "environment.depth.belowTransducer")?.value, 2.4);
});

test("a TCP server is heard", async (t) => {
  const server = createServer((socket) => socket.end(`${depthSentence}\r\n`));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  assert.equal(await (await heardFrom(t, { kind: "tcp", host: "127.0.0.1", port })).first, "wire.SD");
});

test("a file is played", async (t) => {
  const path = join(await temporaryFolder(t), "trip.log");
  await writeFile(path, `${depthSentence}\n`.repeat(100));
  assert.equal(await (await heardFrom(t, { kind: "file", path, linesPerSecond: 1_000 })).first, "wire.SD");
});

test("lines come whole however they are cut, and one that does not end takes no other with it", () => {
  const lines: string[] = [];
  const cut = new Lines((line) => lines.push(line));
  for (const part of ["a", "b\r", "\nc\n\nd", "\n", "x".repeat(9_000), "y\nz\n"]) cut.write(part);
  assert.deepEqual(lines, ["ab", "c", "d", "z"]);
});
