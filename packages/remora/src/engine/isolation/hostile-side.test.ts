/**
 * Whoever has broken out of a guest owns its thread or process, and says anything at any time. The host is not brought down by
 * it, holds no more for it, waits for it no longer, and gives it nothing.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { isRemoraError } from "../../base/index.ts";
import { asyncHostFunction } from "../../component/index.ts";
import { bindHostImports } from "../../component/link/host-imports.ts";
import { openArtifact } from "../artifact.ts";
import { engineErrors } from "../errors.ts";
import { defaultLimits } from "../limits.ts";
import { chunks, neverSettles, streamingBytes } from "../testing/async-guests.test.ts";
import { decodeReport } from "./error-report.ts";
import { encodeEvents, event, eventKinds } from "./events.ts";
import { HostFailures } from "./host-failures.ts";
import { HostResources } from "./host-resources.ts";
import { answers, kinds, type Message, message } from "./protocol.ts";
import { componentArtifact, moduleArtifact } from "./testing/guests.test.ts";
import { endless, type Play, PlayedSide, turns, wellBehaved } from "./testing/played-side.test.ts";

const text = (value: string) => new TextEncoder().encode(value);
const numbers = [-1, NaN, 2 ** 31 - 1, 2 ** 53, Infinity, 0.5];
const payloads = [
  new Uint8Array(64).fill(0xff),
  new Uint8Array(3),
  text(`{"code":"engine/trap","details":{"__proto__":{"place":1},"place":{"functionIndex":{}}}}`),
  text(`{"code":"engine/out-of-fuel","details":{"fuelMax":{"$number":{"valueOf":1,"toString":1}}}}`),
  text(`{"code":"engine/trap","details":${"[".repeat(50_000)}${"]".repeat(50_000)}}`),
];

/** Each kind that there is, and some that there are not, with facts that fit none. */
function* anything(): Generator<Message> {
  for (const kind of [...Object.values(kinds), -1, 0, 99, NaN]) {
    const one = { ...message(kinds.done), kind };
    yield one;
    for (const number of numbers)
      yield {
        ...one,
        target: number,
        item: number,
        count: number,
        first: number,
        second: number,
        third: number,
      };
    for (const payload of payloads) yield { ...one, item: payload.length, payload };
  }
}

interface Asking {
  /** What the host sends to which the answer is forged. */
  readonly of: keyof typeof kinds;
  ask(side: PlayedSide): Promise<unknown>;
}

const modules = moduleArtifact();
const streams = openArtifact(streamingBytes, { plugin: "async" });
const env = { env: { note: (value: number) => value, shout() {} } };
const openModule = ({ isolate }: PlayedSide, limits = defaultLimits) =>
  isolate.instantiate(modules, { limits, imports: env });
const openStreams = ({ isolate }: PlayedSide, limits = defaultLimits) =>
  isolate.instantiate(streams, { limits, imports: {} });

const asked: readonly Asking[] = [
  { of: "load", ask: openModule },
  { of: "instantiate", ask: openModule },
  { of: "call", ask: async (side) => (await openModule(side)).call("add", [1, 2]) },
  { of: "peek", ask: async (side) => (await openModule(side)).readMemory(0, 8) },
  { of: "poke", ask: async (side) => (await openModule(side)).writeMemory(0, new Uint8Array(8)) },
  { of: "drop", ask: async (side) => (await openModule(side)).close() },
  { of: "begin", ask: async (side) => (await openStreams(side)).call("count", [1]) },
  {
    of: "cancel",
    ask: async (side) => {
      const guest = await openStreams(side);
      const controller = new AbortController();
      const call = guest.call("count", [1], { signal: controller.signal });
      call.catch(() => {}); // It may be over before it is waited for.
      await turns(3);
      controller.abort();
      return call;
    },
  },
];

for (const { of, ask } of asked) {
  test(`whatever answers "${of}", again and again, the host stays up and nobody waits for it when it is over`, async () => {
    for (const forged of anything()) {
      let times = 0;
      const play: Play = (sent) => {
        if (sent.kind !== kinds[of] && times === 0) return wellBehaved(sent);
        return times++ < 4 ? forged : undefined;
      };
      const side = new PlayedSide(play);
      const outcome = Promise.allSettled([ask(side)]);
      await turns(8);
      side.say(forged);
      await turns(8);
      side.end();
      side.say(forged);
      const [{ status, reason }] = (await outcome) as [PromiseRejectedResult];
      if (status === "rejected") assert.ok(isRemoraError(reason), `${JSON.stringify(forged)}: ${reason}`);
    }
  });
}

test("what was lent to a guest it can neither let go of nor give away", async () => {
  const disposed: string[] = [];
  class Thing {
    size() {
      return 1;
    }
    [Symbol.dispose]() {
      disposed.push("lent");
    }
  }
  const imports = { "test:level/host": { ask: () => "", open: () => new Thing(), Thing } };
  const drop: Play = (sent) =>
    sent.kind === kinds.call ? message(kinds.dropResource, { item: 0, first: 1 }) : wellBehaved(sent);
  const side = new PlayedSide(drop);
  const artifact = componentArtifact();
  const guest = await side.isolate.instantiate(artifact, { limits: defaultLimits, imports });
  await assert.rejects(guest.call(["guest", "lent"], [new Thing()]), { code: "engine/protocol-broken" });
  assert.deepEqual(disposed, []);

  assert.ok(artifact.kind === "component");
  const { plan } = artifact.component;
  const resources = new HostResources(plan, bindHostImports(plan, imports), () => {});
  const number = resources.unwrap(0, new Thing()) as number;
  assert.throws(() => resources.wrap(0, number, true), { code: "component/trap" });
});

