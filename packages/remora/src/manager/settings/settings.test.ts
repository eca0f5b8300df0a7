import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Json, SettingsSchema } from "../../bundle/index.ts";
import type { PluginHost } from "../host.ts";
import { type Calls, expectRejected, guests, ref, rig, testHost } from "../testing/rig.test.ts";
import { checkSettings, resolveSettings } from "./settings.ts";

const schema: SettingsSchema = {
  type: "object",
  required: ["place"],
  properties: {
    place: { type: "string", minLength: 2 },
    radius: { type: "integer", default: 10 },
    login: {
      type: "object",
      default: {},
      properties: {
        user: { type: "string", default: "guest" },
        key: { type: "string", writeOnly: true, minLength: 20 },
      },
    },
    tokens: { type: "array", items: { type: "string", writeOnly: true } },
  },
};

const secrets = async (name: string) => (name === "KEY" ? "s3cr3t-text" : undefined);

test("the guest gets defaults and secrets, and the file has neither", async () => {
  const settings = { place: "The Hague", login: { key: { secret: "KEY" } }, tokens: [{ secret: "KEY" }] };
  assert.deepEqual(await resolveSettings("p", schema, settings, secrets), {
    place: "The Hague",
    radius: 10,
    login: { user: "guest", key: "s3cr3t-text" },
    tokens: ["s3cr3t-text"],
  });
});

test("settings that are named like what every object has are the plugin's own, given or by default", async () => {
  const names = ["constructor", "toString", "__proto__", "hasOwnProperty"];
  const property = { type: "object", additionalProperties: true, default: { by: "default" } };
  const odd = {
    type: "object",
    properties: Object.fromEntries(names.map((name) => [name, property])),
  } as unknown as SettingsSchema;
  const given = JSON.parse('{ "__proto__": { "by": "operator" }, "toString": { "by": "operator" } }') as Json;
  const settings = (await resolveSettings("p", odd, given, secrets)) as Record<string, Json>;
  assert.deepEqual(
    Object.entries(settings)
      .map(([name, value]) => [name, (value as { by: string }).by])
      .sort(),
    [
      ["__proto__", "operator"],
      ["constructor", "default"],
      ["hasOwnProperty", "default"],
      ["toString", "operator"],
    ],
  );
  assert.equal(Object.getPrototypeOf(settings), Object.prototype);
  const required = { ...odd, required: ["constructor"] } as SettingsSchema;
  assert.throws(() => checkSettings("p", required, {}), { code: "manager/settings" });
});

const bad: readonly (readonly [what: string, settings: Json, path: string])[] = [
  ["what is missing", {}, ""],
  ["a wrong type", { place: 3 }, "place"],
  ["an unknown name", { place: "Delft", plaec: 1 }, "plaec"],
  ["a secret as text", { place: "Delft", login: { key: "s3cr3t-text" } }, "login.key"],
  ["a secret in a list as text", { place: "Delft", tokens: ["s3cr3t-text"] }, "tokens[0]"],
  ["a reference with more in it", { place: "Delft", login: { key: { secret: "K", more: 1 } } }, "login.key"],
  ["a reference where none belongs", { place: { secret: "KEY" } }, "place"],
];

test("all that does not fit is told with its place, and no message has a secret in it", () => {
  for (const [what, settings, path] of bad) {
    assert.throws(
      () => checkSettings("p", schema, settings),
      (error: Error & { code?: string; details?: { problems: readonly { path: string }[] } }) => {
        assert.equal(error.code, "manager/settings", what);
        assert.deepEqual(
          error.details?.problems.map((one) => one.path),
          [path],
          what,
        );
        assert.ok(!JSON.stringify([error.message, error.details]).includes("s3cr3t"), what);
        return true;
      },
      what,
    );
  }
});

/** Lists in one another, so many. */
const nested = (levels: number) => JSON.parse("[".repeat(levels) + "]".repeat(levels)) as Json;

test("settings that are nested too deeply are refused with their place, however deep they are", () => {
  const lists: SettingsSchema = {
    type: "object",
    properties: { list: { type: "array", items: { type: "array" } } },
  };
  checkSettings("p", lists, { list: nested(31) });
  const path = `list${"[0]".repeat(31)}`;
  for (const list of [nested(32), nested(100_000), Array.from({ length: 250 }, () => nested(2_000))]) {
    assert.throws(() => checkSettings("p", lists, { list }), {
      code: "manager/settings",
      details: { plugin: "p", problems: [{ path, message: "allowed are 32 values in one another" }] },
    });
  }
});

test("of secrets that stand as text in many places, the first are told", () => {
  const tokens = Array.from({ length: 10_000 }, () => "s3cr3t-text");
  assert.throws(
    () => checkSettings("p", schema, { place: "Delft", tokens }),
    (error: Error & { details?: { problems: readonly unknown[] } }) => error.details?.problems.length === 100,
  );
});

test("a secret that there is not is named, and settings without a schema are refused", async () => {
  const settings = { place: "Delft", login: { key: { secret: "OTHER" } } };
  await expectRejected(resolveSettings("p", schema, settings, secrets), "manager/no-secret");
  assert.throws(() => checkSettings("p", undefined, {}), { code: "manager/settings" });
});

/** A host whose world takes settings by itself, and keeps what it was given. */
function settingsHost(): { readonly host: PluginHost; readonly given: Json[] } {
  const given: Json[] = [];
  const world = testHost.worlds[0];
  if (world === undefined) throw new Error("the test's host has a world");
  const bind: typeof world.bind = (instance, context) => {
    const { settings } = context;
    if (settings !== undefined) given.push(settings);
    return world.bind(instance, context);
  };
  return { host: { ...testHost, worlds: [{ ...world, takesSettings: true, bind }] }, given };
}

