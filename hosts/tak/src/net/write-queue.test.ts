import assert from "node:assert/strict";
import { test } from "node:test";
import { type WhenFull, WriteQueue } from "./write-queue.ts";

const NONE = new Uint8Array();

/** A queue whose peer reads only when it is told to. */
function slowPeer(options: { queuedBytesMax: number; whenFull: WhenFull }) {
  const read: string[] = [];
  let waiting: (() => void) | undefined;
  const queue = new WriteQueue((bytes, done) => {
    waiting = () => {
      read.push(Buffer.from(bytes).toString());
      done(true);
    };
  }, options);
  const readOne = () => {
    const next = waiting;
    waiting = undefined;
    next?.();
  };
  const push = (text: string, isKept = false) => queue.push(NONE, Buffer.from(text), isKept);
  return { queue, read, readOne, push };
}

const turn = () => new Promise<void>((resolve) => queueMicrotask(resolve));

test("messages of one turn leave in one write, in their order", async () => {
  const { queue, read, readOne } = slowPeer({ queuedBytesMax: 100, whenFull: "drop-oldest" });
  queue.push(Buffer.from("<"), Buffer.from("a>"));
  queue.push(Buffer.from("<"), Buffer.from("b>"));
  assert.equal(queue.queuedBytes, 6);
  await turn();
  readOne();
  assert.deepEqual(read, ["<a><b>"]);
  assert.deepEqual([queue.queuedBytes, queue.messagesWritten, queue.bytesWritten], [0, 2, 6]);
});

test("what comes while a batch is written leaves with the next", async () => {
  const { read, readOne, push } = slowPeer({ queuedBytesMax: 100, whenFull: "drop-oldest" });
  push("1");
  await turn();
  push("2");
  push("3");
  readOne();
  readOne();
  assert.deepEqual(read, ["1", "23"]);
});

test("when it is full the oldest batch goes, but for the one that is being written", async () => {
  const large = "x".repeat(2000);
  const { queue, read, readOne, push } = slowPeer({ queuedBytesMax: 6000, whenFull: "drop-oldest" });
  push(`1${large}`);
  await turn();
  push(`2${large}`);
  push(`3${large.slice(0, 1000)}`);
  assert.equal(push(`4${large}`), "queued");
  assert.equal(queue.messagesDropped, 1);
  for (let k = 0; k < 4; k++) readOne();
  assert.deepEqual(
    read.flatMap((batch) => batch.match(/\d/g) ?? []),
    ["1", "3", "4"],
  );
  assert.equal(queue.queuedBytes, 0);
});

test("what must not be dropped is not", async () => {
  const large = "x".repeat(3000);
  const { queue, read, readOne, push } = slowPeer({ queuedBytesMax: 7000, whenFull: "drop-oldest" });
  push(`1${large}`, true);
  push(`2${large}`);
  assert.equal(push(`3${large}`), "queued");
  await turn();
  for (let k = 0; k < 3; k++) readOne();
  assert.deepEqual(
    read.map((batch) => batch[0]),
    ["1", "3"],
  );
  assert.equal(queue.messagesDropped, 1);
});

test("a message larger than the queue is dropped, and nothing for it", () => {
  const { queue, push } = slowPeer({ queuedBytesMax: 10, whenFull: "drop-oldest" });
  assert.equal(push("12345"), "queued");
  assert.equal(push("x".repeat(11)), "dropped");
  assert.deepEqual([queue.queuedBytes, queue.messagesDropped], [5, 1]);
});

test("the other policies keep what is older, and one of them gives up on the peer", () => {
  for (const [whenFull, outcome] of [
    ["drop-newest", "dropped"],
    ["disconnect", "full"],
  ] as const) {
    const { queue, push } = slowPeer({ queuedBytesMax: 10, whenFull });
    assert.equal(push("1234567890"), "queued");
    assert.equal(push("1"), outcome);
    assert.deepEqual([queue.queuedBytes, queue.messagesDropped], [10, 1]);
  }
});

test("it says when all has left, at once if nothing waits", async () => {
  const { queue, readOne, push } = slowPeer({ queuedBytesMax: 10, whenFull: "drop-newest" });
  const said: string[] = [];
  queue.whenEmpty(() => said.push("nothing"));
  push("1");
  queue.whenEmpty(() => said.push("all"));
  await turn();
  assert.deepEqual(said, ["nothing"]);
  readOne();
  assert.deepEqual(said, ["nothing", "all"]);
});

test("what can no longer leave is counted as dropped", async () => {
  const queue = new WriteQueue((_, done) => done(false), { queuedBytesMax: 10, whenFull: "drop-newest" });
  queue.push(NONE, Buffer.from("1"));
  await turn();
  assert.deepEqual([queue.queuedBytes, queue.messagesDropped, queue.messagesWritten], [0, 1, 0]);
});
