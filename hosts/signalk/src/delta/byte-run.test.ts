import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteRun } from "./byte-run.ts";

const text = Buffer.from("0123456789abcdef\u0080\u00ff", "latin1");

test("bytes are found where they are and nowhere else, whatever their length and place", () => {
  for (let from = 0; from < text.length; from++) {
    for (let end = from; end <= text.length; end++) {
      const run = new ByteRun(text.subarray(from, end));
      const found: number[] = [];
      const view = new DataView(text.buffer, text.byteOffset, text.length);
      for (let at = 0; at + run.length <= text.length; at++) if (run.isAt(view, at)) found.push(at);
      const expected = from === end ? Array.from({ length: text.length + 1 }, (_, at) => at) : [from];
      assert.deepEqual(found, expected, `${from} to ${end}`);
    }
  }
});

test("one byte that differs is seen at every place", () => {
  const run = new ByteRun(text);
  for (let at = 0; at < text.length; at++) {
    const other = Uint8Array.from(text);
    other[at] = (other[at] as number) ^ 0x80;
    assert.equal(run.isAt(new DataView(other.buffer), 0), false, `byte ${at}`);
  }
});
