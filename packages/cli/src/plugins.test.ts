import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { createToken, type Happening, tokensFile } from "@remora/admin";
import { AuditTrail } from "remora/manager";
import { runProgram } from "./program.ts";
import { account, type FakeHouseOptions, fakeHouse, held, pluginView } from "./testing/fake-house.ts";
import { type FakeOptions, fakeSystem } from "./testing/fake-system.ts";

/** What an answer names: not the plugin alone. */
const shown = { plugin: held.plugin, id: held.id };

async function run(args: readonly string[], options: FakeOptions & FakeHouseOptions = {}) {
  const system = fakeSystem(options);
  const house = fakeHouse(options);
  const exitCode = await runProgram(args, system, house.hosts);
  return { exitCode, out: system.out.text, err: system.err.text, ...house, pending: system.pending };
}

test("every command of a plugin's life asks for what it says, closes the folder, and has JSON", async () => {
  const table = [
    [["enable", "geofence"], ["enable", "geofence"], { enabled: ["geofence"] }],
    [["disable", "geofence"], ["disable", "geofence"], { disabled: ["geofence"] }],
    [["reload", "geofence"], ["reload", "geofence"], { reloaded: ["geofence"] }],
    [["remove", "geofence", "--data"], ["remove", "geofence", { data: true }], { removed: ["geofence"] }],
    [
      ["rollback", "geofence", "0.8.0"],
      ["rollback", "geofence", "0.8.0"],
      { name: "geofence", version: "0.8.0", from: "1.0.0", held: null, publisher: null },
    ],
    [
      ["update", "geofence", "--range", "^1"],
      ["update", "geofence", "^1"],
      { plugins: [{ name: "geofence", version: "1.1.0", from: "1.0.0", held: null, publisher: null }] },
    ],
    [
      ["grants", "give", "geofence", "net.http", "https://b"],
      ["give", "geofence", { capability: "net.http", origins: ["https://b"] }],
      { plugin: "geofence", given: { capability: "net.http", origins: ["https://b"] } },
    ],
    [
      ["grants", "revoke", "geofence", "clock.read"],
      ["revoke", "geofence", { capability: "clock.read" }],
      { plugin: "geofence", revoked: { capability: "clock.read" } },
    ],
  ] as const;
  for (const [args, asked, json] of table) {
    const found = await run([...args, "--json"]);
    assert.equal(found.exitCode, 0, found.err);
    assert.deepEqual([found.asked, JSON.parse(found.out)], [[asked], json], args.join(" "));
    assert.ok((await run(args)).out.endsWith("\n"));
  }
});

test("a capability that there is not is answered with a near one, and targets only where it has some", async () => {
  const misspelt = await run(["grants", "give", "geofence", "net.htp", "https://b"]);
  assert.deepEqual([misspelt.exitCode, misspelt.asked], [1, []]);
  assert.match(misspelt.err, /^cli\/bad-value: .*the capability net\.htp.*perhaps net\.http/);
  const targets = await run(["grants", "give", "geofence", "clock.read", "now"]);
  assert.match(targets.err, /^cli\/bad-value: .*targets of clock\.read.*none/);
});

test("a coded error is told with exit code 1, and the folder is closed all the same", async () => {
  const system = fakeSystem();
  const house = fakeHouse();
  assert.equal(await runProgram(["disable", "geofnce"], system, house.hosts), 1);
  assert.match(system.err.text, /^manager\/no-such-plugin: /);
  assert.equal(house.closed, 1);
});

test("which folder a command is about: the option, else the system's", async () => {
  assert.equal((await run(["list"], { pluginFolder: "here" })).opened[0]?.folder, "here");
  assert.equal((await run(["list", "-f", "there"])).opened[0]?.folder, "there");
});

test("what only looks runs nothing, and what takes running plugins says so when there are none", async () => {
  for (const args of [["list"], ["info", "geofence"], ["grants", "show", "geofence"], ["grants", "held"]]) {
    assert.equal((await run(args)).opened[0]?.use, "look", args.join(" "));
  }
  for (const args of [["reload", "geofence"], ["top"], ["logs"]]) {
    const { exitCode, err } = await run(args, { isRunning: false });
    assert.equal(exitCode, 1);
    assert.match(err, /^cli\/not-served: /);
  }
});

