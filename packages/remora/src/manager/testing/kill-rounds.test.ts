/** The harness of the tests of SIGKILL: a process that changes a plugin, killed and looked after again and again. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { env, execPath } from "node:process";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { verifyTrailFolder } from "../audit/read-trail.ts";
import { bundleOf, type Calls, expectRejected, folderFor, guests, rig, run } from "./rig.test.ts";

const child = new URL("./killed-manager.ts", import.meta.url).pathname;
/** Longer than an install, an update, a rollback and a removal take together. */
const roundMsMax = 60;

/**
 * Kills so many processes, one after the other on the same folder, each at a moment of its own. After each the folder
 * must open, with one of the two versions whole or none, and an audit trail without a gap.
 */
export async function expectSurvived(t: TestContext, kills: number): Promise<void> {
  const files = folderFor(t);
  const folder = join(files, "plugins");
  const first = join(files, "first.bundle");
  const second = join(files, "second.bundle");
  writeFileSync(first, await bundleOf(guests.adds(1)));
  writeFileSync(second, await bundleOf(guests.adds(10), { version: "2.0.0" }));
  for (let kill = 0; kill < kills; kill++) {
    const victim = spawn(execPath, [child, folder, first, second], {
      stdio: ["ignore", "pipe", "inherit"],
      // Reading and stripping our own files is what takes most of a victim's life; the first one keeps it for the others.
      env: { ...env, NODE_COMPILE_CACHE: join(files, "compiled") },
    });
    const gone = once(victim, "exit");
    for await (const line of createInterface({ input: victim.stdout })) {
      if (kill === 0) await expectRejected(rig(t, { folder }), "manager/folder-held");
      if (Number(line) >= kill % 3) break;
    }
    // Spread evenly over a round, in an order that leaves no gap for long.
    const killAtMs = performance.now() + ((kill * 0.618034) % 1) * roundMsMax;
    while (performance.now() < killAtMs) await new Promise((resolve) => setImmediate(resolve));
    victim.kill("SIGKILL");
    await gone;
    await expectWhole(t, folder, `kill ${kill}`);
  }
}

async function expectWhole(t: TestContext, folder: string, what: string): Promise<void> {
  const { manager } = await rig(t, { folder });
  const version = manager.has("adder") ? manager.info("adder").version : undefined;
  const answer = version && manager.get<Calls>("adder").use(run, 1);
  const isWhole =
    version === undefined || (version === "1.0.0" && answer === 2) || (version === "2.0.0" && answer === 11);
  assert.ok(isWhole, `${what}: ${version} answers ${answer}`);
  for (const { plugin, found } of manager.recovered)
    assert.ok(plugin === "adder" && found.length === 3, what);
  await manager.close();
  const trail = await verifyTrailFolder(join(folder, "audit"));
  assert.equal(trail.kind, "intact", `${what}: ${JSON.stringify(trail)}`);
}