const tables = `[settings]
type = "object"
[settings.properties.size]
type = "integer"
default = 1
[settings.properties.key]
type = "string"
writeOnly = true
`;

test("settings change while the plugin runs, and are there in the next run", async (t) => {
  const { host, given } = settingsHost();
  const first = await rig(t, { hosts: [host], secrets });
  await first.manager.install<Calls>(await ref(guests.adds(1), { tables }));
  await first.manager.changeSettings("adder", { size: 2, key: { secret: "KEY" } });
  const { manager } = await first.reopen();
  assert.deepEqual(given, [{ size: 1 }, { size: 2, key: "s3cr3t-text" }, { size: 2, key: "s3cr3t-text" }]);
  assert.deepEqual(await manager.settings("adder"), { size: 2, key: { secret: "KEY" } });
  await expectRejected(manager.changeSettings("adder", { size: "large" }), "manager/settings");
  assert.deepEqual(await manager.settings("adder"), { size: 2, key: { secret: "KEY" } });
});

test("settings that come with a version are told as settings, and those that stay are not", async (t) => {
  const { host } = settingsHost();
  const { manager, events } = await rig(t, { hosts: [host] });
  const told = async (act: Promise<unknown>) => {
    events.length = 0;
    await act;
    return events.flatMap(({ kind }) => (kind === "changed" || kind === "settings" ? [kind] : []));
  };
  const first = await ref(guests.adds(1), { tables });
  const second = await ref(guests.adds(2), { tables, version: "2.0.0" });
  assert.deepEqual(await told(manager.install(first, { settings: { size: 1 } })), ["changed", "settings"]);
  assert.deepEqual(await told(manager.install(first, { settings: { size: 5 } })), ["changed", "settings"]);
  assert.deepEqual(await told(manager.install(second, { settings: { size: 5 } })), ["changed"]);
  assert.deepEqual(await told(manager.install(first, { settings: { size: 6 } })), ["changed", "settings"]);
  assert.deepEqual(await told(manager.rollback("adder")), ["changed", "settings"]);
  assert.deepEqual(await manager.settings("adder"), { size: 5 });
});

test("settings take no more room in the plugin's entry than they have", async (t) => {
  const { host } = settingsHost();
  const { manager, folder } = await rig(t, { hosts: [host] });
  const more = `${tables}[settings.properties.lists]\ntype = "array"\n`;
  await manager.install(await ref(guests.adds(1), { tables: more }));
  const settings = { lists: Array.from({ length: 1_000 }, () => nested(30)) };
  await manager.changeSettings("adder", settings);
  const entry = readFileSync(join(folder, "plugins", "adder.json"));
  assert.ok(entry.length < JSON.stringify(settings).length + 2_000, `${entry.length} bytes`);
});

test("settings for which a guest cannot be made are told as a change of settings", async (t) => {
  const { host } = settingsHost();
  const { manager } = await rig(t, { hosts: [host], secrets: () => undefined });
  await manager.install(await ref(guests.adds(1), { tables }));
  const change = manager.changeSettings("adder", { size: 2, key: { secret: "KEY" } });
  const { details } = await expectRejected(change, "manager/prepare", "manager/no-secret");
  assert.equal((details as { doing: string }).doing, "change the settings of");
  assert.deepEqual(await manager.settings("adder"), undefined);
});

test("a secret is nowhere below the manager's folder, nor in its events and details", async (t) => {
  const { host } = settingsHost();
  const { manager, folder, events } = await rig(t, { hosts: [host], secrets });
  const settings = { key: { secret: "KEY" } };
  await manager.install<Calls>(await ref(guests.adds(1), { tables }), { settings });
  await manager.reload("adder");
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  assert.ok(files.some((file) => file.name === "adder.json"));
  for (const file of files) {
    const text = readFileSync(join(file.parentPath, file.name), "latin1");
    assert.ok(!text.includes("s3cr3t"), file.name);
  }
  assert.ok(!JSON.stringify([events, await manager.details("adder")]).includes("s3cr3t"));
});

test("an install with settings that do not fit changes nothing", async (t) => {
  const { host } = settingsHost();
  const { manager } = await rig(t, { hosts: [host] });
  const install = manager.install(await ref(guests.adds(1), { tables }), { settings: { size: true } });
  await expectRejected(install, "manager/place", "manager/settings");
  assert.deepEqual(manager.list(), []);
});

test("a plugin that takes no settings and has a schema is refused", async (t) => {
  const { manager } = await rig(t);
  const install = manager.install(await ref(guests.adds(1), { tables }));
  await expectRejected(install, "manager/prepare", "manager/settings-refused");
});

test("what a plugin itself changed is kept for the next time, and it goes on as it is; a secret as text is not kept", async (t) => {
  const { host } = settingsHost();
  const { manager, reopen } = await rig(t, { hosts: [host] });
  const plugin = await manager.install<Calls>(await ref(guests.adds(1), { tables }));
  const { serving } = plugin;
  await manager.keepSettings("adder", { size: 2 });
  assert.deepEqual([plugin.serving, plugin.counts().reloads], [serving, 0]);
  await expectRejected(manager.keepSettings("adder", { size: 3, key: "s3cr3t" }), "manager/settings");
  const next = await reopen();
  assert.deepEqual(await next.manager.settings("adder"), { size: 2 });
});
