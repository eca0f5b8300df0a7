/** NMEA 2000 through Signal K's own decoders, as they come with signalk-server: from a file, over TCP, and over UDP. */

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type Answer, openRealServer, until, whyNoServer } from "./real-server.ts";

/** As Actisense's gateways write them: a heading of 1.5708 rad, a depth of 2.4 m. `source` is an address on the bus. */
const gatewayLines = (source: number) => [
  `2026-01-01T12:00:00.000Z,2,127250,${source},255,8,ff,5c,3d,ff,7f,ff,7f,fc`,
  `2026-01-01T12:00:00.000Z,3,128267,${source},255,8,ff,f0,00,00,00,00,00,ff`,
];

/** As canboat's `analyzer -json -si -camel` writes it. */
const analyzerLine = (source: number) =>
  JSON.stringify({
    timestamp: "2026-01-01T12:00:00.000Z",
    prio: 2,
    src: source,
    dst: 255,
    pgn: 129026,
    description: "COG & SOG, Rapid Update",
    fields: { sid: 1, cogReference: "True", cog: 1.0821, sog: 3.15 },
  });

const self = "/signalk/v1/api/vessels/self";

test("NMEA 2000 is heard from a file, over TCP and over UDP, each address of the bus a source of its own", async (t) => {
  const missing = await whyNoServer();
  if (missing !== undefined) return t.skip(missing);
  const lines = (source: number) => `${[...gatewayLines(source), analyzerLine(source)].join("\n")}\n`;
  const udpPort = await freeUdpPort();
  const inputs = [
    { kind: "file", path: await fileWith(t, lines(7)), linesPerSecond: 100 },
    { kind: "tcp", host: "127.0.0.1", port: await serving(t, lines(8)) },
    { kind: "udp", address: "127.0.0.1", port: udpPort },
  ].map((from) => ({ label: from.kind, decoder: "n2k", from }));
  const server = await openRealServer(t, "small", [], { INPUTS: JSON.stringify(inputs) });
  await sent(udpPort, lines(9));

  const expected = { "file.7": 1.5708, "tcp.8": 1.5708, "udp.9": 1.5708 };
  const headings = await until(
    server,
    `${self}/navigation/headingTrue/values`,
    (answer) => Object.keys(valuesOf(answer)).length === 3,
  );
  assert.deepEqual(valuesOf(headings), expected);
  const depths = await server.request(`${self}/environment/depth/belowTransducer/values`);
  assert.deepEqual(valuesOf(depths), { "file.7": 2.4, "tcp.8": 2.4, "udp.9": 2.4 });
  const speeds = await until(
    server,
    `${self}/navigation/speedOverGround/values`,
    (answer) => Object.keys(valuesOf(answer)).length === 3,
  );
  assert.deepEqual(valuesOf(speeds), { "file.7": 3.15, "tcp.8": 3.15, "udp.9": 3.15 });
});

/** Values by their source. */
function valuesOf({ status, body }: Answer): Record<string, number> {
  if (status !== 200) return {};
  const values = Object.entries<{ value: number }>(body).map(
    ([source, { value }]) => [source, value] as const,
  );
  return Object.fromEntries(values.toSorted());
}

async function fileWith(t: TestContext, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "remora-n2k-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, "bus.log");
  await writeFile(path, text);
  return path;
}

/** The port of a TCP server that says this to whoever comes. */
async function serving(t: TestContext, text: string): Promise<number> {
  const server = createServer((socket) => socket.on("error", () => {}).write(text));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  // Its connections end with the process that opened them.
  server.unref();
  return (server.address() as AddressInfo).port; // a TCP server has a port
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}

/** The server opens its inputs before it listens to others, so nothing is lost. */
async function sent(port: number, text: string): Promise<void> {
  const socket = createSocket("udp4");
  for (const line of text.trimEnd().split("\n")) {
    await new Promise<void>((resolve) => socket.send(line, port, "127.0.0.1", () => resolve()));
  }
  socket.close();
}
