import assert from "node:assert/strict";
import { test } from "node:test";
import { WaitingClock } from "./waiting-clock.ts";

function clocks() {
  let ms = 100;
  const clock = new WaitingClock(() => ms);
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  const pass = (more: number) => {
    ms += more;
  };
  return { clock, turn, pass };
}

test("it stands still while the guest is put aside, however often somebody looks at it", async () => {
  const { clock, turn, pass } = clocks();
  const { promise, resolve: answer } = Promise.withResolvers<void>();
  const waited = clock.whileWaiting(promise);
  for (let looks = 0; looks < 3; looks++) {
    await turn();
    pass(1_000);
    assert.equal(clock.now(), 100);
  }
  await turn();
  pass(1_000);
  answer();
  await waited;
  pass(5);
  assert.equal(clock.now(), 105);
});

test("a guest that goes on while it waits for something is on its own time from its first look on", async () => {
  const { clock, turn, pass } = clocks();
  void clock.whileWaiting(new Promise(() => {}));
  pass(7);
  assert.equal(clock.now(), 107, "it has not let go of the thread");
  await turn();
  pass(1_000);
  assert.equal(clock.now(), 107, "put aside, until it is called for something else");
  pass(20);
  assert.equal(clock.now(), 127);
  pass(20);
  assert.equal(clock.now(), 147);
});

test("what is awaited may fail, and the clock goes on all the same", async () => {
  const { clock, turn, pass } = clocks();
  const { promise, reject: fail } = Promise.withResolvers<void>();
  const waited = clock.whileWaiting(promise);
  await turn();
  pass(1_000);
  fail(new Error("no more"));
  await assert.rejects(waited, /no more/);
  pass(3);
  assert.equal(clock.now(), 103);
});
