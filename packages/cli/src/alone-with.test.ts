import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { generateKeyPair, parseTrustStore } from "remora/bundle";
import { aloneWith } from "./alone-with.ts";
import { start } from "./testing/running-program.ts";

const options = { timeout: 60_000 };

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "remora-alone-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test("of keys that are revoked at the same time each is revoked", options, async (t) => {
  const store = join(folderOf(t), "trusted_keys.toml");
  const keys = Array.from({ length: 6 }, () => generateKeyPair().publicKey).sort();
  const ends = keys.map((key) => start(t, "keys", "revoke", key, "--store", store).ended);
  for (const { code, err } of await Promise.all(ends)) assert.equal(code, 0, err);
  const { revoked } = parseTrustStore(readFileSync(store, "utf8"), store);
  assert.deepEqual(revoked.map((key) => key.publicKey).sort(), keys);
});

/** Holds the file until it is killed. */
const holding = `
import { aloneWith } from ${JSON.stringify(join(import.meta.dirname, "alone-with.ts"))};
await aloneWith(process.argv[1], () => new Promise(() => {
  process.stdout.write("held");
  setInterval(() => {}, 1_000);
}));`;

test("whoever was killed in the middle is not waited for", options, async (t) => {
  const file = join(folderOf(t), "file");
  const child = spawn(process.execPath, ["--input-type=module", "--eval", holding, file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "close");
  assert.equal(await aloneWith(file, async () => "done"), "done");
});
