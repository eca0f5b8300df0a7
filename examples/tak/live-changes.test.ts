/** What an operator does to the plugins of a stream that runs, and that no message is lost by it. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createMessage, type RunningTak, runTak, StreamReader, type TakConfig } from "@remora/tak";
import { generateKeyPair, type Isolation, signBundle } from "remora/bundle";
import { buildExamples, bundlePath, componentPath } from "../build.ts";

before(async () => {
  await buildExamples();
});

type PluginEntry = Extract<TakConfig["chain"][number], { kind: "plugin" }>;

async function start(t: TestContext, isolation?: Isolation): Promise<RunningTak> {
  const managerFolder = await mkdtemp(join(tmpdir(), "remora-live-"));
  const running = await runTak({
    configFile: fileURLToPath(new URL("demo.yaml", import.meta.url)),
    log: () => {},
    adapt: (config) => ({
      ...config,
      managerFolder,
      listeners: config.listeners.map((listener) => ({ ...listener, port: 0 })),
      chain: config.chain.map((entry) =>
        entry.kind === "plugin" && isolation !== undefined ? behindWall(entry, isolation) : entry,
      ),
    }),
  });
  t.after(async () => {
    await running.close();
    await rm(managerFolder, { recursive: true });
  });
  return running;
}

/** What a guest waits for the host counts towards its deadline, and the host is busy here with the test. */
function behindWall(entry: PluginEntry, isolation: Isolation): PluginEntry {
  const { plugin } = entry;
  return { ...entry, plugin: { ...plugin, isolation, limits: { ...plugin.limits, deadlineMs: 30_000 } } };
}

async function peer(t: TestContext, running: RunningTak): Promise<Socket> {
  const opened = running.connections.openCount;
  const socket = connect(running.connections.listening[0]?.port ?? 0, "127.0.0.1");
  t.after(() => socket.destroy());
  await once(socket, "connect");
  while (running.connections.openCount === opened) await new Promise((resolve) => setImmediate(resolve));
  return socket;
}

/** Sends numbered events inside of the fence all the time, until it is told to stop. */
async function stream(t: TestContext, running: RunningTak, burstSize = 20) {
  const [sender, receiver] = [await peer(t, running), await peer(t, running)];
  const received: string[] = [];
  const reader = new StreamReader({
    onMessage: ({ type, uid }) => {
      if (type.startsWith("a-")) received.push(uid);
      receiver.emit("event-received");
    },
    onBadEvent: (error) => {
      throw error;
    },
  });
  receiver.on("data", (chunk: Buffer) => reader.push(chunk));
  let sent = 0;
  t.after(() => clearInterval(timer));
  const timer = setInterval(() => {
    const timeMs = Date.now();
    for (let burst = 0; burst < burstSize; burst++) {
      const about = { type: "a-f-G-U-C", uid: `unit-${sent++}`, lat: 52.08, lon: 4.31 };
      sender.write(createMessage({ ...about, timeMs, staleMs: timeMs + 60_000 }).xml());
    }
  }, 1);
  return {
    received,
    async has(count: number) {
      while (received.length < count) await once(receiver, "event-received");
    },
    async stop() {
      clearInterval(timer);
      while (received.length < sent) await once(receiver, "event-received");
      return Array.from({ length: sent }, (_, index) => `unit-${index}`);
    },
  };
}

test("a filter is reloaded, replaced by one of another shape, broken and rolled back, and every message arrives", async (t) => {
  const running = await start(t);
  const { manager } = running.host;
  const flow = await stream(t, running);
  await flow.has(50);
  await manager.reload("geofence");
  await flow.has(flow.received.length + 50);
  // A version that says it is well and never comes back: the one before answers the message that it was given.
  await manager.install(bundlePath("tak/geofence-looping"));
  assert.equal(manager.versions("geofence").current?.version, "1.1.0");
  await flow.has(flow.received.length + 50);
  while (manager.info("geofence").version !== "1.0.0") await new Promise((resolve) => setImmediate(resolve));
  assert.equal(manager.get("geofence").counts().returns, 1);
  await manager.reload("add-detail");
  await flow.has(flow.received.length + 50);
  assert.deepEqual(flow.received, await flow.stop(), "all of them, once, in their order");
  const { failed, blocked } = running.stats();
  assert.deepEqual([failed, blocked], [0, 0]);
});