test("plugins are listed in a table, as names, and as one object", async () => {
  const plugins = [
    pluginView(),
    pluginView({ name: "late", version: null, state: "installed", held: "2.0.0", account }),
  ];
  const { out } = await run(["list"], { plugins });
  assert.match(out, /^geofence +1\.0\.0 +running +1,000 +2$/m);
  assert.match(out, /^late +– +installed .*2\.0\.0 waits for consent$/m);
  assert.equal((await run(["list", "--names"], { plugins })).out, "geofence\nlate\n");
  assert.equal(JSON.parse((await run(["list", "--json"], { plugins })).out).plugins.length, 2);
  assert.match((await run(["info", "geofence"])).out, /^trust +unsigned: it carries no signature$/m);
});

test("a file is read here, a folder is packed here, and a name goes to the manager's sources", async () => {
  const files = { "a.bundle": new Uint8Array(4) };
  assert.deepEqual((await run(["install", "a.bundle"], { files })).asked, [
    ["install", resolve("a.bundle"), {}],
  ]);
  assert.deepEqual((await run(["install", "geofence@^1.2.0", "--disabled"])).asked, [
    ["install", "geofence@^1.2.0", { isEnabled: false }],
  ]);
  const { exitCode, err } = await run(["install", "./missing.bundle"]);
  assert.equal(exitCode, 1);
  assert.match(err, /^cli\/cannot-read: /);
});

test("what a version wants is asked item by item, with its reason, which cannot move the cursor", async () => {
  const { exitCode, asked, err } = await run(["install", "geofence"], { held: [held], answers: ["y", "n"] });
  assert.equal(exitCode, 0, err);
  assert.deepEqual(asked.at(-1), ["accept", shown, [{ capability: "clock.read", target: null }]]);
  assert.ok(err.includes("To date \\u{1b}[2Jalerts") && err.includes("medium risk"));
  assert.ok(err.includes("geofence 1.1.0 from /down\\u{1b}[2Jloads/geofence.bundle (unsigned) wants:"));
});

test("another publisher is asked about before anything else, and nothing runs without a yes", async () => {
  const publisher = {
    from: "verified by Ada (key 1a)",
    to: "verified by \u001b[2JEve (key 2b)",
    name: "Eve",
  };
  const other = { ...held, publisher, items: [] };
  const asked = (...answers: readonly string[]) => run(["install", "geofence"], { held: [other], answers });
  const taken = await asked("y");
  assert.deepEqual([taken.exitCode, taken.asked.at(-1)], [0, ["accept", shown, []]], taken.err);
  assert.match(
    taken.err,
    /is by another publisher: verified by .*Eve \(key 2b\); .* verified by Ada \(key 1a\)$/m,
  );
  assert.ok(!taken.err.includes("\u001b"));
  for (const refused of [await asked("n"), await asked()]) {
    assert.deepEqual([refused.exitCode, refused.asked.length], [1, 1]);
    assert.match(refused.err, /^cli\/no-consent: .* consent to another publisher: /m);
  }
  assert.match(
    (await run(["grants", "held"], { held: [other] })).out,
    /^geofence 1\.1\.0: another publisher: /,
  );
  const by = (publishers: unknown) =>
    run(["install", "geofence", "--policy", "policy.json"], {
      held: [other],
      files: { "policy.json": new TextEncoder().encode(JSON.stringify({ publishers })) },
    });
  assert.equal((await by(["Eve"])).exitCode, 0);
  assert.match((await by(["Ada"])).err, /^cli\/no-consent: /m);
  assert.match((await by("Eve")).err, /^cli\/bad-value: .*publishers/m);
});

test("with --yes all is given; where nobody can answer the version waits and the exit code is 1", async () => {
  const yes = await run(["install", "geofence", "--yes"], { held: [held] });
  assert.deepEqual(
    yes.asked.at(-1)?.[2],
    held.items.map(({ capability, target }) => ({ capability, target })),
  );
  const nobody = await run(["install", "geofence"], { held: [held] });
  assert.equal(nobody.exitCode, 1);
  assert.match(nobody.err, /cli\/no-consent: .*clock\.read, net\.http https:\/\/a:443/);
});

