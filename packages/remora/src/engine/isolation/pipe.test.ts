import assert from "node:assert/strict";
import { test } from "node:test";
import { headOf, PipeReader } from "./pipe.ts";
import { kinds, type Message, message, payloadBytesMax } from "./protocol.ts";

const sent = message(kinds.results, {
  target: 1,
  item: 2,
  count: 3,
  first: 4.5,
  second: Infinity,
  third: -0,
  payload: Uint8Array.of(7, 8, 9),
});
const wire = Buffer.concat([headOf(sent), sent.payload]);

function read(...chunks: readonly Uint8Array[]): Message[] {
  const reader = new PipeReader();
  return chunks.map((chunk) => reader.push(chunk)).filter((received) => received !== undefined);
}

test("a message arrives whole, wherever it was cut", () => {
  for (let at = 0; at <= wire.length; at++) {
    const [received, ...others] = read(wire.subarray(0, at), wire.subarray(at));
    assert.deepEqual(
      { ...received, payload: [...(received?.payload ?? [])] },
      { ...sent, payload: [7, 8, 9] },
    );
    assert.equal(others.length, 0);
  }
  assert.equal(read(...Array.from(wire, (byte) => Uint8Array.of(byte))).length, 1);
});

test("a length beyond the bound is refused by its head, before anything is kept", () => {
  for (const length of [payloadBytesMax + 1, 0x7fff_ffff, -1]) {
    const head = headOf(sent);
    new DataView(head.buffer).setInt32(16, length, true);
    assert.throws(() => read(head), { name: "ForgedMessage" });
  }
});

test("what comes behind a message, before its answer, is refused", () => {
  assert.throws(() => read(Buffer.concat([wire, wire.subarray(0, 1)])), { name: "ForgedMessage" });
});
