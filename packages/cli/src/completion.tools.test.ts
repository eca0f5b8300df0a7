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
  [["remora", "reload", "-f", "plugins", "geo"], "geofence-of-plugins"],
  [["remora", "disable", "geofence", "geo"], "geofence"],
  [["remora", "rollback", "geofence", "1."], "1.1.0"],
  [["remora", "new", "tak/r"], "tak/rust"],
  [["remora", "verify", "a.bundle", "--require", "self"], "self-signed"],
  [["remora", "audit", "list", "--plugin", "geo"], "geofence"],
  [["remora", "grants", "give", "geofence", "net.h"], "net.http"],
  [["remora", "completion", "fi"], "fish"],
] as const;

/** What the program prints that the scripts ask, in any shell that has functions as POSIX has. */
const program = `remora() { case "$*" in
  "list --names") echo "geofence\${REMORA_FOLDER:+-of-$REMORA_FOLDER}" ;;
  "info --versions geofence") echo 1.1.0 ;;
esac; }`;

test("bash offers commands, options, and values where the program knows some", async (t) => {
  const script = await scriptFor("bash");
  for (const [words, wanted] of table) {
    const ask = `${program}
      ${script}
      COMP_WORDS=(${words.join(" ")}); COMP_CWORD=${words.length - 1}; _remora; printf '%s\\n' "\${COMPREPLY[@]}"`;
    assert.deepEqual(printed(t, "bash", ["-c"], ask), [wanted], words.join(" "));
  }
});

test("bash runs nothing of what the program prints", async (t) => {
  const ask = `remora() { echo '1.$(echo run)'; }
    ${await scriptFor("bash")}
    COMP_WORDS=(remora rollback geofence 1.); COMP_CWORD=3; _remora; printf '%s\\n' "\${COMPREPLY[@]}"`;
  assert.deepEqual(printed(t, "bash", ["-c"], ask), ["1.$(echo run)"]);
});

test("zsh offers commands, options, and values where the program knows some", async (t) => {
  const script = await scriptFor("zsh");
  for (const [words, wanted] of table) {
    // The functions of its completion system that the script calls; the words are given as that system gives them.
    const ask = `compdef() { :; }; _files() { :; }
      compadd() { shift; print -l -- "$@"; }
      ${program}
      ${script}
      words=(${words.join(" ")}); CURRENT=${words.length}; _remora`;
    const offered = printed(t, "zsh", ["-f", "-c"], ask);
    if (offered === undefined) return;
    assert.ok(offered.includes(wanted), `${words.join(" ")}: ${offered.join(" ")}`);
  }
});

test("fish offers commands, options, and values where the program knows some", async (t) => {
  const script = await scriptFor("fish");
  for (const [words, wanted] of table) {
    const ask = `function remora
        switch "$argv"
          case "list --names"
            echo geofence(set -q REMORA_FOLDER; and echo -- "-of-$REMORA_FOLDER"; or echo "")
          case "info --versions geofence"
            echo 1.1.0
        end
      end
      ${script}
      complete -C '${words.join(" ")}'`;
    const offered = printed(t, "fish", ["--no-config", "-c"], ask);
    if (offered === undefined) return;
    assert.deepEqual(offered, [wanted], words.join(" "));
  }
});