test("a policy file gives and refuses without a person; of what it says nothing about, nobody is asked", async () => {
  const clock = { capability: "clock.read" };
  const maps = { capability: "net.http", origins: ["https://a"] };
  const by = (policy: unknown, ...more: readonly string[]) => {
    const files = { "policy.json": new TextEncoder().encode(JSON.stringify(policy)) };
    const args = ["install", "geofence", "--policy", "policy.json", ...more];
    return run(args, { held: [held], files, answers: ["y", "y"] });
  };
  const given = await by({ grants: [clock, maps], denials: [maps] });
  assert.equal(given.exitCode, 0, given.err);
  assert.deepEqual(given.asked.at(-1), ["accept", shown, [{ capability: "clock.read", target: null }]]);
  const part = await by({ grants: [clock] });
  assert.match(part.err, /^cli\/no-consent: .* consent to net\.http https:\/\/a:443;/m);
  assert.equal(part.asked.length, 1, "nothing was accepted");
  assert.match((await by({ allow: [] })).err, /^cli\/bad-value: /m);
  assert.match((await by([])).err, /^cli\/bad-value: /m);
  assert.match((await by({ grants: [{ capability: "clock.reed" }] })).err, /^policy\/unknown-capability: /m);
  assert.equal((await by({}, "--yes")).exitCode, 2);
});

test("with --json nobody is asked, on a terminal either", async () => {
  const { exitCode, asked } = await run(["install", "geofence", "--json"], {
    held: [held],
    answers: ["y", "y"],
  });
  assert.deepEqual([exitCode, asked.length], [1, 1]);
});

test("a change of the publisher is said, in what was done and of each version that is kept", async () => {
  const publisher = {
    from: "verified by Ada (key 1a)",
    to: "verified by \u001b[2JEve (key 2b)",
    name: "Eve",
  };
  const { out } = await run(["rollback", "geofence"], { publisher });
  assert.match(
    out,
    /^geofence 1\.0\.0 → 0\.9\.0; another publisher: verified by .*Eve \(key 2b\), and before verified by Ada/,
  );
  assert.ok(!out.includes("\u001b"));
  const info = (await run(["info", "geofence"], { publisher })).out;
  assert.match(info, /^kept +0\.9\.0 from .*, by another publisher: verified by .*Eve \(key 2b\)$/m);
});

test("what waits is listed, accepted and refused", async () => {
  assert.match(
    (await run(["grants", "held"], { held: [held] })).out,
    /^geofence 1\.1\.0: clock\.read, net\.http/,
  );
  const accepted = await run(["grants", "accept", "geofence", "--yes", "--json"], { held: [held] });
  assert.equal(accepted.asked.at(-1)?.[0], "accept");
  assert.deepEqual((await run(["grants", "refuse", "geofence"], { held: [held] })).asked, [
    ["refuse", shown],
  ]);
});

test("what needs a plugin that waits is installed after that one was answered for", async () => {
  const { asked, out, exitCode } = await run(["install", "map", "--yes"], { held: [held], neededBy: "map" });
  assert.deepEqual(
    asked.map(([verb, what]) => [verb, what]),
    [
      ["install", "map"],
      ["accept", shown],
      ["install", "map"],
    ],
  );
  assert.deepEqual([exitCode, out], [0, "map 1.0.0 is installed\n"]);
});

test("an answer to what was shown before is for that alone", async () => {
  const { out } = await run(["grants", "held"], { held: [held] });
  assert.ok(out.includes(`  id ${held.id}\n`) && out.includes(held.digest), out);
  for (const verb of ["accept", "refuse"]) {
    const args = ["grants", verb, "geofence", ...(verb === "accept" ? ["--yes"] : []), "--id", held.id];
    const answered = await run(args, { held: [held] });
    assert.deepEqual(answered.asked[0]?.slice(0, 2), [verb, shown]);
    const replaced = await run(args, { held: [{ ...held, id: "6b".repeat(32) }] });
    assert.deepEqual([replaced.exitCode, replaced.asked], [1, []]);
    assert.match(replaced.err, /^cli\/bad-value: /m);
  }
});

