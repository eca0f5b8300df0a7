import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { defineErrors } from "remora/base";
import type { CotMessage } from "../cot/message.ts";
import { messageOf } from "../filters/harness.test.ts";
import { Chain } from "./chain.ts";
import { type FilterStage, nativeStage, type OnFailure, type Stage, type TransformerStage } from "./stage.ts";

const guestErrors = defineErrors("test", { trap: { fault: "guest", message: () => "Guest trapped" } });

const filter = (
  id: string,
  decide: (message: CotMessage) => boolean,
  more: Partial<FilterStage> = {},
): FilterStage => ({ kind: "filter", id, onFailure: "block", decide, ...more });

const trapping = (id: string, onFailure: OnFailure, isBad: (message: CotMessage) => boolean): FilterStage =>
  filter(
    id,
    (message) => {
      if (isBad(message)) throw guestErrors.trap({});
      return true;
    },
    { onFailure },
  );

const renaming = (id: string, onFailure: OnFailure = "block"): TransformerStage => ({
  kind: "transformer",
  id,
  onFailure,
  transform(message) {
    if (message.uid === "bad") throw guestErrors.trap({});
    return message.uid === "same" ? message : { ...message, callsign: `${message.callsign ?? ""}+${id}` };
  },
});

test("stages run in the configured order, and a block ends the way", () => {
  const seen: string[] = [];
  const noting = (id: string, verdict: boolean) =>
    filter(id, () => {
      seen.push(id);
      return verdict;
    });
  const chain = new Chain([noting("a", true), noting("b", false), noting("c", true)]);
  assert.equal(chain.run(messageOf()), undefined);
  assert.deepEqual(seen, ["a", "b"]);
  assert.deepEqual(chain.counts(), {
    in: 1,
    passed: 0,
    blocked: 1,
    changed: 0,
    failed: 0,
    stages: [
      { id: "a", kind: "filter", in: 1, blocked: 0, changed: 0, failed: 0 },
      { id: "b", kind: "filter", in: 1, blocked: 1, changed: 0, failed: 0 },
      { id: "c", kind: "filter", in: 0, blocked: 0, changed: 0, failed: 0 },
    ],
  });
});

test("a later stage sees what a transformer made", () => {
  const chain = new Chain([renaming("x"), filter("y", ({ callsign }) => callsign === "+x"), renaming("z")]);
  assert.equal(chain.run(messageOf())?.callsign, "+x+z");
  assert.equal(chain.counts().changed, 1);
});

test("a transformer that gives back the same message changed nothing", () => {
  const message = messageOf({ uid: "same" });
  const chain = new Chain([renaming("x")]);
  assert.equal(chain.run(message), message);
  assert.equal(chain.counts().changed, 0);
  assert.equal(chain.counts().passed, 1);
});

test("a failing filter blocks or passes as configured, is counted, and goes on with the next message", () => {
  for (const onFailure of ["block", "pass"] as const) {
    const told: string[] = [];
    const chain = new Chain([trapping("p", onFailure, ({ uid }) => uid === "bad")], {
      onFailed: (stage, message, error) => told.push(`${stage.id} ${message.uid} ${error.code}`),
    });
    assert.equal(chain.run(messageOf({ uid: "bad" })) === undefined, onFailure === "block");
    assert.notEqual(chain.run(messageOf({ uid: "good" })), undefined);
    const { failed, blocked, stages } = chain.counts();
    assert.deepEqual([failed, blocked, stages[0]?.blocked], [1, onFailure === "block" ? 1 : 0, 0]);
    assert.deepEqual(told, ["p bad test/trap"]);
  }
});

test("a failing transformer passes the message unchanged or drops it", () => {
  const bad = messageOf({ uid: "bad" });
  assert.equal(new Chain([renaming("x", "pass")]).run(bad), bad);
  assert.equal(new Chain([renaming("x", "block")]).run(bad), undefined);
});

test("a mistake of our own is not taken for a failing stage", () => {
  const chain = new Chain([
    filter("p", () => {
      throw new TypeError("ours");
    }),
  ]);
  assert.throws(() => chain.run(messageOf()), TypeError);
});

test("a stage with decideBatch gets a batch at once", () => {
  const sizes: number[] = [];
  const decideBatch = (messages: readonly CotMessage[]) => {
    sizes.push(messages.length);
    return Uint8Array.from(messages, ({ uid }) => (uid === "b" ? 0 : 1));
  };
  const chain = new Chain([filter("batch", () => assert.fail("asked alone"), { decideBatch })]);
  const out: CotMessage[] = [];
  chain.runBatch(
    ["a", "b", "c"].map((uid) => messageOf({ uid })),
    out,
  );
  assert.deepEqual(sizes, [3]);
  assert.deepEqual(
    out.map(({ uid }) => uid),
    ["a", "c"],
  );
  assert.equal(chain.counts().stages[0]?.blocked, 1);
});

test("when a batch fails, only the message at fault is lost", () => {
  const stage = trapping("p", "block", ({ uid }) => uid === "bad");
  const decideBatch = (messages: readonly CotMessage[]) =>
    Uint8Array.from(messages, (message) => Number(stage.decide(message)));
  const chain = new Chain([{ ...stage, decideBatch }]);
  const out: CotMessage[] = [];
  chain.runBatch(
    ["a", "bad", "c"].map((uid) => messageOf({ uid })),
    out,
  );
  assert.deepEqual(
    out.map(({ uid }) => uid),
    ["a", "c"],
  );
  assert.deepEqual([chain.counts().failed, chain.counts().blocked], [1, 1]);
});

