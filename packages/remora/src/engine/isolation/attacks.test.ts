/** What lies behind the wall is not believed: dead, silent and forging threads and processes, each with its code. */

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { asyncHostFunction } from "../../component/index.ts";
import { openArtifact } from "../artifact.ts";
import { defaultLimits } from "../limits.ts";
import type { Isolation } from "./isolation.ts";
import { openIsolation } from "./open.ts";
import { ProcessIsolation } from "./process.ts";
import { componentArtifact, moduleArtifact } from "./testing/guests.test.ts";
import { WorkerIsolation } from "./worker.ts";

const endless = { ...defaultLimits, fuelMax: Infinity, deadlineMs: Infinity };
const env = { env: { note: (value: number) => value, shout: () => {} } };
const host = {
  "test:level/host": {
    ask: asyncHostFunction((text: string) => text),
    open: () => ({}),
    Thing: { size: () => 1 },
  },
};

const openModule = (isolation: Isolation, limits = defaultLimits) =>
  isolation.instantiate(moduleArtifact(), { limits, imports: env });
const openComponent = (isolation: Isolation, limits = defaultLimits) =>
  isolation.instantiate(componentArtifact(), { limits, imports: host });

const hostileEntry = new URL("./testing/hostile-entry.ts", import.meta.url);
const hostile = new ProcessIsolation({}, hostileEntry);
test.after(() => hostile.close());

for (const attack of [
  "another-kind",
  "unknown-kind",
  "too-many-results",
  "no-results",
  "negative-count",
  "cut-off-results",
  "a-report-of-nan",
  "a-report-below-zero",
  "packet-of-nonsense",
  "failure-that-is-none",
  "unknown-code",
  "code-of-every-object",
  "layer-of-every-object",
  "details-that-throw",
  "unknown-thrown",
  "no-such-host-function",
  "host-arguments-of-nonsense",
  "resource-that-is-none",
]) {
  test(`a process that sends ${attack.replaceAll("-", " ")} is ended, and the next one is a new one`, async () => {
    const guest = await openComponent(hostile);
    await assert.rejects(guest.call(["guest", "ask"], [attack]), {
      code: "engine/protocol-broken",
      fault: "guest",
    });
    assert.ok(guest.isPoisoned);
    (await openComponent(hostile)).close();
  });
}

for (const [index, attack] of ["memory-without-end", "host-call-of-too-few-bytes"].entries()) {
  test(`a process that sends ${attack.replaceAll("-", " ")} is ended`, async () => {
    const guest = await openModule(hostile);
    await assert.rejects(guest.call("note", [index]), { code: "engine/protocol-broken" });
  });
}

for (const [address, attack] of [
  "a message of another kind",
  "too few bytes",
  "too many bytes",
  "bytes that are not there",
  "neither",
].entries()) {
  test(`a process that answers ${attack} for a piece of its memory is ended`, async () => {
    const guest = await openModule(hostile);
    await assert.rejects(guest.readMemory(address, 8), { code: "engine/protocol-broken", fault: "guest" });
    assert.ok(guest.isPoisoned);
  });
}

test("a process that calls the host where none of its code may run is ended", async () => {
  const guest = await openModule(hostile);
  await assert.rejects(guest.readMemory(5, 8), { code: "engine/isolate-crashed", fault: "guest" });
  assert.ok(guest.isPoisoned);
});

for (const attack of ["two-messages", "oversized-head", "negative-length", "flood", "truncated"]) {
  test(`a process that breaks the framing (${attack}) is ended, and nothing is kept of it`, async () => {
    const guest = await openComponent(hostile);
    await assert.rejects(
      guest.call(["guest", "ask"], [attack]),
      (error: { code?: string; fault?: string }) => {
        assert.ok(error.code === "engine/isolate-crashed" || error.code === "engine/protocol-broken");
        assert.equal(error.fault, "guest");
        return true;
      },
    );
  });
}

test("a process that sends anything when nothing was asked of it is ended, before it could have sent much", async () => {
  const lost = Promise.withResolvers<{ readonly code: string }>();
  const guest = await hostile.instantiate(componentArtifact(), {
    limits: defaultLimits,
    imports: host,
    onLost: lost.resolve,
  });
  const answered = guest.call(["guest", "ask"], ["behind-an-answer"]).catch(() => {});
  assert.equal((await lost.promise).code, "engine/isolate-lost");
  await answered;
  assert.ok(guest.isPoisoned);
});

