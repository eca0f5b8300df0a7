/** Threads and processes run the code as it is built, too: what is published. */

import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { test } from "node:test";
import { moduleBytes } from "./testing/guests.test.ts";

const source = new URL("./isolate-code.ts", import.meta.url);
const engine = new URL("../../../dist/engine/index.js", import.meta.url);
const built = new URL("../../../dist/engine/isolation/isolate-code.js", import.meta.url);

/** `npm run check` builds; a test does not. */
const isBuilt = existsSync(built) && statSync(built).mtimeMs > statSync(source).mtimeMs;

for (const level of ["worker", "process"]) {
  test(`${level}: a call works in what is built`, { skip: !isBuilt && "not built" }, async () => {
    const { openIsolation, openArtifact, defaultLimits } = await import(engine.href);
    await using isolation = openIsolation(level);
    const imports = { env: { note: () => 0, shout: () => {} } };
    const guest = await isolation.instantiate(openArtifact(moduleBytes), { imports, limits: defaultLimits });
    assert.equal((await guest.call("add", [2, 3])).result, 5);
  });
}