test("a batch says which message each of the survivors was", () => {
  const stages = [
    filter("even", ({ uid }) => Number(uid) % 2 === 0),
    renaming("x"),
    filter("not 4", ({ uid }) => uid !== "4"),
  ];
  const out: CotMessage[] = [];
  const from = [7, 7, 7];
  const messages = Array.from({ length: 7 }, (_, n) => messageOf({ uid: String(n) }));
  new Chain(stages).runBatch(messages, out, from);
  assert.deepEqual(from, [0, 2, 6]);
  assert.deepEqual(
    out.map(({ uid }) => uid),
    ["0", "2", "6"],
  );
});

test("a batch answer that is too short is no verdict", () => {
  const chain = new Chain([filter("p", () => true, { decideBatch: () => new Uint8Array(1) })]);
  const out: CotMessage[] = [];
  chain.runBatch([messageOf(), messageOf()], out);
  assert.equal(out.length, 2);
});

const stage = (index: number): fc.Arbitrary<Stage> =>
  fc.oneof(
    fc.constantFrom("block" as const, "pass" as const).map((onFailure) => renaming(`s${index}`, onFailure)),
    fc.constantFrom("friend" as const, "hostile" as const).map((name) => {
      return nativeStage(`s${index}`, { type: "affiliation", allow: [name] });
    }),
    fc.constant(trapping(`s${index}`, "pass", ({ uid }) => uid === "bad")),
    fc.constant(
      filter(`s${index}`, ({ lat }) => lat > 0, {
        decideBatch: (messages) => Uint8Array.from(messages, ({ lat }) => Number(lat > 0)),
      }),
    ),
  );

test("a batch gives the same messages and counts as one message after the other", () => {
  const stages = fc.integer({ min: 0, max: 4 }).chain((n) => {
    return fc.tuple(...Array.from({ length: n }, (_, index) => stage(index)));
  });
  const message = fc
    .record({
      uid: fc.constantFrom("bad", "same", "other"),
      type: fc.constantFrom("a-f-G", "a-h-A"),
      lat: fc.constantFrom(-1, 1),
    })
    .map(messageOf);
  fc.assert(
    fc.property(stages, fc.array(message, { maxLength: 10 }), (of, messages) => {
      const one = new Chain(of);
      const batch = new Chain(of);
      const through: CotMessage[] = [];
      batch.runBatch(messages, through);
      assert.deepEqual(
        through.map(({ uid, callsign }) => [uid, callsign]),
        messages.flatMap((m) => one.run(m) ?? []).map(({ uid, callsign }) => [uid, callsign]),
      );
      assert.deepEqual(batch.counts(), one.counts());
      const { in: entered, passed, blocked } = batch.counts();
      assert.equal(entered, passed + blocked);
    }),
  );
});

const later = (
  id: string,
  decideLater: (messages: readonly CotMessage[]) => Promise<Uint8Array>,
  onFailure: OnFailure = "block",
): FilterStage => filter(id, () => assert.fail("it answers later"), { decideLater, onFailure });

test("stages that answer later are waited for, among those that answer at once", async () => {
  const chain = new Chain([
    renaming("x"),
    later("late", async (messages) => Uint8Array.from(messages, ({ uid }) => Number(uid !== "out"))),
    {
      ...renaming("y"),
      transformLater: async (message) => ({ ...message, callsign: `${message.callsign}+later` }),
    },
  ]);
  const into: CotMessage[] = [];
  const from: number[] = [];
  await chain.runBatchLater(
    [messageOf({ uid: "a" }), messageOf({ uid: "out" }), messageOf({ uid: "b" })],
    into,
    from,
  );
  assert.deepEqual(
    into.map(({ uid, callsign }) => [uid, callsign]),
    [
      ["a", "+x+later"],
      ["b", "+x+later"],
    ],
  );
  assert.deepEqual(from, [0, 2]);
  const { in: entered, passed, blocked, changed, stages } = chain.counts();
  assert.deepEqual([entered, passed, blocked, changed], [3, 2, 1, 2]);
  assert.deepEqual(
    stages.map((stage) => [stage.in, stage.blocked, stage.changed]),
    [
      [3, 0, 3],
      [3, 1, 0],
      [2, 0, 2],
    ],
  );
});

for (const onFailure of ["block", "pass"] as const) {
  test(`a stage that fails later fails on the message at fault alone, and then it is to ${onFailure}`, async () => {
    const failsOnBad = async (messages: readonly CotMessage[]) => {
      if (messages.some(({ uid }) => uid === "bad")) throw guestErrors.trap({});
      return new Uint8Array(messages.length).fill(1);
    };
    const chain = new Chain([later("late", failsOnBad, onFailure)]);
    const into: CotMessage[] = [];
    await chain.runBatchLater(
      [messageOf({ uid: "a" }), messageOf({ uid: "bad" }), messageOf({ uid: "b" })],
      into,
    );
    const passed = into.map(({ uid }) => uid);
    assert.deepEqual(passed, onFailure === "pass" ? ["a", "bad", "b"] : ["a", "b"]);
    assert.deepEqual([chain.counts().failed, chain.counts().in], [1, 3]);
  });
}
