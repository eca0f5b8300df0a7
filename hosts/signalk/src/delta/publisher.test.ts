import assert from "node:assert/strict";
import { test } from "node:test";
import type { StampedDelta } from "./delta.ts";
import type { Published } from "./published.ts";
import { Publisher } from "./publisher.ts";

const deltaOf = (value: unknown): StampedDelta => ({
  context: "vessels.self",
  updates: [{ $source: "a", timestamp: "2026-01-01T00:00:00.000Z", values: [{ path: "a.b", value }] }],
});

function textOf(published: Published): string {
  const text = published.utf16();
  return typeof text === "string" ? text : Buffer.from(text).toString("utf16le");
}

function bytesOf(published: Published): string {
  const text = published.utf8();
  return typeof text === "string" ? text : Buffer.from(text).toString("utf8");
}

test("all who listen get one text, written once", () => {
  let reads = 0;
  const delta = deltaOf({
    get speed() {
      reads++;
      return 1;
    },
  });
  const publisher = new Publisher();
  const texts: unknown[] = [];
  for (let index = 0; index < 3; index++) publisher.add((published) => void texts.push(published.utf16()));
  publisher.tell(delta, 1);
  const readsOfOne = reads;
  publisher.tell(delta, 1);
  assert.equal(texts[0], texts[1]);
  assert.equal(texts[1], texts[2]);
  assert.ok(reads - readsOfOne <= readsOfOne, `${reads} reads`);
});

test("a delta that is told in the middle of another one leaves that one its text", () => {
  const publisher = new Publisher();
  const heard: string[] = [];
  let isFirst = true;
  publisher.add((published) => {
    textOf(published);
    if (!isFirst) return;
    isFirst = false;
    publisher.tell(deltaOf(2), 1);
  });
  publisher.add((published) => void heard.push(textOf(published)));
  publisher.tell(deltaOf(1), 1);
  assert.deepEqual(
    heard,
    [2, 1].map((value) => JSON.stringify(deltaOf(value))),
  );
});

test("a delta that is kept has its text when others have been told", () => {
  const publisher = new Publisher();
  const kept: Published[] = [];
  publisher.add((published) => {
    published.utf16();
    kept.push(published);
  });
  for (const value of [1, 2, 3]) publisher.tell(deltaOf(value), 1);
  assert.deepEqual(
    kept.map((published) => [String(published), textOf(published)]),
    [1, 2, 3].map((value) => JSON.stringify(deltaOf(value))).map((text) => [text, text]),
  );
});

test("who asks for the text of a delta of before takes nothing from the next", () => {
  const publisher = new Publisher();
  const kept: Published[] = [];
  publisher.add((published) => void kept.push(published));
  publisher.tell(deltaOf(1), 1);
  assert.equal(kept[0]?.utf16(), JSON.stringify(deltaOf(1)));
  let lent: unknown;
  publisher.add((published) => {
    lent = published.utf16();
  });
  publisher.tell(deltaOf(2), 1);
  assert.ok(lent instanceof Uint8Array);
});

test("whoever wants UTF-8 and whoever wants UTF-16 gets one text, also what is no ASCII, and whoever keeps it", () => {
  const publisher = new Publisher();
  const texts: string[] = [];
  const kinds = new Set<string>();
  const heard = [textOf, bytesOf, String, bytesOf, textOf];
  for (const read of heard) publisher.add((published) => void texts.push(read(published)));
  publisher.add((published) => void kinds.add(`${typeof published.utf16()} ${typeof published.utf8()}`));
  const values = [1, 2, "a", "ä", "b", 3];
  for (const value of values) publisher.tell(deltaOf(value), 1);
  assert.deepEqual(
    texts,
    values.flatMap((value) => heard.map(() => JSON.stringify(deltaOf(value)))),
  );
  assert.deepEqual([...kinds], ["object object", "object string"]);
});

test("one who fails does not keep the text of the next", () => {
  const publisher = new Publisher();
  const end = publisher.add((published) => {
    published.utf16();
    throw new Error("no");
  });
  assert.throws(() => publisher.tell(deltaOf(1), 1), /no/);
  end();
  let text: unknown;
  publisher.add((published) => {
    text = published.utf16();
  });
  publisher.tell(deltaOf(2), 1);
  assert.ok(text instanceof Uint8Array);
  end();
  assert.ok(publisher.hasListeners);
});