const hostileThread = new URL("./testing/hostile-thread-entry.ts", import.meta.url);
for (const attack of [
  "nothing-beside",
  "a-length-beside",
  "text-beside",
  "shared-beside",
  "too-much-beside",
  "an-error-that-is-no-text",
]) {
  test(`a thread that sends ${attack.replaceAll("-", " ")} is ended, and the next one is a new one`, async () => {
    await using isolation = new WorkerIsolation({ threadsMax: 1 }, hostileThread);
    const guest = await openComponent(isolation);
    await assert.rejects(
      guest.call(["guest", "ask"], [attack]),
      (error: { code?: string }) =>
        error.code === "engine/isolate-crashed" || error.code === "engine/isolate-lost",
    );
    assert.ok(guest.isPoisoned);
    (await openComponent(isolation)).close();
  });
}

test("a process that has no memory left costs one coded error", async () => {
  await using isolation = new ProcessIsolation({ heapMbMax: 32 }, hostileEntry);
  const guest = await openComponent(isolation, endless);
  const call = guest.call(["guest", "ask"], ["heap-without-end"]);
  await assert.rejects(call, { code: "engine/isolate-crashed", fault: "guest" });
});

test("a process that never answers is ended soon after the deadline", async () => {
  const guest = await openComponent(hostile, { ...defaultLimits, deadlineMs: 50 });
  const startedMs = performance.now();
  await assert.rejects(guest.call(["guest", "ask"], ["silence"]), {
    code: "engine/deadline",
    fault: "guest",
  });
  assert.ok(performance.now() - startedMs >= 50);
});

test("a thread that never answers is ended and replaced, and its other plugins are told", async () => {
  const entry = new URL("./testing/deaf-entry.ts", import.meta.url);
  await using isolation = new WorkerIsolation({ threadsMax: 1 }, entry);
  const lost = Promise.withResolvers<{ readonly code: string; readonly fault: string }>();
  await isolation.instantiate(moduleArtifact(), {
    limits: defaultLimits,
    imports: env,
    onLost: lost.resolve,
  });
  const guest = await openModule(isolation, { ...defaultLimits, deadlineMs: 30 });
  const waiting = await openModule(isolation);
  const deaf = guest.call("spin", []);
  const queued = waiting.call("add", [1, 2]);
  await assert.rejects(deaf, { code: "engine/deadline", fault: "guest" });
  await assert.rejects(queued, {
    code: "engine/isolate-lost",
    fault: "platform",
    details: { plugin: "table", reason: "it did not stop at its deadline", hasStarted: false },
  });
  const { code, fault } = await lost.promise;
  assert.deepEqual([code, fault], ["engine/isolate-lost", "platform"]);
  const next = await openModule(isolation);
  assert.equal((await next.call("add", [1, 2])).result, 3);
});

for (const level of ["worker", "process"] as const) {
  test(`${level}: code that does not even begin is told of, and not tried for ever`, async () => {
    const entry = new URL("./testing/broken-entry.ts", import.meta.url);
    await using isolation =
      level === "worker" ? new WorkerIsolation({}, entry) : new ProcessIsolation({}, entry);
    for (let attempt = 0; attempt < 2; attempt++) {
      await assert.rejects(openModule(isolation), { code: "engine/isolate-lost", fault: "platform" });
    }
  });
}

for (const level of ["worker", "process"] as const) {
  test(`${level}: a level can be closed whose code cannot be read`, async () => {
    const entry = new URL("./testing/no-such-entry.ts", import.meta.url);
    const isolation = level === "worker" ? new WorkerIsolation({}, entry) : new ProcessIsolation({}, entry);
    const opening = openModule(isolation);
    const refused = assert.rejects(opening);
    await isolation.close();
    await refused;
    await assert.rejects(openModule(isolation), { code: "engine/closed" });
  });
}

/** Processes that this one has started. */
function children(): number[] {
  const tasks = readdirSync("/proc/self/task");
  return tasks.flatMap((task) =>
    readFileSync(`/proc/self/task/${task}/children`, "utf8").split(" ").filter(Boolean).map(Number),
  );
}

const isLinux = existsSync("/proc/self/task");

for (const [signal, code, fault] of [
  ["SIGKILL", "engine/isolate-lost", "platform"],
  ["SIGSEGV", "engine/isolate-crashed", "guest"],
  ["SIGABRT", "engine/isolate-crashed", "guest"],
] as const) {
  test(`a process that dies of ${signal} in a call costs one coded error`, { skip: !isLinux }, async () => {
    await using isolation = openIsolation("process");
    const before = children();
    const guest = await openModule(isolation, endless);
    const [pid = 0] = children().filter((child) => !before.includes(child));
    const spinning = guest.call("spin", []);
    await new Promise((turn) => setImmediate(turn));
    process.kill(pid, signal);
    await assert.rejects(spinning, { code, fault });
    await assert.rejects(guest.call("add", [1, 2]), { code });
    const next = await openModule(isolation);
    assert.equal((await next.call("add", [1, 2])).result, 3);
  });
}