for (const isolation of ["worker", "process"] as const) {
  test(`behind a wall (${isolation}) plugins decide as on the host's thread, and no message is lost when one is broken`, async (t) => {
    const running = await start(t, isolation);
    const { manager } = running.host;
    assert.equal(manager.get("geofence").serving?.inspected.isolation, isolation);
    const flow = await stream(t, running, 2);
    await flow.has(50);
    await manager.reload("geofence");
    await flow.has(flow.received.length + 50);
    await manager.install(bundlePath("tak/geofence-looping"));
    while (manager.info("geofence").version !== "1.0.0")
      await new Promise((resolve) => setImmediate(resolve));
    assert.equal(manager.get("geofence").counts().returns, 1);
    await flow.has(flow.received.length + 50);
    assert.deepEqual(flow.received, await flow.stop(), "all of them, once, in their order");
    const { failed, blocked, lost, changed, passed } = running.stats();
    assert.deepEqual([failed, blocked, lost], [0, 0, 0]);
    assert.equal(changed, passed, "the transformer behind the wall has marked each");
  });
}

test("an update that was made while the host ran is there at its next start, and the file's version is not", async (t) => {
  const running = await start(t);
  const { manager, config } = running.host;
  await manager.install(bundlePath("tak/geofence-looping"));
  await running.close();
  const again = await runTak({
    configFile: config.file,
    log: () => {},
    adapt: (own) => ({
      ...own,
      managerFolder: config.managerFolder,
      listeners: own.listeners.map((listener) => ({ ...listener, port: 0 })),
    }),
  });
  assert.equal(again.host.manager.info("geofence").version, "1.1.0");
  await again.close();
});

test("what the file names may come from another publisher: whoever wrote the file vouches for it", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "remora-vouched-"));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "geofence.bundle");
  const configFile = join(folder, "tak.yaml");
  const entry = "{ id: geofence, path: geofence.bundle }";
  await writeFile(configFile, `plugins:\n  plugin_dir: .\n  filters:\n    - ${entry}\n`);
  for (const [example, expected] of [
    ["tak/geofence-lazy", "1.0.0"],
    ["tak/geofence-looping", "1.1.0"],
  ] as const) {
    const by = { name: "Ada", email: "", signedAtMs: 0 };
    await writeFile(path, signBundle(await readFile(bundlePath(example)), { key: generateKeyPair(), ...by }));
    const running = await runTak({ configFile, log: () => {} });
    assert.equal(running.host.manager.versions("geofence").current?.version, expected);
    await running.close();
  }
});

test("a component without a manifest is installed under its place in the chain", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "remora-bare-"));
  t.after(() => rm(folder, { recursive: true }));
  const path = componentPath("tak/geofence-columns");
  const file = join(folder, "tak.yaml");
  await writeFile(
    file,
    `plugins:\n  plugin_dir: /\n  filters:\n    - { id: The Fence, path: ${JSON.stringify(path)} }\n`,
  );
  const running = await runTak({ configFile: file, log: () => {} });
  const [plugin] = running.host.manager.list();
  assert.match(plugin?.name ?? "", /^plugin-the-fence-[0-9a-f]{8}$/);
  assert.deepEqual([plugin?.state, running.stats().plugins[0]?.id], ["running", "The Fence"]);
  await running.close();
});

test("one plugin cannot stand in two places, and a plugin cannot stand in a place of another kind", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "remora-twice-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "tak.yaml");
  const path = JSON.stringify(bundlePath("tak/geofence-lazy"));
  const run = async (plugins: string) => {
    await writeFile(file, `plugins:\n  plugin_dir: /\n${plugins}`);
    return runTak({ configFile: file, log: () => {} });
  };
  await assert.rejects(run(`  filters: [{ id: a, path: ${path} }, { id: b, path: ${path} }]\n`), {
    code: "tak/plugin-twice",
  });
  await assert.rejects(run(`  transformers: [{ id: a, path: ${path} }]\n`), {
    code: "manager/prepare",
    message: /tak\/plugin-kind/,
  });
});
