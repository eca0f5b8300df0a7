import assert from "node:assert/strict";
import { test } from "node:test";
import { RemoraError } from "remora/base";
import { errorText } from "./error-text.ts";

test("the lines of a message stay lines, and nothing that is quoted in one moves the cursor", () => {
  const message = 'Cannot use "remora.toml": 2 problems\n  remora.toml:1:1: a\u001b[2J\n  remora.toml:2:1: b';
  const error = new RemoraError({ code: "bundle/manifest", fault: "publisher", message, details: {} });
  assert.deepEqual(errorText(error).split("\n"), [
    'bundle/manifest: Cannot use "remora.toml": 2 problems',
    "  remora.toml:1:1: a\\u{1b}[2J",
    "  remora.toml:2:1: b",
    "",
  ]);
});
