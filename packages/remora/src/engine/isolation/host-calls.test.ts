/** Calls of the host: one question, one answer. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { engineErrors } from "../errors.ts";
import type { Face } from "./face.ts";
import { HostCalls } from "./host-calls.ts";
import { HostFailures } from "./host-failures.ts";
import { answers, kinds, type Message, message } from "./protocol.ts";

function asking(face: Face) {
  const calls = new HostCalls({
    plugin: "late",
    face,
    failures: new HostFailures(() => undefined),
    refusal: () => undefined,
    forged: (error) => assert.fail(error),
  });
  const told: Message[] = [];
  const ask = () =>
    calls.answer(message(kinds.hostCall), (answer) => told.push(answer), {
      waitMsMax: Infinity,
      deadlineMs: Infinity,
    });
  return { calls, told, ask };
}

test("what was given up takes no turn of what is asked later", async () => {
  const given = [Promise.withResolvers<Uint8Array>(), Promise.withResolvers<Uint8Array>()] as const;
  let asked = 0;
  let next: Partial<Message> | undefined;
  const face = {
    hostCall: () => given[asked++]?.promise,
    takeNext: () => {
      const taken = next;
      next = undefined;
      return taken;
    },
  } as unknown as Face; // As below.
  const { calls, told, ask } = asking(face);
  ask();
  assert.ok(calls.giveUp(engineErrors.closed({ what: "it" })));
  ask();
  next = { count: 1, target: 7 };
  given[0].resolve(Uint8Array.of(1));
  await new Promise((turn) => setImmediate(turn));
  given[1].resolve(Uint8Array.of(2));
  await new Promise((turn) => setImmediate(turn));
  assert.equal(told[1]?.target, 7);
});

test("what a host function gives after it was given up answers nothing that is asked later", async () => {
  const given = [Promise.withResolvers<Uint8Array>(), Promise.withResolvers<Uint8Array>()] as const;
  let asked = 0;
  // Nothing else of the face is used here.
  const face = { hostCall: () => given[asked++]?.promise } as unknown as Face;
  const { calls, told, ask } = asking(face);
  ask();
  assert.ok(calls.giveUp(engineErrors.closed({ what: "it" })));
  ask();
  given[0].resolve(Uint8Array.of(1));
  await new Promise((turn) => setImmediate(turn));
  assert.deepEqual(
    told.map(({ item }) => item),
    [answers.failed],
  );
  assert.ok(calls.isInHost, "the second question is still open");
  given[1].resolve(Uint8Array.of(2));
  await new Promise((turn) => setImmediate(turn));
  assert.deepEqual(told[1]?.payload, Uint8Array.of(2));
  assert.equal(calls.isInHost, false);
});