test("a process that dies between calls is told of once, and refuses the next call", {
  skip: !isLinux,
}, async () => {
  await using isolation = openIsolation("process");
  const before = children();
  const lost = Promise.withResolvers<{ readonly code: string }>();
  const guest = await isolation.instantiate(moduleArtifact(), {
    limits: defaultLimits,
    imports: env,
    onLost: lost.resolve,
  });
  const [pid = 0] = children().filter((child) => !before.includes(child));
  process.kill(pid, "SIGKILL");
  assert.equal((await lost.promise).code, "engine/isolate-lost");
  await assert.rejects(guest.call("add", [1, 2]), { code: "engine/isolate-lost" });
});

test("a process has no environment, and may reach no file, network, process or thread", async () => {
  const entry = new URL("./testing/reaching-entry.ts", import.meta.url);
  await using isolation = new ProcessIsolation({}, entry);
  const guest = await openModule(isolation);
  // A bit for each thing that could be reached.
  assert.equal((await guest.call("add", [0, 0])).result, 0);
});

for (const level of ["worker", "process"] as const) {
  test(`${level}: a guest that floods the host with calls leaves the host's loop its turns`, async () => {
    await using isolation = openIsolation(level);
    const guest = await openModule(isolation, { ...endless, deadlineMs: 20_000 });
    let turns = 0;
    // Were there no turns, its deadline would end it.
    const ticking = setInterval(() => ++turns === 5 && guest.close(), 1);
    await assert.rejects(guest.call("notes", [2 ** 30]), { code: "engine/closed" });
    clearInterval(ticking);
  });

  test(`${level}: plugins that call each other through the host do not wait for each other's thread`, async () => {
    await using isolation = openIsolation(level, { threadsMax: 1 });
    const inner = await openModule(isolation);
    const outer = await isolation.instantiate(componentArtifact(), {
      limits: defaultLimits,
      imports: {
        "test:level/host": {
          ...host["test:level/host"],
          ask: asyncHostFunction(async () => String((await inner.call("add", [20, 22])).result)),
        },
      },
    });
    assert.equal((await outer.call(["guest", "ask"], ["x"])).result, "42");
  });

  test(`${level}: closing ends the call that waits for the host and the one in line, and no other plugin`, async () => {
    await using isolation = openIsolation(level, { threadsMax: 1 });
    const asked = Promise.withResolvers<void>();
    const ask = asyncHostFunction(() => {
      asked.resolve();
      return new Promise(() => {});
    });
    const artifact = componentArtifact();
    const open = (imports: object) =>
      isolation.instantiate(artifact, { limits: endless, imports: { ...imports } });
    const guest = await open({ "test:level/host": { ...host["test:level/host"], ask } });
    const other = await open(host);
    // While it spins, neither of the others can have begun when the next one is called.
    const spinning = (await open(host)).call(["guest", "spin"], [], { fuelMax: 10_000_000 });
    const waiting = guest.call(["guest", "ask"], ["x"]);
    const inLine = guest.call(["guest", "ask"], ["y"]);
    await assert.rejects(spinning, { code: "engine/out-of-fuel" });
    await asked.promise;
    assert.equal((await other.call(["guest", "ask"], ["z"])).result, "z");
    guest.close();
    await Promise.all([
      assert.rejects(waiting, { code: "engine/closed" }),
      assert.rejects(inLine, { code: "engine/closed" }),
    ]);
    assert.equal((await other.call(["guest", "ask"], ["z"])).result, "z");
  });

  test(`${level}: values that are larger than a packet may be are refused before anything runs`, async () => {
    await using isolation = openIsolation(level);
    const guest = await openComponent(isolation);
    const huge = new Uint8Array(100 * 1024 * 1024);
    await assert.rejects(guest.call(["guest", "echo"], [huge]), { code: "component/type-mismatch" });
    assert.equal((await guest.call(["guest", "ask"], ["x"])).result, "x");
  });

  test(`${level}: what does not cross the wall is refused at load`, async () => {
    await using isolation = openIsolation(level);
    for (const artifact of await uncrossable()) {
      const made = isolation.instantiate(artifact, { limits: defaultLimits, imports: {} });
      await assert.rejects(made, { code: "engine/not-isolatable", fault: "operator" });
    }
  });
}

async function uncrossable() {
  const texts = [
    `(module (import "env" "memory" (memory 1)))`,
    `(module (func (export "f") (param externref)))`,
  ];
  return Promise.all(texts.map(async (text) => openArtifact(await parse(text))));
}
