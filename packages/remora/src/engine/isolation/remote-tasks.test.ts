/** Events that no guest's side of ours sends: each ends it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { engineErrors } from "../errors.ts";
import { defaultLimits } from "../limits.ts";
import { encodeReport } from "./error-report.ts";
import { decodeEvents, type Event, encodeEvents, event, eventKinds, outcomes } from "./events.ts";
import { type Face, type FaceTasks, ForgedMessage, type RemoteFunction } from "./face.ts";
import { HostFailures } from "./host-failures.ts";
import type { Job, Link } from "./link.ts";
import { kinds, type Message, message } from "./protocol.ts";
import { RemoteTasks } from "./remote-tasks.ts";
import { Standing } from "./standing.ts";

const noBytes = new Uint8Array(0);
const called: RemoteFunction = {
  number: 0,
  isTask: true,
  check() {},
  write: () => noBytes,
  read: () => [7],
};

/** Calls under way, on a link whose other end is the test. */
function started() {
  const jobs: Job[] = [];
  const forged: string[] = [];
  const served: number[] = [];
  const forgotten: number[] = [];
  const answers: ((error: unknown) => void)[] = [];
  const tasks: FaceTasks = {
    serve: (item) => {
      served.push(item);
      const answer =
        item === 0
          ? new Promise<never>((_, reject) => answers.push(reject))
          : Promise.reject(new ForgedMessage("no host function"));
      return { answer, forget: () => forgotten.push(item) === 0 };
    },
    nextValue: (number) => ({
      answer: Promise.reject(new ForgedMessage(`no stream ${number}`)),
      forget: () => true,
    }),
    letGo() {},
    onceQuiet: () => false,
    letGoOfAll() {},
    readValue: () => "value",
  };
  const broken = engineErrors.closed({ what: "it" });
  // Nothing else of the link, the face and the standing is used here.
  const link = {
    submit: (job: Job) => void jobs.push(job),
    withdraw: () => false,
    kill: (why: string) => void forged.push(why),
  } as unknown as Link;
  const remote = new RemoteTasks({
    number: 1,
    link,
    face: { lendings: () => () => {} } as unknown as Face,
    tasks,
    failures: new HostFailures(() => undefined),
    limits: { ...defaultLimits, fuelMax: 1_000, deadlineMs: 1_000 },
    hostCalled() {},
    known: () => broken,
    standing: new Standing("async", link),
    refuse() {},
    stop() {},
  });
  const result = remote.call(called, [], { fuelMax: 1, deadlineMs: 1_000 });
  result.catch(() => {});
  const answer = (events: readonly Event[], facts: Partial<Message> = {}) => {
    const sent = message(kinds.events, { first: Infinity, payload: encodeEvents(events) });
    jobs.shift()?.answered({ ...sent, ...facts });
  };
  return { remote, result, jobs, forged, served, forgotten, answers, answer };
}

const ended = event(eventKinds.ended, { id: 1, first: 1, second: 1, third: 1 });
const asked = event(eventKinds.asked, { id: 1 });

test("a call ends with its result and what it cost", async () => {
  const { result, answer } = started();
  answer([ended]);
  assert.deepEqual(await result, { result: 7, report: { fuelUsed: 1, memoryPages: 1, durationMs: 1 } });
});

test("a side that says it waits for ever is ended when no call of its own can still be under way", async (t) => {
  let nowMs = 1_000;
  t.mock.method(performance, "now", () => nowMs);
  const { result, jobs, forged, remote } = started();
  const say = () => {
    const job = jobs.shift();
    job?.started?.();
    job?.answered(message(kinds.events, { first: Infinity, payload: encodeEvents([]) }));
  };
  say();
  nowMs += 5_000;
  // What was sent before may be answered late.
  assert.equal(forged.length, 0);
  remote.letGo(1);
  say();
  await assert.rejects(result, { code: "engine/protocol-broken" });
  assert.equal(forged.length, 1);
});

