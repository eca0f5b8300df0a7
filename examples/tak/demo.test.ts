/** The demonstration's host with real clients on real sockets: what they send is filtered, changed and passed on. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type CotMessage, createMessage, type RunningTak, runTak, StreamReader } from "@remora/tak";
import { CoTParser } from "@tak-ps/node-cot";
import { buildExamples } from "../build.ts";

const configFile = fileURLToPath(new URL("demo.yaml", import.meta.url));
const theHague = { lat: 52.08, lon: 4.31 };
const amsterdam = { lat: 52.37, lon: 4.9 };

before(async () => {
  await buildExamples();
});

interface Client {
  readonly socket: Socket;
  readonly received: CotMessage[];
  /** Settles when so many events are there. */
  has(count: number): Promise<void>;
}

async function start(
  t: TestContext,
  changes: { recording?: boolean; file?: string } = {},
): Promise<RunningTak> {
  const managerFolder = await mkdtemp(join(tmpdir(), "remora-demo-"));
  const running = await runTak({
    configFile: changes.file ?? configFile,
    log: () => {},
    adapt: (config) => ({
      ...config,
      managerFolder,
      listeners: config.listeners.map((listener) => ({ ...listener, port: 0 })),
    }),
    ...(changes.recording && {
      recording: {
        file: fileURLToPath(new URL("recording/the-hague.cotrec.gz", import.meta.url)),
        speed: Number.POSITIVE_INFINITY,
        speedWithClients: 600,
      },
    }),
  });
  t.after(async () => {
    await running.close();
    await rm(managerFolder, { recursive: true });
  });
  return running;
}

async function client(t: TestContext, running: RunningTak): Promise<Client> {
  const socket = connect(running.connections.listening[0]?.port ?? 0, "127.0.0.1");
  t.after(() => socket.destroy());
  const received: CotMessage[] = [];
  const reader = new StreamReader({
    onMessage(message) {
      if (message.type.startsWith("a-")) received.push(message);
      socket.emit("event-received");
    },
    onBadEvent(error) {
      throw error;
    },
  });
  socket.on("data", (chunk: Buffer) => reader.push(chunk));
  const opened = running.connections.openCount;
  await once(socket, "connect");
  while (running.connections.openCount === opened) await new Promise((resolve) => setImmediate(resolve));
  return {
    socket,
    received,
    async has(count) {
      while (received.length < count) await once(socket, "event-received");
    },
  };
}

let lastUid = 0;
function event(position: { lat: number; lon: number }, detail = '<contact callsign="FALCON"/>'): CotMessage {
  lastUid++;
  const timeMs = Date.now();
  return createMessage(
    { type: "a-f-G-U-C", uid: `unit-${lastUid}`, ...position, timeMs, staleMs: timeMs + 60_000 },
    detail,
  );
}

test("what one client sends inside the fence reaches the others, marked; what is outside does not", async (t) => {
  const running = await start(t);
  const [sender, receiver] = [await client(t, running), await client(t, running)];
  const [outside, inside] = [event(amsterdam), event(theHague)];
  sender.socket.write(outside.xml() + inside.xml());
  await receiver.has(1);
  assert.deepEqual(
    receiver.received.map(({ uid }) => uid),
    [inside.uid],
  );
  const [got] = receiver.received;
  assert.match(got?.xml() ?? "", /<__remora seenMs="\d+"\/><\/detail>/);
  assert.equal(got?.callsign, "FALCON");
  assert.deepEqual(sender.received, [], "nobody gets back what they sent");
  const { messages, passed, blocked, changed } = running.stats();
  assert.deepEqual(
    { messages, passed, blocked, changed },
    { messages: 2, passed: 1, blocked: 1, changed: 1 },
  );
});

test("an independent codec reads what the host sends", async (t) => {
  const running = await start(t);
  const [sender, receiver] = [await client(t, running), await client(t, running)];
  const sent = event(theHague);
  sender.socket.write(sent.xml());
  await receiver.has(1);
  const cot = await CoTParser.from_xml(receiver.received[0]?.xml() ?? "");
  assert.equal(cot.uid(), sent.uid);
});

