import assert from "node:assert/strict";
import { test } from "node:test";
import { takErrors } from "./errors.ts";

test("a configuration error has one line a problem, each with file, line and column", () => {
  const error = takErrors.config({
    file: "tak.yaml",
    problems: [
      { line: 3, column: 5, path: "plugins.filters[0].id", message: 'Duplicate id "geofence"' },
      { line: 9, column: 1, path: "", message: "Unexpected end" },
    ],
  });
  assert.equal(error.code, "tak/config");
  assert.equal(error.fault, "operator");
  assert.deepEqual(error.message.split("\n"), [
    'Cannot use "tak.yaml": 2 problems',
    'tak.yaml:3:5: plugins.filters[0].id: Duplicate id "geofence"',
    "tak.yaml:9:1: Unexpected end",
  ]);
});

test("the names in the table stand in alphabetical order", () => {
  const names = Object.keys(takErrors);
  assert.deepEqual(names, names.toSorted());
});
