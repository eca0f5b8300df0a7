import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readText } from "./text-cache.ts";

const read = (text: string) => readText(Buffer.from(`<${text}>`), 1, 1 + Buffer.byteLength(text));

test("any text is read as it is, the first time and again, whatever was read in between", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme", maxLength: 80 })), (texts) => {
      for (const text of [...texts, ...texts]) assert.equal(read(text), text);
    }),
  );
  for (let k = 0; k < 20_000; k++) assert.equal(read(`uid-${k % 10_000}`), `uid-${k % 10_000}`);
});

test("characters beyond ASCII are not taken for those with the codes of their bytes", () => {
  for (const text of ["é", "Ã©", "é", "\u00c3\u00a9"]) assert.equal(read(text), text);
});