test("what waits and is damaged is listed with what is wrong, cannot be accepted, and can be dropped", async () => {
  const problem = { code: "manager/store-damaged", message: "Cannot use \u001b[2J: found no file" };
  const damaged = { ...held, items: [], problem };
  const { out } = await run(["grants", "held"], { held: [held, { ...damaged, plugin: "other" }] });
  assert.match(out, /^geofence 1\.1\.0: clock\.read/);
  assert.match(out, /^other 1\.1\.0: cannot be accepted: manager\/store-damaged: Cannot use \\u\{1b\}/m);
  const accepted = await run(["grants", "accept", "geofence", "--yes"], { held: [damaged] });
  assert.deepEqual([accepted.exitCode, accepted.asked], [1, []]);
  assert.match(accepted.err, /^cli\/held-damaged: .*"remora grants refuse geofence"/m);
  assert.deepEqual((await run(["grants", "refuse", "geofence"], { held: [damaged] })).asked, [
    ["refuse", shown],
  ]);
});

test("what is verified again, or shown with its trust, is judged by the keys and the level that the command was given", async () => {
  const files = { "keys.toml": new TextEncoder().encode("") };
  const accept = ["grants", "accept", "geofence", "--yes", "--trust", "unsigned", "--store", "keys.toml"];
  const [accepted] = (await run(accept, { held: [held], files })).opened;
  assert.equal(accepted?.trust, "unsigned");
  assert.ok(accepted?.keys !== undefined);
  const [shown] = (await run(["info", "geofence", "--store", "keys.toml"], { files })).opened;
  assert.ok(shown?.keys !== undefined);
});

const looks: Happening[] = [0, 1, 2].map((second) => ({
  kind: "metrics",
  atMs: 1_000 * second,
  plugins: [
    pluginView({
      account: {
        ...account,
        calls: 1_000 + 500 * second,
        fuelUsed: 5_000 + 5_000 * second,
        cpuMs: 100 * second,
      },
    }),
    pluginView({ name: "quiet" }),
  ],
}));

test("top shows what plugins do a second: a line each, one object each for programs, a table on a terminal", async () => {
  const lines = (await run(["top"], { happenings: looks })).out.trimEnd().split("\n");
  assert.equal(lines.length, 2);
  assert.match(lines[0] ?? "", /^geofence running 500\/s cpu 10\.0 % p50 500 ns/);
  const objects = (await run(["top", "--json"], { happenings: looks })).out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    objects.map(({ plugins: [first] }) => [
      first.name,
      first.callsPerSecond,
      first.fuelPerCall,
      first.cpuPercent,
    ]),
    [
      ["geofence", 500, 10, 10],
      ["geofence", 500, 10, 10],
    ],
  );
  const terminal = await run(["top"], { happenings: looks, isTerminal: true });
  assert.ok(terminal.out.includes("\x1b[3A") && terminal.out.endsWith("\x1b[?25h"));
  assert.equal(terminal.pending, 0);
});

test("logs are lines of what happens, of the named plugins alone, and cannot forge one another", async () => {
  const happenings: Happening[] = [
    { kind: "log", atMs: 0, plugin: "geofence", level: "info", text: "hello\nforged line" },
    { kind: "trap", atMs: 0, plugin: "other", code: "engine/trap" },
    { kind: "state", atMs: 0, plugin: "geofence", from: "running", event: "stop", to: "draining" },
  ];
  const { out } = await run(["logs", "geofence"], { happenings });
  assert.deepEqual(out.trimEnd().split("\n"), [
    "1970-01-01T00:00:00.000Z geofence log info: hello\\u{a}forged line",
    "1970-01-01T00:00:00.000Z geofence state running → draining",
  ]);
  assert.equal((await run(["logs", "--json"], { happenings })).out.trimEnd().split("\n").length, 3);
});

test("dev takes what is there, and gives it what it wants", async () => {
  const files = { "a.bundle": new Uint8Array(4) };
  const { asked, opened, exitCode } = await run(["dev", "a.bundle"], { files, held: [held] });
  assert.equal(exitCode, 0);
  assert.equal(opened[0]?.use, "develop");
  assert.deepEqual(asked, [
    ["install", resolve("a.bundle"), undefined],
    ["accept", shown, undefined],
  ]);
});

