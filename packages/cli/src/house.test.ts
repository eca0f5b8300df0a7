/** A folder that was mistyped: which commands make it, and what the others say. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { placesOf } from "./completion/places.ts";
import { buildProgram, runProgram } from "./program.ts";
import { fakeHouse } from "./testing/fake-house.ts";
import { fakeSystem } from "./testing/fake-system.ts";

const files = { "a.bundle": new Uint8Array(4), "password.txt": new TextEncoder().encode("correct horse") };

/** Of all commands that take a folder, what they are called with to get as far as the folder. */
const argumentsOf: Readonly<Record<string, readonly string[]>> = {
  "audit list": [],
  "audit verify": [],
  dev: ["a.bundle"],
  disable: ["geofence"],
  enable: ["geofence"],
  "grants accept": ["geofence"],
  "grants give": ["geofence", "clock.read"],
  "grants held": [],
  "grants refuse": ["geofence"],
  "grants revoke": ["geofence", "clock.read"],
  "grants show": ["geofence"],
  info: ["geofence"],
  install: ["a.bundle"],
  list: [],
  logs: [],
  reload: ["geofence"],
  remove: ["geofence"],
  rollback: ["geofence"],
  serve: [],
  "tokens create": ["ada"],
  "tokens list": [],
  "tokens revoke": ["ada"],
  top: [],
  update: [],
  "users create": ["ada", "--password-file", "password.txt"],
  "users list": [],
  "users remove": ["ada"],
};
/** Plugins come to run by these. */
const begin = new Set(["dev", "install", "serve"]);

test("a folder that is not there is made by what brings plugins into it alone, and that says so", async () => {
  for (const [command, args] of Object.entries(argumentsOf)) {
    const system = fakeSystem({ files, missingFolders: ["typo", "typo/audit"] });
    const serve = async () => {
      setImmediate(() => system.interrupt());
      return { address: "", close: async () => {} };
    };
    const hosts = { ...fakeHouse().hosts, serve };
    const exitCode = await runProgram([...command.split(" "), ...args, "-f", "typo"], system, hosts);
    const isMade = begin.has(command);
    assert.deepEqual([exitCode, await system.hasFolder("typo")], isMade ? [0, true] : [1, false], command);
    assert.match(system.err.text, isMade ? /^made the folder "typo"$/m : /^cli\/no-folder: /, command);
  }
});

test("a source that is not there is told before anything is made", async () => {
  const system = fakeSystem({ missingFolders: ["typo", "bundles"] });
  const args = ["serve", "-f", "typo", "--source", "more", "bundles"];
  const exitCode = await runProgram(args, system, fakeHouse().hosts);
  assert.deepEqual([exitCode, await system.hasFolder("typo")], [1, false]);
  assert.equal(system.err.text, 'cli/cannot-read: Cannot read "bundles": there is no such folder\n');
});

test("a folder that cannot be seen is not said to be missing", async () => {
  for (const command of ["list", "audit verify", "install a.bundle"]) {
    const hasFolder = () => Promise.reject(Object.assign(new Error("refused"), { code: "EACCES" }));
    const system = { ...fakeSystem({ files }), hasFolder };
    assert.equal(await runProgram(command.split(" "), system, fakeHouse().hosts), 1);
    assert.match(system.err.text, /^cli\/cannot-read: .*this account may not read it\n$/, command);
  }
});

test("a policy file that is not there leaves no folder behind", async () => {
  for (const args of [["serve"], ["install", "a.bundle"]]) {
    const system = fakeSystem({ files, missingFolders: ["typo"] });
    const exitCode = await runProgram(
      [...args, "-f", "typo", "--policy", "none.json"],
      system,
      fakeHouse().hosts,
    );
    assert.deepEqual([exitCode, await system.hasFolder("typo")], [1, false], args.join(" "));
    assert.match(system.err.text, /^cli\/cannot-read: /);
  }
});

test("none of the commands that take a folder is missing here", () => {
  const program = buildProgram(fakeSystem(), fakeHouse().hosts);
  const taking = placesOf(program, []).filter(({ options }) => options.includes("--folder"));
  assert.deepEqual(taking.map(({ path }) => path).toSorted(), Object.keys(argumentsOf).toSorted());
});
