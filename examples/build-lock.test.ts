import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { alone } from "./build-lock.ts";

const folder = await mkdtemp(join(tmpdir(), "remora-lock-"));
const lockPath = join(folder, "lock");

after(() => rm(folder, { recursive: true }));

test("builds that are wanted at the same time run one after the other", async () => {
  const events: string[] = [];
  const build = (name: string) =>
    alone(lockPath, async () => {
      events.push(`${name} starts`);
      await new Promise(setImmediate);
      events.push(`${name} ends`);
    });
  await Promise.all([build("one"), build("two")]);
  assert.deepEqual(
    events.map((event) => event.split(" ")[1]),
    ["starts", "ends", "starts", "ends"],
  );
});

test("the lock of a process that is gone holds nobody up", async () => {
  const { pid } = spawnSync(process.execPath, ["--version"]);
  await writeFile(lockPath, String(pid));
  assert.equal(await alone(lockPath, async () => "built"), "built");
});

test("a build that fails gives the lock back", async () => {
  await assert.rejects(
    alone(lockPath, () => Promise.reject(new Error("no"))),
    /no/,
  );
  assert.equal(existsSync(lockPath), false);
});
