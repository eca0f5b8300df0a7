/** The completion scripts in their shells, as somebody who presses tab meets them; without a shell, its test says so. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { type TestContext, test } from "node:test";
import { runProgram } from "./program.ts";
import { fakeHouse } from "./testing/fake-house.ts";
import { fakeSystem } from "./testing/fake-system.ts";

async function scriptFor(shell: string): Promise<string> {
  const system = fakeSystem({});
  assert.equal(await runProgram(["completion", shell], system, fakeHouse({}).hosts), 0);
  return system.out.text;
}

/** What a shell prints for a program of its own; undefined where there is no such shell. */
function printed(
  t: TestContext,
  shell: string,
  args: readonly string[],
  program: string,
): string[] | undefined {
  const { error, status, stdout, stderr } = spawnSync(shell, [...args, program], { encoding: "utf8" });
  if (error !== undefined) {
    t.skip(`there is no ${shell} here`);
    return undefined;
  }
  assert.equal(status, 0, stderr);
  assert.equal(stderr, "");
  return stdout.split("\n").filter((line) => line !== "");
}

/** What stands before the cursor, and what has to be among what is offered there. */
const table = [
  [["remora", "rol"], "rollback"],
  [["remora", "grants", "sh"], "show"],
  [["remora", "install", "--dis"], "--disabled"],
  [["remora", "reload", "geo"], "geofence"],
] as const;

test("zsh offers commands, options and names of plugins", async (t) => {
  const script = await scriptFor("zsh");
  for (const [words, wanted] of table) {
    // The functions of its completion system that the script calls; the words are given as that system gives them.
    const program = `compdef() { :; }; _files() { :; }
      compadd() { shift; print -l -- "$@"; }
      remora() { [[ "$*" == "list --names" ]] && env echo geofence; }
      ${script}
      words=(${words.join(" ")}); CURRENT=${words.length}; _remora`;
    const offered = printed(t, "zsh", ["-f", "-c"], program);
    if (offered === undefined) return;
    assert.ok(offered.includes(wanted), `${words.join(" ")}: ${offered.join(" ")}`);
  }
});

test("fish offers commands, options and names of plugins", async (t) => {
  const script = await scriptFor("fish");
  for (const [words, wanted] of table) {
    const program = `function remora; test "$argv" = "list --names"; and echo geofence; end
      ${script}
      complete -C '${words.join(" ")}'`;
    const offered = printed(t, "fish", ["--no-config", "-c"], program);
    if (offered === undefined) return;
    assert.deepEqual(offered, [wanted], words.join(" "));
  }
});
