import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Few } from "./few.ts";

test("it has what a Set has, in the same order", () => {
  const change = fc.record({ isAdded: fc.boolean(), item: fc.integer({ min: 0, max: 5 }) });
  fc.assert(
    fc.property(fc.array(change), (changes) => {
      const few = new Few<number>();
      const set = new Set<number>();
      for (const { isAdded, item } of changes) {
        if (isAdded) {
          few.add(item);
          set.add(item);
        } else assert.equal(few.delete(item), set.delete(item));
        assert.equal(few.size, set.size);
        assert.equal(
          few.find((one) => one > 2),
          [...set].find((one) => one > 2),
        );
      }
      assert.deepEqual(few.takeAll(), [...set]);
      assert.equal(few.size, 0);
    }),
  );
});
