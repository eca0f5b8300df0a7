import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, type TestContext, test } from "node:test";
import { buildExamples, bundlePath, componentPath } from "../../../examples/build.ts";
import { client, event, listeningPort, printed, settings, start } from "./testing/running-program.ts";

before(() => buildExamples());

/** A program that does not end fails its test instead of stopping all of them. */
const options = { timeout: 60_000 };
/** Of many commands. */
const slow = { timeout: 180_000 };

function emptyFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "remora-cli-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test(
  "the demonstration ends by itself, and its last line is one object with these fields",
  options,
  async (t) => {
    const { code, out, err } = await start(t, "demo", "--for", "1s", "--json", "--port", "0").ended;
    assert.equal(code, 0, err);
    const stats = JSON.parse(out.trimEnd().split("\n").at(-1) ?? "");
    assert.deepEqual(Object.keys(stats), [
      "messages",
      "passed",
      "blocked",
      "changed",
      "messagesPerSecond",
      "plugins",
    ]);
    assert.ok(stats.messages > 0 && stats.messagesPerSecond > 0);
    assert.equal(stats.passed + stats.blocked, stats.messages);
    assert.ok(stats.changed > 0 && stats.changed <= stats.passed);
    assert.equal(stats.plugins.length, 2);
    for (const plugin of stats.plugins) {
      assert.deepEqual(Object.keys(plugin), ["id", "calls", "traps", "fuelPerCall", "p50ns", "p99ns"]);
      assert.ok(plugin.calls > 0 && plugin.fuelPerCall > 0, out);
      assert.ok(plugin.p50ns > 0 && plugin.p99ns >= plugin.p50ns);
    }
  },
);

test(
  "the Signal K demonstration counts deltas, and its plugins are seen, reloaded and narrowed from another terminal",
  options,
  async (t) => {
    const { child, ended } = start(t, "demo", "signalk", "--json", "--port", "0");
    await listeningPort(child);
    const folder = join(import.meta.dirname, "../../../.cache/demo-signalk");
    const remora = async (...args: readonly string[]) => {
      const { code, out, err } = await start(t, ...args, "--folder", folder, "--json").ended;
      assert.equal(code, 0, `${args.join(" ")}: ${err}`);
      return JSON.parse(out);
    };
    await remora("reload", "depth-alarm");
    const write = ["depth-alarm", "data.write", "notifications.environment.depth.belowTransducer"];
    await remora("grants", "revoke", ...write);
    const { plugins } = await remora("list");
    const listed = plugins.find((plugin: { name: string }) => plugin.name === "depth-alarm");
    assert.deepEqual([listed.state, listed.account.reloads], ["running", 2]);
    await remora("grants", "give", ...write);
    child.kill("SIGTERM");
    const { code, out, err } = await ended;
    assert.equal(code, 0, err);
    const stats = JSON.parse(out.trimEnd().split("\n").at(-1) ?? "");
    assert.ok(stats.messages > 0);
    const alarm = stats.plugins.find((plugin: { id: string }) => plugin.id === "depth-alarm");
    assert.ok(alarm.calls > 0 && alarm.traps === 0, out);
  },
);

test("settings with a mistake are an error with file, line and column", options, async (t) => {
  const file = settings(t, "listeners:\n  - { id: clients, protocol: tcp, bind_adr: '127.0.0.1:0' }\n");
  const { code, out, err } = await start(t, "tak", file).ended;
  assert.equal(code, 1);
  assert.equal(out, "");
  assert.match(err, /^tak\/config: /);
  assert.ok(err.includes(`${file}:2:`), err);
});

test(
  "what one client sends is filtered and goes to the others; a signal ends the host in order",
  options,
  async (t) => {
    const file = settings(
      t,
      [
        "listeners:",
        "  - { id: clients, protocol: tcp, bind_addr: '127.0.0.1:0' }",
        "plugins:",
        "  plugin_dir: /",
        "  filters:",
        `    - { id: geofence, path: ${JSON.stringify(componentPath("tak/geofence-filter"))} }`,
      ].join("\n"),
    );
    const { child, ended } = start(t, "tak", file, "--json");
    const port = await listeningPort(child);
    const [sender, receiver] = [await client(t, port), await client(t, port)];
    let received = "";
    const inside = Promise.withResolvers<void>();
    receiver.setEncoding("utf8").on("data", (text) => {
      received += text;
      if (received.includes('uid="inside"')) inside.resolve();
    });
    // In this order: when the second has arrived, the first was decided.
    sender.write(event({ uid: "outside", lat: 53.4, lon: 4.3 }));
    sender.write(event({ uid: "inside", lat: 52.1, lon: 4.3 }));
    await inside.promise;
    assert.ok(!received.includes('uid="outside"'));
    child.kill("SIGTERM");
    const { code, out } = await ended;
    assert.equal(code, 0);
    const stats = JSON.parse(out);
    assert.deepEqual([stats.messages, stats.passed, stats.blocked], [2, 1, 1]);
    assert.deepEqual(
      stats.plugins.map((plugin: { id: string; calls: number }) => [plugin.id, plugin.calls]),
      [["geofence", 2]],
    );
  },
);

