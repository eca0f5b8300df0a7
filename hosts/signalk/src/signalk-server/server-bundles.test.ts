/** Bundles in a server that is like signalk-server: from the folder, by the operator's answer, into its list. */

import assert from "node:assert/strict";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { generateKeyPair, signBundle } from "remora/bundle";
import { isRecord } from "../delta/delta.ts";
import { type BundleText, bundleOf, until } from "../testing/bundles.ts";
import { answering, call, type GuestText } from "../testing/guest-text.ts";
import { likeSignalkServer } from "../testing/like-signalk-server.ts";
import { signalkServerPlugin } from "./node-plugin.ts";
import { WebappList } from "./webapp-list.ts";

const says = (word: string): GuestText => ({
  name: "Watch",
  imports: { sk_handle_message: "(param i32 i32)" },
  texts: {
    delta: `{"updates":[{"values":[{"path":"said","value":"${word}"}]}]}`,
    endpoints: '[{"method":"GET","path":"/said","handler":"page"}]',
    page: `{"statusCode":200,"body":"${word}"}`,
  },
  start: `${call("sk_handle_message", "delta")} (i32.const 0)`,
  functions: `${answering("http_endpoints", "endpoints", "out")} ${answering("page", "page")}`,
});

const unsigned = { bundles: { trust: "unsigned" } };

async function boat(t: TestContext) {
  const server = await likeSignalkServer(t, []);
  const folder = join(server.app.config.configPath, "remora-bundles");
  const put = async (text: BundleText) => {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "watch.bundle"), (await bundleOf(text)).bytes);
  };
  const listed = () => server.app.plugins.find(({ id }) => id === "watch");
  const running = () => until(() => listed()?.state === "running");
  const settingsFile = join(server.app.config.configPath, "plugin-config-data/watch.json");
  const shown = async () => JSON.parse(await readFile(settingsFile, "utf8").catch(() => "{}"));
  return { ...server, folder, put, listed, running, settingsFile, shown };
}

/** The fields of the form that ask for an answer. */
function questions(plugin: {
  schema(): object;
}): Record<string, { title: string; description: string; enum: string[] }> {
  const { properties } = plugin.schema() as {
    properties: { bundles: { properties: Record<string, unknown> } };
  };
  const { answers } = properties.bundles.properties;
  return (isRecord(answers) ? answers.properties : {}) as ReturnType<typeof questions>;
}

function answered(plugin: { schema(): object }, answer: string) {
  const answers = Object.fromEntries(Object.keys(questions(plugin)).map((key) => [key, answer]));
  return { bundles: { trust: "unsigned", answers } };
}

test("a bundle in the folder waits with its request in the form; given, it runs, and is in the server's list as others are", async (t) => {
  const { plugin, put, listed, running, messages, request, shown, statuses } = await boat(t);
  await put({ guest: says("one"), capabilities: ["data.write", "http.serve"] });
  await plugin.start(unsigned);
  assert.equal(messages.length, 0);
  assert.match(statuses.get("watch") ?? "", /^Version 1.0.0 waits for your answer/);
  const [question] = Object.values(questions(plugin));
  assert.equal(question?.title, "watch 1.0.0, unsigned");
  assert.match(question?.description ?? "", /data\.write \* \(.*\): a test/);
  const settings = answered(plugin, "give");
  await plugin.stop();
  await plugin.start(settings);
  await running();
  assert.deepEqual(questions(plugin), {});
  assert.equal(messages.at(-1)?.source, "watch");
  assert.deepEqual(await request("/plugins/watch/said"), { status: 200, text: "one" });
  assert.partialDeepStrictEqual(listed(), {
    name: "Watch",
    packageName: "watch",
    version: "1.0.0",
    description: "For a test",
    keywords: ["test"],
    type: "wasm",
    bundled: false,
    enabled: true,
  });
  while ((await shown()).enabled !== true);
});

test("refused, it is gone, and asks again only when it asks for something else", async (t) => {
  const { plugin, put, listed, messages } = await boat(t);
  await put({ guest: says("one"), capabilities: ["data.write"] });
  await plugin.start(unsigned);
  const settings = answered(plugin, "refuse");
  await plugin.stop();
  await plugin.start(settings);
  assert.deepEqual([questions(plugin), listed()], [{}, undefined]);
  await plugin.stop();
  await put({ guest: says("one"), capabilities: ["data.write", "data.read"] });
  await plugin.start(settings);
  assert.equal(Object.keys(questions(plugin)).length, 1);
  assert.equal(messages.length, 0);
});

