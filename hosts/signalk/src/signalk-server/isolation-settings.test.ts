import assert from "node:assert/strict";
import { test } from "node:test";
import { readIsolation } from "./isolation-settings.ts";

test("all plugins run where the operator says, but for those that are named", () => {
  const isolation = readIsolation({
    isolation: "worker",
    exceptions: [
      { plugin: "fetches", isolation: "inline" },
      { plugin: "strange", isolation: "process" },
    ],
  });
  assert.deepEqual(["fetches", "strange", "any"].map(isolation.of), ["inline", "process", "worker"]);
});

test("what a form or a hand has left out or written wrongly is the server's own thread", () => {
  for (const settings of [undefined, null, 3, {}, { isolation: "thread" }, { exceptions: [7, {}] }]) {
    assert.equal(readIsolation(settings).of("any"), "inline");
  }
});
