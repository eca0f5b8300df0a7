/** What the host believes of the time that the other side has: nothing but what it has seen itself. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Job, Link, type Receiver } from "./link.ts";
import { kinds, type Message, message } from "./protocol.ts";

/** A link whose other end is the test, and a clock that is its as well. */
function linked(t: TestContext) {
  let nowMs = 0;
  t.mock.method(performance, "now", () => nowMs);
  const sent: Message[] = [];
  const made: { receiver?: Receiver } = {};
  const link = new Link(
    (receiver) => {
      made.receiver = receiver;
      return {
        send: (one) => void sent.push(one),
        ship() {},
        stop: () => true,
        hold() {},
        kill() {},
        end: async () => {},
      };
    },
    () => {},
  );
  const pass = (ms: number) => {
    nowMs += ms;
  };
  const ask = (first: number) => made.receiver?.received(message(kinds.hostCall, { first }));
  return { link, sent, pass, ask, overdueMs: () => link.overdueMs(nowMs) };
}

/** A call that may take 50 ms, and wait for 100 ms in all. */
function call(hostCalled: NonNullable<Job["hostCalled"]>): Job {
  return {
    message: message(kinds.call, { target: 1 }),
    allowedMs: 50,
    lastsMs: 150,
    hostCalled,
    answered() {},
    lost() {},
  };
}

test("an answer says for how long the host did nothing but wait for it", (t) => {
  const { link, sent, pass, ask } = linked(t);
  let reply: (answer: Message) => void = () => {};
  const answer = message(kinds.answer);
  link.submit(call((_, give) => (reply = give)));
  pass(5);
  ask(60);
  pass(30);
  reply(answer);
  assert.equal(sent.at(-1)?.first, 30);
  link.submit(call(() => {}));
  ask(60);
  reply(answer);
  assert.equal(sent.at(-1)?.first, 0);
});

test("time in host functions that answer at once is no waiting", (t) => {
  const { link, sent, pass, ask } = linked(t);
  link.submit(
    call((_, give) => {
      pass(30);
      give(message(kinds.answer));
    }),
  );
  ask(60);
  assert.equal(sent.at(-1)?.first, 0);
});

test("a side that calls the host again and again is overdue by all the time that it had", (t) => {
  const { link, pass, ask, overdueMs } = linked(t);
  link.submit(call((_, give) => give(message(kinds.answer))));
  for (let calls = 0; calls < 10; calls++) {
    pass(20);
    ask(Infinity);
  }
  assert.equal(overdueMs(), 150);
});

for (const [said, waitMsMax] of [
  [20, 20],
  [Number.POSITIVE_INFINITY, 110],
  [Number.NaN, 0],
  [-1, 0],
] as const) {
  test(`a side that says ${said} ms after 40 of 150 may wait for ${waitMsMax}`, (t) => {
    const { link, pass, ask } = linked(t);
    const waits: number[] = [];
    link.submit(call((_message, _reply, ms) => void waits.push(ms)));
    pass(40);
    ask(said);
    assert.deepEqual(waits, [waitMsMax]);
  });
}