test("the second of two equal events is a duplicate, and a later position of the same unit is not", async (t) => {
  const running = await start(t);
  const [sender, receiver] = [await client(t, running), await client(t, running)];
  const first = event(theHague);
  const later = createMessage({
    type: first.type,
    uid: first.uid,
    ...theHague,
    timeMs: first.timeMs + 1,
    staleMs: first.staleMs,
  });
  sender.socket.write(first.xml() + first.xml() + later.xml());
  await receiver.has(2);
  assert.equal(running.stats().duplicates, 1);
});

test("bad input costs itself and nothing else, whoever sends it", async (t) => {
  const running = await start(t);
  const [good, receiver] = [await client(t, running), await client(t, running)];
  const laughs = `<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>`;
  const bad: (string | Buffer)[] = [
    event(theHague).xml().slice(0, 150),
    laughs + event(theHague).xml(),
    Buffer.from([0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
    "GET / HTTP/1.1\r\nHost: tak\r\n\r\n",
    Buffer.alloc(4_096, 0x01),
    `${event(theHague)
      .xml()
      .replace("</detail>", `<remarks>${"x".repeat(10 << 20)}</remarks></detail>`)}`,
    '<event version="2.0" uid="a" type="a-f" time="no time" start="" stale=""><point lat="900" lon="0"/></event>',
  ];
  let expected = 0;
  for (const input of bad) {
    const peer = await client(t, running);
    // The host may close while we still write: that is its answer.
    peer.socket.on("error", () => {});
    peer.socket.end(input);
    await once(peer.socket, "close");
    const sound = event(theHague);
    good.socket.write(sound.xml());
    expected++;
    await receiver.has(expected);
    assert.equal(receiver.received.at(-1)?.uid, sound.uid);
  }
});

test("a client that never reads does not hold up the others", async (t) => {
  const running = await start(t);
  const [sender, receiver, deaf] = [
    await client(t, running),
    await client(t, running),
    await client(t, running),
  ];
  deaf.socket.pause();
  const detail = `<remarks>${"x".repeat(60_000)}</remarks>`;
  const count = 400;
  for (let index = 0; index < count; index++) sender.socket.write(event(theHague, detail).xml());
  await receiver.has(count);
  deaf.socket.destroy();
});

test("a plugin that loops is stopped, and its messages are blocked or passed as the settings say", async (t) => {
  for (const onFailure of ["block", "pass"] as const) {
    const file = fileURLToPath(new URL(`hostile/build/loops-${onFailure}.yaml`, import.meta.url));
    await writeFile(
      file,
      `listeners: [{ id: clients, protocol: tcp, bind_addr: "127.0.0.1:0" }]
plugins:
  plugin_dir: .
  filters:
    - { id: loops, path: loops.wasm, on_failure: ${onFailure}, limits: { fuel: 100000, deadline_ms: 1000 } }
`,
    );
    const running = await start(t, { file });
    const [sender, receiver] = [await client(t, running), await client(t, running)];
    sender.socket.write(event(theHague).xml() + event(theHague).xml());
    if (onFailure === "pass") await receiver.has(2);
    else while (running.stats().messages < 2) await new Promise((resolve) => setImmediate(resolve));
    const { messages, failed, plugins } = running.stats();
    assert.deepEqual([messages, failed, plugins[0]?.traps], [2, 2, 2]);
    assert.equal(receiver.received.length, onFailure === "pass" ? 2 : 0);
  }
});

test("the recording is decided all the time, and a client sees it move", async (t) => {
  const running = await start(t, { recording: true });
  const watcher = await client(t, running);
  await watcher.has(50);
  const stats = running.stats();
  assert.ok(stats.passed > 0 && stats.blocked > 0);
  assert.deepEqual(
    stats.plugins.map(({ id, traps }) => [id, traps]),
    [
      ["geofence", 0],
      ["add-detail", 0],
    ],
  );
  assert.equal(stats.failed, 0);
});

test("a port that is taken is an error with a code, and nothing is left open", async (t) => {
  const running = await start(t);
  const port = running.connections.listening[0]?.port ?? 0;
  await assert.rejects(
    runTak({
      configFile,
      log: () => {},
      adapt: (config) => ({
        ...config,
        managerFolder: `${running.host.config.managerFolder}/other`,
        listeners: config.listeners.map((listener) => ({ ...listener, port })),
      }),
    }),
    { code: "tak/listen-failed" },
  );
});
