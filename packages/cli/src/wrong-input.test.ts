/** What is wrong on the command line, in files and on the machine is told in one message that names it, and the program ends. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { runProgram } from "./program.ts";
import { realSystem, type System } from "./system.ts";
import { fakeHouse } from "./testing/fake-house.ts";
import { fakeSystem } from "./testing/fake-system.ts";
import { emptyModule } from "./testing/modules.ts";
import { printed, settings, start, startWith } from "./testing/running-program.ts";

const manifestNaming = (file: string) => `name = "geofence"
version = "1.0.0"
authors = ["Ada"]
licence = "MIT"
files = ["${file}"]
[host]
name = "tak"
version = "^0.1.0"
[[artifacts]]
file = "core.wasm"
world = "example:other/world@0.1.0"
`;

const text = (written: string) => new TextEncoder().encode(written);

const files = {
  "a.bundle": text("remora, but not as a bundle begins"),
  "later.bundle": text("remora\0\u0002"),
  "core.wasm": emptyModule,
  "broken.json": text('{ "grants": ['),
  "other.json": text('{ "grant": [] }'),
  "list.json": text("[]"),
  "null.json": text("null"),
  "worlds.wit": text("package a:b; world one { } world two { }"),
};

const table = [
  [
    ["wit", "a.bundle"],
    /^cli\/bad-value: .*"a\.bundle", which starts with 72 65 6d 6f 72 61 2c 20: expected a component/,
  ],
  [
    ["inspect", "later.bundle"],
    /^cli\/not-wasm: .*starts with 72 65 6d 6f 72 61 00 02;.* 72 65 6d 6f 72 61 00 01$/m,
  ],
  [
    ["verify", "later.bundle"],
    /^cli\/unsignable: .*starts with 72 65 6d 6f 72 61 00 02;.* 72 65 6d 6f 72 61 00 01,/,
  ],
  [["wit", "core.wasm"], /^cli\/bad-value: .*is a core module: expected a component/],
  [
    ["serve", "--policy", "broken.json"],
    /^cli\/bad-value: .*no JSON in the policy file "broken\.json": expected/,
  ],
  [
    ["serve", "--policy", "other.json"],
    /^cli\/bad-value: .*the key "grant" in the policy file "other\.json"/,
  ],
  [["serve", "--policy", "list.json"], /^cli\/bad-value: .*the policy file "list\.json": expected/],
  [["serve", "--policy", "null.json"], /^cli\/bad-value: .*the policy file "null\.json": expected/],
  [
    ["grants", "give", "geofence", "net.http"],
    /^cli\/bad-value: .*net\.http without .*: expected one or more origins/,
  ],
  [["types", "worlds.wit"], /^component\/wit-no-such-world: .*one, two/],
  [["types", "worlds.wit", "--world", "harbour"], /^component\/wit-no-such-world: .*"harbour": .*one, two/],
  [["logs", "harbuor"], /no-such-plugin: .*harbuor/],
  [["update", "geofence", "--range", "zzz"], /^cli\/bad-value: .*the range "zzz": expected .*\^1\.2\.0/],
  [["dev", "nowhere"], /^cli\/cannot-read: .*"nowhere": there is no such file/],
] as const;

for (const [args, message] of table) {
  test(`remora ${args.join(" ")} says in one line what it cannot do, with what, and what it could`, async () => {
    const system = fakeSystem({ files });
    assert.equal(await runProgram(args, system, fakeHouse().hosts), 1);
    assert.match(system.err.text, message);
    assert.equal(system.err.text.indexOf("\n"), system.err.text.length - 1);
    assert.equal(system.out.text, "");
  });
}

async function takenPort(t: TestContext): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  return (server.address() as AddressInfo).port; // a TCP server's is no path
}

test("a port that is taken ends the program, of whichever host it is", { timeout: 60_000 }, async (t) => {
  const port = await takenPort(t);
  const folder = mkdtempSync(join(tmpdir(), "remora-port-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const yaml = `listeners: [{ id: clients, protocol: tcp, bind_addr: "127.0.0.1:${port}" }]\n`;
  for (const [args, code] of [
    [["serve", "--folder", folder, "--port", String(port)], "admin/listen-failed"],
    [["tak", settings(t, yaml)], "tak/listen-failed"],
  ] as const) {
    const ended = await start(t, ...args).ended;
    assert.equal(ended.code, 1);
    assert.match(ended.err, new RegExp(`^${code}: .*127\\.0\\.0\\.1:${port}: .+\n$`, "m"));
  }
});

test("a pipe in the place of a signature is refused, and not waited for", {
  skip: process.platform === "win32",
  timeout: 60_000,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "remora-pipe-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "core.wasm"), emptyModule);
  execFileSync("mkfifo", [join(folder, "core.wasm.sig")]);
  const ended = await start(t, "verify", join(folder, "core.wasm")).ended;
  assert.equal(ended.code, 1);
  assert.match(ended.err, /^cli\/cannot-read: .*core\.wasm\.sig": it is a pipe, a socket or a device\n$/);
});

test("what a manifest names is a file in the plugin's folder: no pipe, and no link out of it", {
  skip: process.platform === "win32",
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "remora-named-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const [plugin, notes] = [join(folder, "plugin"), join(folder, "plugin", "notes.txt")];
  mkdirSync(plugin);
  writeFileSync(join(folder, "secret.txt"), "not to be packed");
  writeFileSync(join(plugin, "remora.toml"), manifestNaming("notes.txt"));
  writeFileSync(join(plugin, "core.wasm"), emptyModule);
  for (const [make, reason] of [
    [() => symlinkSync(join("..", "secret.txt"), notes), /notes\.txt": a link leads it out of the folder/],
    [() => execFileSync("mkfifo", [notes]), /notes\.txt": it is a pipe, a socket or a device\n$/],
    [() => writeFileSync(notes, "to be packed"), /^$/],
  ] as const) {
    rmSync(notes, { force: true });
    make();
    const system = { ...realSystem(), out: fakeSystem().out, err: fakeSystem().err };
    await runProgram(["pack", plugin, "-o", join(folder, "a.bundle")], system, fakeHouse().hosts);
    assert.match(system.err.text, reason);
  }
});

test("what cannot be watched is an error with a code at the beginning, and told later", async () => {
  const full = Object.assign(new Error("no more watches"), { errno: -28, code: "ENOSPC" });
  const never: System["watch"] = () => Promise.reject(full);
  const noMore: System["watch"] = async (_path, _take, onError) => {
    onError(full);
    return () => {};
  };
  for (const [watch, expected] of [
    [never, 1],
    [noMore, 0],
  ] as const) {
    const system = { ...fakeSystem({ files }), watch };
    assert.equal(await runProgram(["dev", "a.bundle"], system, fakeHouse().hosts), expected);
    assert.match(system.err.text, /^cli\/cannot-read: .*"a\.bundle": it cannot be watched: ENOSPC\n$/);
  }
});

test("a device is written to, and not put away", { skip: process.platform === "win32" }, async () => {
  await realSystem().writeFile("/dev/null", new Uint8Array(1), "replace");
  assert.ok(statSync("/dev/null").isCharacterDevice());
});

test("a folder that cannot be written is an error with a code where a token or a user is made", {
  skip: process.platform !== "linux",
}, async () => {
  for (const args of [
    ["tokens", "create", "ada"],
    ["users", "create", "ada", "--password-file", "password.txt"],
  ]) {
    const system = fakeSystem({ files: { "password.txt": text("correct horse") } });
    assert.equal(await runProgram([...args, "-f", "/proc"], system, fakeHouse().hosts), 1);
    assert.match(
      system.err.text,
      /^admin\/access-file-unwritable: Cannot write "\/proc\/admin\/(tokens|users)\.json": no /,
    );
  }
});

test("what cannot be written out is an error with a code, and the exit code says so", {
  skip: process.platform !== "linux",
  timeout: 60_000,
}, async (t) => {
  const full = openSync("/dev/full", "w");
  t.after(() => closeSync(full));
  const { ended } = startWith(t, { out: full }, "wrap", "--help");
  const { code, err } = await ended;
  assert.equal(code, 1);
  assert.equal(err, 'cli/cannot-write: Cannot write "standard output": the disk is full\n');
});

test("plugins go on when the log of their program cannot be written", {
  skip: process.platform !== "linux",
  timeout: 60_000,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "remora-log-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const full = openSync("/dev/full", "w");
  t.after(() => closeSync(full));
  // Its first line says that it has made the folder.
  const args = ["serve", "--folder", join(folder, "new"), "--port", "0"];
  const { child, ended } = startWith(t, { err: full }, ...args);
  await printed(child, /admin interface at/);
  child.kill("SIGTERM");
  assert.equal((await ended).code, 0);
});

test("whoever stops reading does not change how a command ends", { timeout: 60_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "remora-reader-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "core.wasm"), emptyModule);
  const { child, ended } = start(t, "verify", join(folder, "core.wasm"), "--json");
  child.stdout?.destroy();
  const { code, err } = await ended;
  assert.match(err, /^cli\/not-trusted: /);
  assert.equal(code, 1);
});

test("what would go on for a reader that has gone ends in order", { timeout: 60_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "remora-reader-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const { child, ended } = start(t, "serve", "--folder", folder, "--port", "0");
  child.stdout?.destroy();
  const { code, err } = await ended;
  assert.deepEqual([code, existsSync(join(folder, "admin", "endpoint.json"))], [0, false], err);
});

test("nobody gets a token or logs in without a name", async () => {
  for (const args of [
    ["tokens", "create", ""],
    ["users", "create", " ", "--password-file", "password.txt"],
  ]) {
    const system = fakeSystem({ files: { "password.txt": text("correct horse") } });
    assert.equal(await runProgram(args, system, fakeHouse().hosts), 2);
    assert.match(system.err.text, /a name that is not empty/);
  }
});
