/** A real process, really killed, at a moment that nobody chose. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { execPath } from "node:process";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { bundleOf, type Calls, expectRejected, folderFor, guests, rig, run } from "../testing/rig.test.ts";

const child = new URL("../testing/killed-manager.ts", import.meta.url).pathname;
/** Each starts a process, which takes most of the time; the faults at every operation are in `faults.test.ts`. */
const kills = 12;

test("a process that is killed with SIGKILL while it changes plugins leaves a folder that the next one opens", async (t) => {
  const files = folderFor(t);
  const folder = join(files, "plugins");
  const first = join(files, "first.bundle");
  const second = join(files, "second.bundle");
  writeFileSync(first, await bundleOf(guests.adds(1)));
  writeFileSync(second, await bundleOf(guests.adds(10), { version: "2.0.0" }));
  for (let kill = 0; kill < kills; kill++) {
    const victim = spawn(execPath, [child, folder, first, second], { stdio: ["ignore", "pipe", "inherit"] });
    const gone = once(victim, "exit");
    // Each victim gets through one round more or less, and then a while that differs from victim to victim.
    for await (const line of createInterface({ input: victim.stdout })) {
      if (kill === 0) await expectRejected(rig(t, { folder }), "manager/folder-held");
      if (Number(line) >= kill % 4) break;
    }
    for (let turn = 0; turn < kill * 7; turn++) await new Promise((resolve) => setImmediate(resolve));
    victim.kill("SIGKILL");
    await gone;
    const { manager } = await rig(t, { folder });
    const version = manager.has("adder") ? manager.info("adder").version : undefined;
    const answer = version && manager.get<Calls>("adder").use(run, 1);
    assert.ok(
      version === undefined ||
        (version === "1.0.0" && answer === 2) ||
        (version === "2.0.0" && answer === 11),
      `${version} answers ${answer}`,
    );
    for (const { plugin, found } of manager.recovered) assert.ok(plugin === "adder" && found.length === 3);
    await manager.close();
  }
});