test("dev goes on until a signal, takes each change meanwhile, and ends in order", slow, async (t) => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    const folder = emptyFolder(t);
    const file = join(folder, "geofence.bundle");
    copyFileSync(bundlePath("tak/geofence-lazy"), file);
    const { child, ended } = start(t, "dev", file, "-f", join(folder, "plugins"));
    const first = printed(child, /^geofence 1\.0\.0 is installed$/m);
    const second = printed(child, /^geofence 1\.0\.0 → 1\.1\.0$/m);
    await first;
    // What it watches it says to nobody: the change is made again until it was seen.
    const changing = setInterval(() => copyFileSync(bundlePath("tak/geofence-looping"), file), 500);
    t.after(() => clearInterval(changing));
    await second;
    clearInterval(changing);
    child.kill(signal);
    const { code, err } = await ended;
    assert.equal(code, 0, err);
    assert.doesNotMatch(err, /Warning/);
  }
});

test(
  "a command that finds a change interrupted says what it was and which state was found",
  slow,
  async (t) => {
    const folder = emptyFolder(t);
    const bundle = bundlePath("tak/geofence-lazy");
    const { child, ended } = start(t, "serve", "-f", folder, "--port", "0", "--trust", "unsigned");
    await printed(child, /admin interface at/);
    const installed = await start(t, "install", bundle, "-f", folder).ended;
    assert.equal(installed.code, 0, installed.err);
    child.kill("SIGKILL");
    await ended;
    const list = async () => {
      const { code, out, err } = await start(t, "list", "-f", folder, "--json").ended;
      assert.equal(code, 0, err);
      const [{ version }] = JSON.parse(out).plugins;
      return [version, err];
    };
    const install = "geofence: install none → 1.0.0 was interrupted: found in its new state, 1.0.0\n";
    assert.deepEqual(await list(), ["1.0.0", install]);
    assert.deepEqual(await list(), ["1.0.0", ""]);

    // As whoever is killed before the swap leaves it.
    const file = join(folder, "plugins", "geofence.json");
    const entry = JSON.parse(readFileSync(file, "utf8"));
    const { isEnabled, grants, refused, current } = entry;
    const candidate = { ...current, version: "1.1.0", operation: "update", isEnabled, grants, refused };
    writeFileSync(file, JSON.stringify({ ...entry, candidate }));
    const update = "geofence: update 1.0.0 → 1.1.0 was interrupted: found in its old state, 1.0.0\n";
    assert.deepEqual(await list(), ["1.0.0", update]);
    assert.deepEqual(await list(), ["1.0.0", ""]);
  },
);

test(
  "without a program, a rollback goes by the keys and the level that it was given, and an update tells that no source has it",
  slow,
  async (t) => {
    const folder = emptyFolder(t);
    const at = (name: string) => join(folder, name);
    const remora = async (...args: readonly string[]) => {
      const { code, out, err } = await start(t, ...args).ended;
      assert.equal(code, 0, `${args.join(" ")}: ${err}`);
      return out;
    };
    await remora("keys", "generate", at("ada"));
    for (const [name, example] of [
      ["1.0.0.bundle", "tak/geofence-lazy"],
      ["1.1.0.bundle", "tak/geofence-looping"],
    ] as const) {
      copyFileSync(bundlePath(example), at(name));
      await remora("sign", at(name), "--key", at("ada"), "--name", "Ada");
    }
    await remora("keys", "trust", at("ada.public"), "Ada", "--store", at("keys.toml"));
    const here = ["--folder", at("plugins")];
    const known = [...here, "--store", at("keys.toml")];
    await remora("install", at("1.0.0.bundle"), ...known);
    await remora("install", at("1.1.0.bundle"), ...known);
    assert.equal(await remora("rollback", "geofence", ...known), "geofence 1.1.0 → 1.0.0\n");

    const unknown = await start(t, "rollback", "geofence", ...here).ended;
    assert.deepEqual([unknown.code, unknown.err.split(":")[0]], [1, "manager/verify"]);
    const lowered = ["rollback", "geofence", ...here, "--trust", "self-signed"];
    assert.equal(await remora(...lowered), "geofence 1.0.0 → 1.1.0\n");

    // It came from a file, and there is no source to ask.
    const all = await start(t, "update", ...here).ended;
    assert.deepEqual([all.code, all.out, all.err.split(":")[0]], [0, "", "manager/no-source"]);
    assert.equal((await start(t, "update", "geofence", ...here).ended).code, 1);
  },
);