test("an update goes on after a plugin that fails, and tells what was done and what was not", async () => {
  const plugins = ["geofence", "mine", "map"].map((name) => pluginView({ name }));
  const failing = { geofence: "manager/prepare", mine: "manager/no-source" };
  const named = await run(["update", "geofence", "mine", "map"], { plugins, failing });
  assert.deepEqual([named.exitCode, named.out], [1, "map 1.0.0 → 1.1.0\n"]);
  assert.match(named.err, /^manager\/prepare: .*\nmanager\/no-source: .*\n$/);
  const all = await run(["update", "--json"], { plugins, failing });
  assert.deepEqual([all.exitCode, JSON.parse(all.out).plugins.length], [1, 1]);
  const { geofence: _, ...missing } = failing;
  const none = await run(["update"], { plugins, failing: missing });
  assert.deepEqual([none.exitCode, none.out], [0, "geofence 1.0.0 → 1.1.0\nmap 1.0.0 → 1.1.0\n"]);
  assert.equal(none.err, "manager/no-source: Cannot change mine\n");
  const unmet = await run(["update"], { plugins, failing: { mine: "manager/resolve" } });
  assert.equal(unmet.exitCode, 1, "what it needs cannot be had");
  assert.equal((await run(["update", "mine"], { plugins, failing: missing })).exitCode, 1);
});

test("what was done before one of several names failed is told, and nothing behind it is", async () => {
  const plugins = ["geofence", "map", "late"].map((name) => pluginView({ name }));
  const failing = { map: "manager/prepare" };
  for (const [verb, past] of [
    ["enable", "enabled"],
    ["disable", "disabled"],
    ["reload", "reloaded"],
    ["remove", "removed"],
  ] as const) {
    const { exitCode, out, err, asked } = await run([verb, "geofence", "map", "late", "--json"], {
      plugins,
      failing,
    });
    assert.deepEqual([exitCode, JSON.parse(out), asked.length], [1, { [past]: ["geofence"] }, 2]);
    assert.match(err, /^manager\/prepare: /);
    assert.equal((await run([verb, "geofence", "map"], { plugins, failing })).out, `geofence is ${past}\n`);
    assert.equal((await run([verb, "map", "geofence", "--json"], { plugins, failing })).out, "");
  }
  const installed = await run(["install", "geofence", "map", "late"], { failing });
  assert.deepEqual(
    [installed.exitCode, installed.out, installed.asked.length],
    [1, "geofence 1.0.0 is installed\n", 2],
  );
  assert.match(installed.err, /^manager\/prepare: /);
});

test("a trail that was changed is named by its line, with exit code 1", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "remora-cli-"));
  t.after(() => rmSync(folder, { recursive: true }));
  using trail = new AuditTrail({ folder: join(folder, "audit"), nowMs: () => 0 });
  for (let n = 0; n < 5; n++) trail.append({ kind: "test.happened", n, plugin: "\u001b[2J" });
  const whole = await run(["audit", "verify", "-f", folder, "--json"]);
  const { last } = JSON.parse(whole.out);
  assert.equal(
    (await run(["audit", "verify", "-f", folder, "--expect", `${last.seq}:${last.hash}`])).exitCode,
    0,
  );
  assert.equal((await run(["audit", "verify", "-f", folder, "--expect", "5"])).exitCode, 2);
  const { out } = await run(["audit", "list", "-f", folder, "-n", "2"]);
  assert.equal(out.split("\n").length, 3);
  assert.ok(!out.includes("\u001b"));

  const file = join(folder, "audit", "audit-000001.jsonl");
  writeFileSync(file, readFileSync(file, "utf8").replace('"n":2', '"n":9'));
  const { exitCode, err } = await run(["audit", "verify", "-f", folder]);
  assert.equal(exitCode, 1);
  assert.match(err, /^cli\/audit-broken: .*changed at audit-000001\.jsonl:3: Line 3 /);
});