const forgeries: Readonly<Record<string, [readonly Event[], Partial<Message>?]>> = {
  "an end that nobody waits for": [[{ ...ended, id: 2 }]],
  "an end of one call twice": [[ended, ended]],
  "a value where a call's end is owed": [[event(eventKinds.settled, { id: 1 })]],
  "a fuel that is no number": [[{ ...ended, first: NaN }]],
  "a time below zero": [[{ ...ended, third: -1 }]],
  "an unknown kind of event": [[event(77, { id: 3 })]],
  "a failure that is none": [[{ ...ended, item: outcomes.failed }]],
  "a failure by an error that nobody threw": [
    [
      {
        ...ended,
        item: outcomes.failed,
        payload: encodeReport({ code: "engine/trap", details: {}, thrown: 5 }),
      },
    ],
  ],
  "a deadline that is no number": [[], { first: NaN }],
  "events that are cut off": [[], { payload: encodeEvents([asked]).subarray(0, 20) }],
  "an event that is longer than the message": [
    [],
    { payload: encodeEvents([{ ...asked, payload: new Uint8Array(64) }]).subarray(0, 48) },
  ],
  "another message than events": [[], { kind: kinds.done }],
  "more questions than may be open": [Array.from({ length: 5_000 }, (_, id) => ({ ...asked, id }))],
  "more that was asked and forgotten": [
    Array.from({ length: 70_000 }, (_, at) =>
      at % 2 === 0 ? { ...asked, id: at } : event(eventKinds.forgot, { id: at - 1 }),
    ),
  ],
  "more bytes in questions than all may have": [[{ ...asked, payload: new Uint8Array(2 ** 27 + 1) }]],
  "two questions under one number": [[asked, asked]],
  "more events than one message may have": [Array(140_000).fill(event(eventKinds.letGo))],
  "a fuel beyond what can be summed up": [[{ ...ended, first: 2 ** 53 }]],
  "an instance that breaks twice": [
    Array(2).fill(
      event(eventKinds.broke, { payload: encodeReport({ code: "engine/closed", details: { what: "it" } }) }),
    ),
  ],
  "two of which the second would fail": [[asked, { ...asked, item: 9 }]],
  "a call that was cancelled, which nobody did": [
    [
      {
        ...ended,
        item: outcomes.failed,
        payload: encodeReport({ code: "component/cancelled", details: {} }),
      },
    ],
  ],
};

for (const [what, [events, facts]] of Object.entries(forgeries)) {
  test(`${what} ends the guest's side and every call`, async () => {
    const { result, forged, answer } = started();
    answer(events, facts);
    assert.equal(forged.length, 1);
    if (!events.includes(ended)) await assert.rejects(result, { code: "engine/protocol-broken" });
  });
}

test("a guest that gives more futures than it may have is ended when one more is to be waited for", async () => {
  const { remote, result, forged } = started();
  const wanted: Promise<unknown>[] = [];
  for (let given = 0; given < 16_384; given++) wanted.push(remote.want(1, undefined));
  const broken = { code: "engine/protocol-broken", fault: "guest" };
  const isOver = Promise.all([...wanted, result].map((each) => assert.rejects(each, broken)));
  assert.throws(() => remote.want(1, undefined), broken);
  assert.equal(forged.length, 1);
  await isOver;
  await assert.rejects(remote.want(1, undefined), broken);
});

for (const [what, forgery] of [
  ["a host function that there is not", event(eventKinds.asked, { id: 1, item: 9 })],
  ["a stream that was never given", event(eventKinds.wanted, { id: 1, item: 9 })],
] as const) {
  test(`asking for ${what} ends the guest's side`, async () => {
    const { result, forged, answer } = started();
    answer([forgery]);
    await assert.rejects(result, { code: "engine/protocol-broken" });
    assert.equal(forged.length, 1);
  });
}

test("nothing is served and nobody is told once it is over", async () => {
  const { remote, result, jobs, served, answer } = started();
  remote.end(engineErrors.closed({ what: "it" }));
  await assert.rejects(result, { code: "engine/closed" });
  answer([asked]);
  assert.deepEqual(served, []);
  await assert.rejects(remote.want(1, undefined), { code: "engine/closed" });
  remote.letGo(1);
  assert.equal(jobs.length, 0);
});

test("of what the guest no longer waits for the host tells only that it is done, and takes back what it lent for it", async () => {
  const { remote, jobs, forgotten, forged, answers, answer } = started();
  answer([asked]);
  remote.letGo(9);
  answer([event(eventKinds.forgot, { id: 1 }), event(eventKinds.forgot, { id: 1 })]);
  assert.deepEqual(forgotten, [0]);
  assert.equal(jobs.length, 0);
  answers[0]?.(new Error("late"));
  await new Promise((turn) => setImmediate(turn));
  assert.equal(jobs.length, 1);
  const [settled] = decodeEvents(jobs[0]?.message.payload ?? new Uint8Array(0));
  assert.deepEqual(settled, event(eventKinds.settled, { id: 1, item: outcomes.done }));
  assert.deepEqual(forged, []);
});
