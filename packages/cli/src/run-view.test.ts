import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunStats } from "./run-stats.ts";
import { type Running, viewRun } from "./run-view.ts";
import { type FakeSystem, fakeSystem } from "./testing/fake-system.ts";

const stats = (messages: number): RunStats => ({
  messages,
  passed: messages - 2,
  blocked: 2,
  changed: 1,
  messagesPerSecond: 1_000.4,
  plugins: [
    {
      id: "geofence",
      calls: messages,
      callsPerSecond: 990,
      traps: 3,
      fuelPerCall: 120.6,
      p50ns: 412,
      p99ns: 1_234,
    },
  ],
});

/** A host that has taken ten messages more each time it is asked. */
function countingHost() {
  const ended = Promise.withResolvers<void>();
  let messages = 0;
  let closed = 0;
  const running: Running = {
    title: "tak host on 127.0.0.1:8087",
    stats: () => {
      messages += 10;
      return stats(messages);
    },
    ended: ended.promise,
    close: async () => void closed++,
  };
  return { running, ended, closed: () => closed };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

async function view(
  options: { isTerminal?: boolean; isJson?: boolean; forMs?: number; columns?: number; rows?: number },
  act: (system: FakeSystem, host: ReturnType<typeof countingHost>, log: (line: string) => void) => void,
) {
  const system = fakeSystem(options);
  const host = countingHost();
  let log = (_: string) => {};
  const done = viewRun(
    async (given) => {
      log = given;
      return host.running;
    },
    system,
    { forMs: options.forMs, isJson: options.isJson ?? false },
  );
  await turn();
  act(system, host, log);
  await done;
  assert.equal(host.closed(), 1);
  assert.equal(system.pending, 0);
  return system;
}

test("without a terminal there is a line a second and one at the end", async () => {
  const system = await view({ forMs: 2_500 }, (fake) => fake.advance(2_500));
  assert.deepEqual(system.out.text.split("\n"), [
    "tak host on 127.0.0.1:8087",
    "in 20 (1,000/s) passed 18 blocked 2 changed 1 | geofence 990/s p50 412 ns p99 1.2 µs fuel 121 traps 3",
    "in 30 (1,000/s) passed 28 blocked 2 changed 1 | geofence 990/s p50 412 ns p99 1.2 µs fuel 121 traps 3",
    "in 40 (1,000/s) passed 38 blocked 2 changed 1 | geofence 990/s p50 412 ns p99 1.2 µs fuel 121 traps 3",
    "",
  ]);
});

test("for a program there is one object and nothing else on standard output", async () => {
  const system = await view({ isJson: true, forMs: 1_000 }, (fake, _, log) => {
    log("a plugin says something");
    fake.advance(1_000);
  });
  assert.deepEqual(JSON.parse(system.out.text), {
    messages: 30,
    passed: 28,
    blocked: 2,
    changed: 1,
    messagesPerSecond: 1_000,
    plugins: [{ id: "geofence", calls: 30, traps: 3, fuelPerCall: 121, p50ns: 412, p99ns: 1_234 }],
  });
  assert.equal(system.out.text.split("\n").length, 2);
  assert.equal(system.err.text, "tak host on 127.0.0.1:8087\na plugin says something\n");
});

test("on a terminal the table stays in place, a log line stands above it, and the cursor comes back", async () => {
  const system = await view({ isTerminal: true }, (fake, _, log) => {
    fake.advance(1_000);
    log("a plugin says something");
    fake.interrupt();
  });
  const screen = screenOf(system.out.text);
  assert.deepEqual(screen, [
    "tak host on 127.0.0.1:8087",
    "",
    "a plugin says something",
    "messages in  passed  blocked  changed  messages/s",
    "         30      28        2        1       1,000",
    "",
    "plugin    calls/s     p50     p99  fuel/call  traps",
    "geofence      990  412 ns  1.2 µs        121      3",
    "",
  ]);
  assert.ok(system.out.text.endsWith("\x1b[?25h"));
});

test("a small terminal gets what fits", async () => {
  const system = await view({ isTerminal: true, columns: 20, rows: 4 }, (fake) => fake.interrupt());
  assert.deepEqual(screenOf(system.out.text).slice(2), [
    "messages in  passed…",
    "         20      18…",
    "",
    "",
  ]);
});

test("a signal closes the host and shows the last counts", async () => {
  const system = await view({ isJson: true }, (fake) => fake.interrupt());
  assert.equal(JSON.parse(system.out.text).messages, 20);
});

test("a host that ends by itself ends the view", async () => {
  const system = await view({ isJson: true }, (_, host) => host.ended.resolve());
  assert.equal(JSON.parse(system.out.text).messages, 20);
});

test("a host that fails is closed, and its error is the view's", async () => {
  const system = fakeSystem();
  const host = countingHost();
  const done = viewRun(async () => host.running, system, { forMs: undefined, isJson: false });
  await turn();
  host.ended.reject(new RangeError("port taken"));
  await assert.rejects(done, RangeError);
  assert.equal(host.closed(), 1);
  assert.equal(system.pending, 0);
});

test("a host that is stopped while it starts is told at once", async () => {
  const system = fakeSystem();
  const start = (_: unknown, signal: AbortSignal) =>
    new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(new RangeError("held"))));
  const done = viewRun(start, system, { forMs: undefined, isJson: true });
  system.interrupt();
  await assert.rejects(done, RangeError);
  assert.equal(system.pending, 0);
});

test("a host that cannot start leaves no timer and no listener", async () => {
  const system = fakeSystem();
  const start = () => Promise.reject(new RangeError("no such file"));
  await assert.rejects(viewRun(start, system, { forMs: 1_000, isJson: true }), RangeError);
  assert.equal(system.pending, 0);
  assert.equal(system.out.text, "");
});

/** What a terminal shows after these bytes, as far as we use its language. */
function screenOf(text: string): string[] {
  const lines = [""];
  let row = 0;
  const [plain = "", ...commands] = text.split("\x1b[");
  const write = (characters: string) => {
    for (const character of characters) {
      if (character === "\n") lines[++row] ??= "";
      else if (character !== "\r") lines[row] += character;
    }
  };
  write(plain);
  for (const command of commands) {
    const [whole = "", count, verb] = /^\??(\d*)([A-Za-z])/.exec(command) ?? [];
    if (verb === "A") row -= Number(count);
    if (verb === "J") lines.splice(row, lines.length, "");
    write(command.slice(whole.length));
  }
  return lines;
}
