import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../clock.fixture.ts";
import { signalkErrors } from "../errors.ts";
import { Mailbox } from "./mailbox.ts";
import { Pace } from "./pace.ts";
import { requestsMax, startWaitMsMax, Turns, turnWaitMsMax } from "./turns.ts";

/** A pace whose time and turns the test moves. */
function paced() {
  const time = { nowMs: 0 };
  const turns: (() => void)[] = [];
  const pace = new Pace(
    () => time.nowMs,
    (callback) => turns.push(callback),
  );
  return { pace, clock: new FakeClock(), time, nextTurn: () => turns.shift()?.() };
}

test("deltas are delivered at once while there is time, and in a later turn when there is none", () => {
  const { clock, pace, time, nextTurn } = paced();
  const delivered: string[] = [];
  const turns = new Turns({
    plugin: "p",
    pace,
    clock,
    deliver: (delta) => void delivered.push(String(delta)),
  });
  turns.post("first");
  time.nowMs = 9;
  turns.post("second");
  assert.deepEqual(delivered, ["first"]);
  nextTurn();
  assert.deepEqual(delivered, ["first", "second"]);
});

test("a delta comes with the time at which it was seen that there is some", () => {
  const { clock, pace, time, nextTurn } = paced();
  const times: number[] = [];
  const turns = new Turns({ plugin: "p", pace, clock, deliver: (_delta, nowMs) => void times.push(nowMs) });
  time.nowMs = 3;
  turns.post("first");
  time.nowMs = 12;
  turns.post("second");
  time.nowMs = 13;
  nextTurn();
  assert.deepEqual(times, [3, 13]);
});

test("while one guest calls the server no other is called, and none is forgotten", () => {
  const { clock, pace, nextTurn } = paced();
  const delivered: string[] = [];
  const turns = new Turns({
    plugin: "p",
    pace,
    clock,
    deliver: (delta) => void delivered.push(String(delta)),
  });
  pace.isGuestRunning = true;
  turns.post("during");
  pace.isGuestRunning = false;
  assert.deepEqual(delivered, []);
  nextTurn();
  assert.deepEqual(delivered, ["during"]);
});

test("while a call waits nothing else enters the guest; requests come before deltas then", async () => {
  const { clock, pace } = paced();
  const order: string[] = [];
  const turns = new Turns({ plugin: "p", pace, clock, deliver: (delta) => void order.push(String(delta)) });
  let goOn: (value: string) => void = () => {};
  const waiting = turns.ask(() => new Promise<string>((resolve) => (goOn = resolve)));
  turns.post("delta");
  const request = turns.ask(() => {
    order.push("request");
    return 1;
  });
  assert.deepEqual(order, []);
  goOn("answer");
  assert.equal(await waiting, "answer");
  assert.equal(await request, 1);
  assert.deepEqual(order, ["request", "delta"]);
});

test("too many requests are refused at once, and all of them end when the guest is gone", async () => {
  const { clock, pace } = paced();
  const turns = new Turns({ plugin: "p", pace, clock, deliver: () => {} });
  turns.pause();
  const asked = Array.from({ length: requestsMax }, () => turns.ask(() => 1));
  await assert.rejects(
    turns.ask(() => 1),
    { code: "signalk/busy" },
  );
  turns.clear(new Error("gone"));
  for (const one of asked) await assert.rejects(one, /gone/);
});

for (const [what, waitMs, keepBusy] of [
  ["is paused", startWaitMsMax, (turns: Turns) => turns.pause()],
  ["waits in another call", turnWaitMsMax, (turns: Turns) => void turns.ask(() => new Promise(() => {}))],
] as const) {
  test(`a request to a guest that ${what} for too long is given up, and the guest is not called for it`, async () => {
    const { clock, pace } = paced();
    const turns = new Turns({ plugin: "p", pace, clock, deliver: () => {} });
    keepBusy(turns);
    let isCalled = false;
    const asked = turns.ask(() => {
      isCalled = true;
    });
    clock.move(waitMs - 1);
    assert.equal(turns.waitingCount, 1);
    clock.move(1);
    await assert.rejects(asked, { code: "signalk/no-turn" });
    turns.resume();
    assert.ok(!isCalled);
  });
}

test("a request that gets its turn, or ends with its guest, leaves nothing at the clock", async () => {
  const { clock, pace } = paced();
  const turns = new Turns({ plugin: "p", pace, clock, deliver: () => {} });
  turns.pause();
  const asked = turns.ask(() => 1);
  turns.resume();
  assert.equal(await asked, 1);
  turns.pause();
  const dropped = turns.ask(() => 1);
  turns.clear(new Error("gone"));
  await assert.rejects(dropped, /gone/);
  assert.equal(clock.waitingCount, 0);
});

test("a call that throws costs the others nothing", async () => {
  const { clock, pace } = paced();
  const turns = new Turns({ plugin: "p", pace, clock, deliver: () => {} });
  await assert.rejects(
    turns.ask(() => {
      throw new Error("trap");
    }),
    /trap/,
  );
  assert.equal(await turns.ask(() => 2), 2);
});

test("a delta that its guest fails at, at once or later, is over; what is no failure of a guest is told", async () => {
  const { clock, pace } = paced();
  const failures = [
    (): never => {
      throw signalkErrors["not-running"]({ plugin: "p", state: "crashed" });
    },
    () => Promise.reject(new Error("later")),
    (): never => {
      throw new TypeError("ours");
    },
  ];
  const turns = new Turns({ plugin: "p", pace, clock, deliver: () => failures.shift()?.() });
  turns.post("first");
  turns.post("second");
  assert.equal(await turns.ask(() => 1), 1);
  assert.throws(() => turns.post("third"), TypeError);
  assert.equal(await turns.ask(() => 2), 2);
});

test("a full mailbox loses the oldest, by number and by size", () => {
  const mailbox = new Mailbox({ deltasMax: 3, charactersMax: 10 });
  for (const text of ["a", "b", "c", "d"]) mailbox.put(text);
  assert.equal(mailbox.take(), "b");
  mailbox.put("123456789");
  assert.equal(mailbox.size, 2);
  assert.equal(mailbox.take(), "d");
  mailbox.put("x".repeat(11));
  assert.equal(mailbox.lostCount, 3);
  assert.equal(mailbox.take(), "123456789");
  assert.equal(mailbox.take(), undefined);
});

test("a mailbox gives back what it took out, however many went through", () => {
  const mailbox = new Mailbox({ deltasMax: 2_000, charactersMax: 1_000_000 });
  for (let index = 0; index < 3_900; index++) {
    mailbox.put(String(index));
    if (index % 2 === 1) assert.equal(mailbox.take(), String((index - 1) / 2));
  }
  assert.equal(mailbox.size, 1_950);
  assert.equal(mailbox.lostCount, 0);
});

test("a guest whose deltas never end does not keep another one's request waiting", async () => {
  const { clock, pace, time, nextTurn } = paced();
  const greedy: Turns = new Turns({
    plugin: "greedy",
    pace,
    clock,
    deliver: (delta) => {
      time.nowMs += 3;
      greedy.post(delta);
    },
  });
  const other = new Turns({ plugin: "other", pace, clock, deliver: () => {} });
  greedy.post("again");
  time.nowMs += 9;
  let isAnswered = false;
  const answer = other.ask(() => {
    isAnswered = true;
  });
  for (let turn = 0; turn < 3; turn++) nextTurn();
  assert.ok(isAnswered);
  await answer;
});