test("of a stream of the host's one value is asked for at a time, whoever says it no longer waits for the others", async () => {
  for (const forgets of [false, true]) {
    let asked = 0;
    const stream = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => void asked++) }),
    };
    const many = Array.from({ length: 1_000 }, (_, id) => [
      event(eventKinds.wanted, { id, item: 1 }),
      ...(forgets ? [event(eventKinds.forgot, { id })] : []),
    ]);
    const side = new PlayedSide((sent) =>
      sent.kind === kinds.begin
        ? message(kinds.events, { first: Infinity, payload: encodeEvents(many.flat()) })
        : wellBehaved(sent),
    );
    const guest = await openStreams(side);
    await assert.rejects(guest.call("sum", [stream]), { code: "engine/protocol-broken" });
    assert.ok(asked <= 1, `asked ${asked} times`);
  }
});

const pageBytes = 65_536;
for (const [what, sizes] of [
  ["shrinks", [2 * pageBytes, pageBytes]],
  ["is no whole number of pages", [pageBytes + 1]],
  ["is no number", [NaN]],
  ["is of less than nothing", [-pageBytes]],
  ["is larger than it may be", [pageBytes, (defaultLimits.memoryPagesMax + 1) * pageBytes]],
] as const) {
  test(`a memory that ${what} is none of a guest's`, async () => {
    let calls = 0;
    const side = new PlayedSide((sent) => {
      if (sent.kind !== kinds.call && sent.kind !== kinds.answer) return wellBehaved(sent);
      return message(kinds.hostCall, { item: 0, second: sizes[calls++] ?? 0, payload: new Uint8Array(8) });
    });
    const guest = await openModule(side);
    await assert.rejects(guest.call("note", [1]), { code: "engine/protocol-broken" });
    assert.equal(calls, sizes.length);
  });
}

test("a stream that is read as it should be gives its values to a guest that asks for one after another", async () => {
  let next = 0;
  const side = new PlayedSide((sent) => {
    if (sent.kind !== kinds.begin && sent.kind !== kinds.settle) return wellBehaved(sent);
    if (next === 3) {
      const ended = event(eventKinds.ended, { id: 1, payload: new Uint8Array(16) });
      return message(kinds.events, { payload: encodeEvents([ended]) });
    }
    const wanted = event(eventKinds.wanted, { id: ++next, item: 1 });
    return message(kinds.events, { first: Infinity, payload: encodeEvents([wanted]) });
  });
  const guest = await openStreams(side);
  await guest.call("sum", [chunks(Uint8Array.of(1), Uint8Array.of(2))]);
  assert.equal(side.killed, undefined);
});

test("a guest that was closed and goes on calling the host is ended", async () => {
  let calls = 0;
  const side = new PlayedSide((sent) => {
    if (sent.kind !== kinds.call && sent.kind !== kinds.answer) return wellBehaved(sent);
    calls++;
    return message(kinds.hostCall, { item: 0, payload: new Uint8Array(8) });
  });
  const imports = { env: { ...env.env, note: asyncHostFunction(neverSettles) } };
  const guest = await side.isolate.instantiate(modules, { limits: endless, imports });
  const call = guest.call("note", [1]);
  await turns(3);
  guest.close();
  await assert.rejects(call);
  assert.notEqual(side.killed, undefined);
  assert.ok(calls < 30, `${calls} calls`);
});

test("a guest that was closed while it waited for the host, and then keeps silent, is ended without a deadline", async (t) => {
  const side = new PlayedSide((sent) => {
    if (sent.kind === kinds.call) return message(kinds.hostCall, { item: 0, payload: new Uint8Array(8) });
    return sent.kind === kinds.answer ? undefined : wellBehaved(sent);
  });
  const imports = { env: { ...env.env, note: asyncHostFunction(neverSettles) } };
  const guest = await side.isolate.instantiate(modules, { limits: endless, imports });
  const call = guest.call("note", [1]);
  await turns(3);
  t.mock.timers.enable({ apis: ["setTimeout"] });
  guest.close();
  await turns(3);
  t.mock.timers.tick(10_000);
  await assert.rejects(call, { code: "engine/closed" });
  assert.notEqual(side.killed, undefined);
});

test("an answer that says nothing is done keeps nothing of what came with it, and ends the side", async () => {
  const side = new PlayedSide(({ kind }) =>
    message(kind === kinds.load ? kinds.memory : kinds.done, { payload: new Uint8Array(1_000) }),
  );
  await assert.rejects(openModule(side), { code: "engine/isolate-lost" });
  assert.match(side.killed ?? "", /message of kind/);
});

test("of host functions that fail no more is kept than a guest can call before the first one ends it", () => {
  const failures = new HostFailures(() => undefined);
  const thrown = engineErrors.closed({ what: "it" });
  const reports = Array.from({ length: 10_000 }, () => failures.answer(thrown));
  assert.equal(reports[0]?.item, answers.failed);
  const named = reports.map(({ payload }) => failures.error(payload) !== undefined);
  assert.ok(named[0] && named.filter(Boolean).length <= 4_096);
});

test("a call that was cancelled lets no later one say so", () => {
  const failures = new HostFailures(() => undefined);
  const report = text(`{"code":"component/cancelled","details":{}}`);
  failures.hasCancelled = true;
  assert.notEqual(failures.error(report), undefined);
  failures.forget();
  assert.equal(failures.error(report), undefined);
});

test("places are looked up of no more frames than a report has", () => {
  const frames = Array.from({ length: 5 }, (_, at) => [at, at]);
  const report = text(JSON.stringify({ code: "engine/trap", details: {}, frames }));
  assert.equal(decodeReport(report)?.frames, undefined);
});