test("a trail says what was removed from it as too old, and whether the line that was kept vouches for that", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "remora-cli-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const options = { folder: join(folder, "audit"), nowMs: () => 0, fileBytesMax: 600, filesMax: 2 };
  using trail = new AuditTrail(options);
  const ends = Array.from({ length: 20 }, () => trail.append({ kind: "test.happened" }));
  const expecting = ({ seq, hash }: { readonly seq: number; readonly hash: string }) =>
    run(["audit", "verify", "-f", folder, "--expect", `${seq}:${hash}`]);
  const whole = await expecting(trail.end);
  const [, through, by] = /^removed +to line (\d+), as line (\d+) says$/m.exec(whole.out) ?? [];
  assert.ok(Number(through) > 0, whole.out);
  const earlier = ends.findLast(({ seq }) => seq < Number(by)) ?? trail.end;
  assert.match((await expecting(earlier)).out, /says, which came after the one that was expected$/m);
  const gone = await expecting(ends[0] ?? trail.end);
  assert.deepEqual(
    [gone.exitCode, /: not-kept: Line 1 is not kept any more/.test(gone.err)],
    [1, true],
    gone.err,
  );
});

test("a token is shown once, listed without its hash, and revoked", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "remora-cli-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const made = JSON.parse(
    (await run(["tokens", "create", "ada", "--role", "admin", "-f", folder, "--json"])).out,
  );
  assert.match(made.token, /^remora_/);
  createToken(tokensFile(folder), { name: "bob", role: "reader", nowMs: 0 });
  const { out } = await run(["tokens", "list", "-f", folder]);
  assert.match(out, /^ada +admin /m);
  assert.ok(!out.includes(made.token) && !/[0-9a-f]{64}/.test(out));
  assert.equal((await run(["tokens", "revoke", "ada", "-f", folder])).exitCode, 0);
  assert.equal((await run(["tokens", "revoke", "ada", "-f", folder])).exitCode, 1);
});

test("a user is made with the password in a file, listed without its hash, and removed", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "remora-cli-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const files = {
    "password.txt": new TextEncoder().encode("correct horse\n"),
    "short.txt": new TextEncoder().encode("horse\n"),
  };
  const create = (name: string, file: string) =>
    run(["users", "create", name, "--role", "operator", "--password-file", file, "-f", folder], { files });
  assert.equal((await create("ada", "password.txt")).out, "ada may log in as operator\n");
  assert.match((await create("bob", "short.txt")).err, /^admin\/weak-password: /);
  assert.match((await create("ada", "password.txt")).err, /^admin\/user-exists: /);
  assert.equal((await create("bob", "nowhere.txt")).exitCode, 1);
  assert.equal((await run(["users", "create", "bob", "-f", folder])).exitCode, 2);
  const { users } = JSON.parse((await run(["users", "list", "-f", folder, "--json"])).out);
  assert.deepEqual(Object.keys(users[0]), ["name", "role", "createdAt"]);
  assert.match((await run(["users", "list", "-f", folder])).out, /^ada +operator /m);
  assert.equal((await run(["users", "remove", "ada", "-f", folder])).exitCode, 0);
  assert.equal((await run(["users", "remove", "ada", "-f", folder])).exitCode, 1);
});

test("completion has every command and its options, and is a script that the shell takes", async () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const { out, exitCode } = await run(["completion", shell]);
    assert.equal(exitCode, 0);
    for (const word of ["install", "grants", "accept", "--folder", "remora list --names"]) {
      assert.ok(out.includes(word), `${shell}: ${word}`);
    }
  }
  const { out } = await run(["completion", "bash"]);
  const complete = (words: string) => {
    const script = `${out}\nCOMP_WORDS=(${words}); COMP_CWORD=$((\${#COMP_WORDS[@]}-1)); _remora; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return spawnSync("bash", ["-c", script], { encoding: "utf8" })
      .stdout.split("\n")
      .filter((line) => line !== "");
  };
  assert.deepEqual(complete("remora rol"), ["rollback"]);
  assert.deepEqual(complete("remora grants sh"), ["show"]);
  assert.deepEqual(complete("remora install --dis"), ["--disabled"]);
  assert.equal((await run(["completion", "tcsh"])).exitCode, 2);
});
