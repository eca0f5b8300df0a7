import assert from "node:assert/strict";
import { test } from "node:test";
import { cutTo, tableLines } from "./table.ts";

const columns = [
  { title: "plugin", align: "left" },
  { title: "calls", align: "right" },
] as const;

test("names stand left, numbers right, and a column is as wide as its widest cell", () => {
  assert.deepEqual(
    tableLines(columns, [
      ["a", "1"],
      ["geofence", "12,345"],
    ]),
    ["plugin     calls", "a              1", "geofence  12,345"],
  );
});

test("a line that would wrap is cut", () => {
  assert.deepEqual(
    tableLines(columns, [["geofence", "12,345"]], 10),
    ["plugin    …", "geofence …"].map((line) => cutTo(line, 10)),
  );
  assert.equal(cutTo("abc", 3), "abc");
  assert.equal(cutTo("abcd", 3), "ab…");
  assert.equal(cutTo("abcd", 0), "…");
});

test("a table without rows is its titles, a short row is filled up", () => {
  assert.deepEqual(tableLines(columns, []), ["plugin  calls"]);
  assert.deepEqual(tableLines(columns, [["a"]]), ["plugin  calls", "a"]);
});