test("an answer is for the file that was shown, and not for one that says that it is the same version", async (t) => {
  const { plugin, put, listed, messages } = await boat(t);
  await put({ guest: says("one"), capabilities: ["data.write"] });
  await plugin.start(unsigned);
  const before = questions(plugin);
  const settings = answered(plugin, "give");
  await plugin.stop();
  await put({ guest: says("two"), capabilities: ["data.write"] });
  await plugin.start(settings);
  assert.deepEqual([listed()?.state === "running", messages.length], [false, 0]);
  const asked = questions(plugin);
  assert.deepEqual(Object.values(asked), Object.values(before));
  assert.notDeepEqual(Object.keys(asked), Object.keys(before));
});

test("one that waits and is damaged keeps no other from being asked about, and can only be refused", async (t) => {
  const { app, plugin, folder, put, listed } = await boat(t);
  await put({ guest: {}, capabilities: ["data.write"] });
  const { bytes } = await bundleOf({ guest: {}, capabilities: ["data.write"], name: "other" });
  await writeFile(join(folder, "other.bundle"), bytes);
  await plugin.start(unsigned);
  assert.equal(Object.keys(questions(plugin)).length, 2);
  const settings = answered(plugin, "give");
  await plugin.stop();
  const bundles = join(app.config.configPath, "plugin-config-data/remora/bundles/bundles");
  for (const name of await readdir(bundles)) await writeFile(join(bundles, name), "something else");
  await rm(join(folder, "watch.bundle"));
  await plugin.start(settings);
  await until(() => app.plugins.some(({ id, state }) => id === "other" && state === "running"));
  assert.notEqual(listed()?.state, "running");
  const [question, ...more] = Object.values(questions(plugin));
  assert.deepEqual([question?.enum, more], [["later", "refuse"], []]);
  assert.match(question?.description ?? "", /^manager\/store-damaged: /);
});

test("a bundle with the tag of webapps is in the server's list of them and served under its name, while it is switched on", async (t) => {
  const { app, plugin, put, running, request, page } = await boat(t);
  const names = () => app.webapps.map((entry) => (entry as { name: string }).name);
  await put({
    guest: {},
    capabilities: ["http.serve"],
    top: 'tags = ["signalk-webapp"]',
    files: { "public/index.html": "page" },
  });
  await plugin.start(unsigned);
  const settings = answered(plugin, "give");
  await plugin.stop();
  await plugin.start(settings);
  await running();
  await until(() => names().length === 2);
  assert.deepEqual(names(), ["chart", "watch"]);
  const shown = await page("/watch/index.html");
  assert.equal(shown === "passed on" ? undefined : String(shown.text), "page");
  assert.equal(await page("/watch/nothing"), "passed on");
  assert.equal(await page("/chart/index.html"), "passed on");
  app.webapps = app.webapps.slice(0, 1);
  assert.equal(await page("/watch/index.html"), "passed on", "the server has another webapp of that name");
  await request("/plugins/watch/config", "POST", { enabled: false });
  await request("/plugins/watch/config", "POST", { enabled: true });
  await until(() => names().length === 2);
  await request("/plugins/watch/config", "POST", { enabled: false });
  await until(() => names().length === 1);
  assert.equal(await page("/watch/index.html"), "passed on");
});

test("no webapp stands in the place of a path of the server's own, or of another's webapp", async (t) => {
  const { app } = await likeSignalkServer(t, []);
  const list = new WebappList(app);
  const named = (name: string) => ({
    listed: { name, version: "1.0.0", description: "", keywords: ["signalk-webapp"], signalk: {} },
    files: undefined,
  });
  list.show(["signalk", "admin", "chart", "mine"].map(named));
  assert.deepEqual(
    ["signalk", "admin", "chart", "mine"].filter((name) => list.has(name)),
    ["mine"],
  );
  list.show([]);
  assert.deepEqual([list.has("mine"), app.webapps], [false, [{ name: "chart" }]]);
});

test("what nobody trusts does not run; a publisher whose key is in the form does", async (t) => {
  const { plugin, folder, put, running, lines } = await boat(t);
  await put({ guest: {}, capabilities: [] });
  await plugin.start({});
  assert.ok(lines.some((line) => line.includes("unsigned")));
  await plugin.stop();
  const key = generateKeyPair();
  const { bytes } = await bundleOf({ guest: {}, capabilities: [] });
  const signed = signBundle(bytes, { key, name: "Ada", email: "", signedAtMs: Date.now() });
  await writeFile(join(folder, "watch.bundle"), signed);
  await plugin.start({ bundles: { keys: [{ name: "Ada", publicKey: key.publicKey }] } });
  await running();
});

