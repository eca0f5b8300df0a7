import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { listLines } from "./list-lines.ts";
import { type AuditEvent, auditEventBytesMax } from "./record.ts";

const event: AuditEvent = { kind: "test.given", plugin: "geofence", reason: "x".repeat(200) };
const itemsOf = (line: AuditEvent) => line.items as string[];

test("a list that fits is in one line, also an empty one", () => {
  assert.deepEqual(listLines(event, "items", []), [{ ...event, items: [] }]);
  assert.deepEqual(listLines(event, "items", ["a", "b"]), [{ ...event, items: ["a", "b"] }]);
});

test("whatever a list has is in its lines, in order, and no line is too long but for one item", () => {
  const letter = fc.constantFrom("\\", '"', "\u4e2d", "a");
  const item = fc.tuple(letter, fc.nat(20_000)).map(([one, times]) => one.repeat(times));
  fc.assert(
    fc.property(fc.array(item, { maxLength: 40 }), (list) => {
      const lines = listLines(event, "items", list);
      assert.deepEqual(lines.flatMap(itemsOf), list);
      for (const [at, line] of lines.entries()) {
        const isWhole = Buffer.byteLength(JSON.stringify(line)) <= auditEventBytesMax;
        assert.ok(isWhole || itemsOf(line).length === 1);
        if (lines.length > 1) assert.deepEqual([line.part, line.parts], [at + 1, lines.length]);
      }
    }),
    { numRuns: 60 },
  );
});
