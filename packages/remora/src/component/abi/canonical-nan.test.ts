import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalizeAll, canonicalNan } from "./canonical-nan.ts";

test("a NaN gets the canonical bits, and every other number keeps its own", () => {
  const odd = [0xfff8000000000123n, 0x7ff0000000000001n, 0xffffffffffffffffn];
  const numbers = [1.5, -0, Number.POSITIVE_INFINITY, 5e-324];
  const floats = new Float64Array([...new Float64Array(BigUint64Array.from(odd).buffer), ...numbers]);
  const view = new DataView(new ArrayBuffer(80));
  for (const [index, value] of floats.entries()) view.setFloat64(8 + 8 * index, canonicalNan(value), true);
  assert.deepEqual(
    odd.map((_, index) => view.getBigUint64(8 + 8 * index, true)),
    odd.map(() => 0x7ff8000000000000n),
  );
  new Uint8Array(view.buffer).set(new Uint8Array(floats.buffer), 8);
  canonicalizeAll(view, 8, floats.length, 8);
  for (const index of odd.keys()) assert.equal(view.getBigUint64(8 + 8 * index, true), 0x7ff8000000000000n);
  for (const [index, value] of numbers.entries()) {
    assert.ok(Object.is(view.getFloat64(8 + 8 * (odd.length + index), true), value));
  }
  view.setUint32(0, 0xffc0_0123, true);
  view.setUint32(4, 0x3f80_0000, true);
  canonicalizeAll(view, 0, 2, 4);
  assert.deepEqual([view.getUint32(0, true), view.getUint32(4, true)], [0x7fc0_0000, 0x3f80_0000]);
});