test("a version by another publisher waits for an answer, though it asks for nothing else", async (t) => {
  const { plugin, folder, put, listed, running } = await boat(t);
  await put({ guest: {}, capabilities: [] });
  const signed = async (version: string) => {
    const { bytes } = await bundleOf({ guest: {}, capabilities: [], version });
    const by = { name: "Ada", email: "", signedAtMs: Date.now() };
    await writeFile(join(folder, "watch.bundle"), signBundle(bytes, { key: generateKeyPair(), ...by }));
  };
  await signed("1.0.0");
  await plugin.start(unsigned);
  await running();
  await plugin.stop();
  await signed("1.1.0");
  await plugin.start(unsigned);
  const [question] = Object.values(questions(plugin));
  assert.match(question?.description ?? "", /^It is by another publisher: self-signed \(key /);
  const settings = answered(plugin, "give");
  await plugin.stop();
  await plugin.start(settings);
  await until(() => listed()?.version === "1.1.0");
  assert.deepEqual(questions(plugin), {});
});

test("its settings are the manager's, checked by its manifest, and shown where the server looks for them", async (t) => {
  const { plugin, put, running, request, shown, settingsFile } = await boat(t);
  const tables = '[settings]\ntype = "object"\n[settings.properties.radius]\ntype = "number"';
  await mkdir(dirname(settingsFile), { recursive: true });
  await writeFile(settingsFile, '{"enabled":false,"configuration":{"radius":3}}');
  await put({ guest: {}, capabilities: [], tables });
  await plugin.start(unsigned);
  await running();
  while ((await shown()).enabled !== true);
  assert.deepEqual((await shown()).configuration, { radius: 3 }, "what was there is offered");
  const save = (configuration: object, enabled = true) =>
    request("/plugins/watch/config", "POST", { enabled, enableDebug: false, configuration });
  assert.deepEqual(await save({ radius: 5 }), {
    status: 200,
    text: '"Saved configuration for plugin watch"',
  });
  while ((await shown()).configuration?.radius !== 5);
  const refused = await save({ radius: "wide" });
  assert.match(refused === "passed on" ? "" : refused.text, /manager\/settings/);
  await save({ radius: 5 }, false);
  while ((await shown()).enabled !== false);
  await plugin.stop();
  await plugin.start(unsigned);
  assert.equal(plugin.bundles()?.get("watch")?.state, "stopped", "it stays switched off");
});

test("a new file is a new version, and one that was taken out of the folder is no plugin any more", async (t) => {
  const { plugin, folder, put, running, listed, request } = await boat(t);
  const capabilities = ["http.serve"];
  const quiet = (word: string) => ({ ...says(word), imports: {}, start: "(i32.const 0)" });
  await put({ guest: quiet("one"), capabilities });
  await plugin.start(unsigned);
  const settings = answered(plugin, "give");
  await plugin.stop();
  await plugin.start(settings);
  await running();
  await plugin.stop();
  assert.equal(listed(), undefined, "no entry is left when the host stops");
  await put({ guest: quiet("two"), capabilities, version: "1.1.0" });
  await plugin.start(unsigned);
  await running();
  assert.equal(listed()?.version, "1.1.0");
  assert.deepEqual(await request("/plugins/watch/said"), { status: 200, text: "two" });
  await plugin.stop();
  await rm(join(folder, "watch.bundle"));
  await plugin.start(unsigned);
  assert.equal(listed(), undefined);
  assert.equal(await request("/plugins/watch/said"), "passed on");
});

test("a plugin may be named as what every object has", async (t) => {
  const { app, plugin, put } = await boat(t);
  await put({ name: "constructor", guest: { name: "Builder" }, capabilities: [] });
  await plugin.start(unsigned);
  await until(() => app.plugins.some(({ id }) => id === "constructor"));
  assert.equal(app.pluginsMap.constructor?.name, "Builder");
});

test("a plugin that the server has already keeps its id, and a folder that somebody holds costs only the bundles", async (t) => {
  const { app, plugin, put, lines, statuses } = await boat(t);
  app.pluginsMap.watch = { id: "watch", name: "Another" };
  await put({ guest: {}, capabilities: [] });
  await plugin.start(unsigned);
  assert.ok(lines.some((line) => line.includes('Cannot serve the bundle "watch"')));
  assert.equal(app.pluginsMap.watch?.name, "Another");
  const second = signalkServerPlugin(app, { log: () => {} });
  await second.start(unsigned);
  assert.equal(second.bundles(), undefined);
  assert.match(statuses.get("remora") ?? "", /^error: /);
  await second.stop();
});
