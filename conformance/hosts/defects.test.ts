/** Each defect that the list knows has its test. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { defects } from "./defects.ts";

const root = join(import.meta.dirname, "../..");

for (const { there, file, test: name } of defects) {
  test(`there: ${there}`, async () => {
    const path = file.startsWith("/") ? file : join("hosts/signalk/src", file);
    assert.ok((await readFile(join(root, path), "utf8")).includes(name), `${path} has no test "${name}"`);
  });
}
