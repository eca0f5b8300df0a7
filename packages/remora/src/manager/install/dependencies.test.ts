import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { RemoraError } from "../../base/index.ts";
import { openBundle, packBundle } from "../../bundle/index.ts";
import type { Asker } from "../consent/asker.ts";
import {
  bundleOf,
  expectRejected,
  folderFor,
  guests,
  manifestOf,
  moduleOf,
  ref,
  rig,
} from "../testing/rig.test.ts";
import { chooseVersions, triesMax } from "./choose-versions.ts";
import type { ResolvedOffer } from "./fetch.ts";
import { folderSource } from "./folder-source.ts";
import { versionsTriedMax } from "./plan.ts";
import type { Offered } from "./source.ts";

const needs = (ranges: Readonly<Record<string, string>>) =>
  `[dependencies]\n${Object.entries(ranges)
    .map(([name, range]) => `${name} = "${range}"`)
    .join("\n")}\n`;

/** A source with these plugins: `name@version` and what each needs. */
async function sourceWith(
  folder: string,
  plugins: Readonly<Record<string, Readonly<Record<string, string>>>>,
) {
  mkdirSync(join(folder, "source"));
  for (const [id, ranges] of Object.entries(plugins)) {
    const [name = "", version = ""] = id.split("@");
    const text = { name, version, tables: needs(ranges) };
    writeFileSync(join(folder, "source", `${id}.bundle`), await bundleOf(guests.adds(1), text));
  }
  writeFileSync(join(folder, "source", "rubbish.bundle"), "rubbish");
  return folderSource(join(folder, "source"));
}

test("what a plugin needs is installed before it, in the highest version that fits", async (t) => {
  const source = await sourceWith(folderFor(t), {
    "map@1.0.0": { geo: "^1.0.0", draw: "~2.1.0" },
    "geo@1.0.0": {},
    "geo@1.4.0": {},
    "geo@2.0.0": {},
    "draw@2.1.5": { geo: ">=1.2.0 <2" },
    "draw@2.2.0": {},
  });
  const { manager, events, reopen } = await rig(t, { sources: [source] });
  await manager.install("map");
  const installed = () => manager.list().map(({ name, version }) => `${name} ${version}`);
  assert.deepEqual(installed(), ["draw 2.1.5", "geo 1.4.0", "map 1.0.0"]);
  const order = events.flatMap((event) => (event.kind === "changed" ? [event.plugin] : []));
  assert.deepEqual(order, ["geo", "draw", "map"]);
  const again = await reopen();
  const started = again.events.filter((event) => event.kind === "state" && event.to === "running");
  assert.deepEqual(
    started.map(({ plugin }) => plugin),
    ["geo", "draw", "map"],
    "and they start in that order",
  );
});

test("a circle is refused with its path, whether it is all new or closes with what is installed", async (t) => {
  const source = await sourceWith(folderFor(t), {
    "a@1.0.0": { b: "^1.0.0" },
    "b@1.0.0": { c: "^1.0.0" },
    "c@1.0.0": { a: "^1.0.0" },
    "d@1.0.0": { d: "^1.0.0" },
    "x@1.0.0": {},
    "y@1.0.0": { x: "^1.0.0" },
    "x@1.1.0": { y: "^1.0.0" },
  });
  const { manager } = await rig(t, { sources: [source] });
  await assert.rejects(manager.install("a"), {
    code: "manager/resolve",
    message: /a needs b needs c needs a/,
  });
  await assert.rejects(manager.install("d"), { code: "manager/resolve", message: /d needs d/ });
  assert.deepEqual(manager.list(), []);
  await manager.install("x@1.0.0");
  await manager.install("y");
  await assert.rejects(manager.install("x@1.1.0"), { code: "manager/resolve", message: /x needs y needs x/ });
});

test("a version that does not fit what is installed is refused, from both sides", async (t) => {
  const source = await sourceWith(folderFor(t), {
    "geo@1.0.0": {},
    "geo@2.0.0": {},
    "map@1.0.0": { geo: "^1.0.0" },
    "new-map@1.0.0": { geo: "^2.0.0" },
  });
  const { manager } = await rig(t, { sources: [source] });
  await manager.install("geo@1.0.0");
  await manager.install("map");
  await expectRejected(manager.install("new-map"), "manager/resolve", "manager/dependency");
  await expectRejected(manager.install("geo@2.0.0"), "manager/resolve", "manager/dependency");
  assert.equal(manager.info("geo").version, "1.0.0");
});

test("a rollback to what others cannot go on with, or what cannot itself, is refused, and what runs goes on", async (t) => {
  const source = await sourceWith(folderFor(t), {
    "geo@1.0.0": {},
    "geo@2.0.0": {},
    "map@1.0.0": { geo: "^2.0.0" },
    "log@1.0.0": { disk: "^1.0.0" },
    "log@1.1.0": {},
    "disk@1.0.0": {},
  });
  const { manager, reopen } = await rig(t, { sources: [source] });
  await manager.install("geo@1.0.0");
  await manager.install("geo@2.0.0");
  await manager.install("map");
  await assert.rejects(manager.rollback("geo"), {
    code: "manager/resolve",
    message: /^Cannot roll back "?geo"?.*map.*\^2\.0\.0.*1\.0\.0/,
  });
  await manager.install("log@1.0.0");
  await manager.install("log@1.1.0");
  await manager.remove("disk");
  await expectRejected(manager.rollback("log"), "manager/resolve", "manager/dependency");
  const versions = () => manager.list().map(({ name, version }) => `${name} ${version}`);
  assert.deepEqual(versions(), ["geo 2.0.0", "log 1.1.0", "map 1.0.0"]);
  await manager.install("disk");
  await manager.rollback("log");
  await manager.remove("map");
  await manager.rollback("geo");
  assert.deepEqual(versions(), ["disk 1.0.0", "geo 1.0.0", "log 1.0.0"]);
  const again = await reopen();
  assert.deepEqual(again.manager.recovered, []);
});

test("what changes while somebody is asked counts: nothing is installed beside what it cannot go on with", async (t) => {
  const source = await sourceWith(folderFor(t), {
    "geo@1.0.0": {},
    "geo@2.0.0": {},
    "map@1.0.0": { geo: "^2.0.0" },
  });
  const { manager } = await rig(t, { sources: [source] });
  await manager.install("geo@1.0.0");
  await manager.install("geo@2.0.0");
  const tables = `${needs({ geo: "^2.0.0" })}[[capabilities]]\ncapability = "data.read"\npaths = ["air.*"]\nwhy = "To try"\n`;
  const asking = { bytes: await bundleOf(guests.adds(1), { name: "map", tables }), origin: "a test" };
  const asker: Asker = async ({ items }) => {
    await manager.rollback("geo");
    return { kind: "given", items };
  };
  await expectRejected(manager.install(asking, { asker }), "manager/resolve", "manager/dependency");
  assert.deepEqual(
    manager.list().map(({ name, version }) => [name, version]),
    [["geo", "1.0.0"]],
  );
});

test("what cannot be had is told with the step and the plugin", async (t) => {
  const source = await sourceWith(folderFor(t), { "map@1.0.0": { nowhere: "^1.0.0" } });
  const { manager } = await rig(t, { sources: [source] });
  await expectRejected(manager.install("map"), "manager/resolve", "manager/no-source");
  await expectRejected(manager.install("geo@>=3"), "manager/resolve", "manager/no-source");
});

test("a plugin that others need is neither removed nor disabled", async (t) => {
  const source = await sourceWith(folderFor(t), { "geo@1.0.0": {}, "map@1.0.0": { geo: "^1.0.0" } });
  const { manager } = await rig(t, { sources: [source] });
  await manager.install("map");
  await expectRejected(manager.remove("geo"), "manager/needed-by");
  await expectRejected(manager.disable("geo"), "manager/needed-by");
  await manager.remove("map");
  await manager.remove("geo");
});

test("a manager that is closed stops those that need others first, as they do by then", async (t) => {
  const source = await sourceWith(folderFor(t), {
    "app@1.0.0": {},
    "app@1.1.0": { base: "^1.0.0" },
    "base@1.0.0": {},
  });
  const { manager, events } = await rig(t, { sources: [source] });
  for (const ref of ["app@1.0.0", "base", "app@1.1.0"]) await manager.install(ref);
  events.length = 0;
  await manager.close();
  const stopped = events.flatMap((event) =>
    event.kind === "state" && event.event === "stop" ? [event.plugin] : [],
  );
  assert.deepEqual(stopped, ["app", "base"]);
});

test("a plugin that is named as what every object has is needed by those alone that say so", async (t) => {
  const { manager } = await rig(t);
  await manager.install(await ref(guests.adds(1)));
  const named = (version: string) => ref(guests.adds(2), { name: "constructor", version });
  await manager.install(await named("1.0.0"));
  assert.deepEqual((await manager.details("constructor")).neededBy, []);
  await manager.install(await named("1.1.0"));
  await manager.disable("constructor");
  await manager.remove("constructor");
});

test("a plugin is neither enabled nor reloaded while what it needs is disabled or gone", async (t) => {
  const source = await sourceWith(folderFor(t), { "map@1.0.0": { geo: "^1.0.0" }, "geo@1.0.0": {} });
  const { manager, reopen } = await rig(t, { sources: [source] });
  await manager.install("map");
  await manager.disable("map");
  await manager.disable("geo");
  const found = async (doing: Promise<void>) => {
    const { details } = await expectRejected(doing, "manager/unmet-needs");
    return details as Record<string, unknown>; // as its row in the table has it
  };
  const disabled = { plugin: "map", needs: [{ name: "geo", found: "disabled" }] };
  assert.deepEqual(await found(manager.enable("map")), { what: "enable", ...disabled });
  assert.equal(manager.info("map").isEnabled, false);
  await manager.remove("geo");
  assert.deepEqual((await found(manager.enable("map"))).needs, [{ name: "geo", found: "not installed" }]);
  await manager.install("geo");
  await manager.enable("map");
  await manager.reload("map");
  // As whoever enabled it before could leave it: it starts as ever, and nobody makes it anew beside what is not there.
  await manager.close();
  const entry = join(manager.folder, "plugins", "geo.json");
  writeFileSync(entry, readFileSync(entry, "utf8").replace('"isEnabled":true', '"isEnabled":false'));
  const again = await reopen();
  assert.equal(again.manager.info("map").state, "running");
  assert.deepEqual(await found(again.manager.reload("map")), { what: "reload", ...disabled });
  assert.equal(again.manager.info("map").state, "running");
});

test("what needs a disabled plugin is not installed to run beside it, and nothing of what it needs is", async (t) => {
  const source = await sourceWith(folderFor(t), {
    "map@1.0.0": { geo: "^1.0.0", base: "^1.0.0" },
    "geo@1.0.0": {},
    "base@1.0.0": {},
    "chart@1.0.0": {},
    "chart@1.1.0": { geo: "^1.0.0" },
  });
  const { manager } = await rig(t, { sources: [source] });
  const refused = (doing: Promise<unknown>) =>
    expectRejected(doing, "manager/resolve", "manager/unmet-needs");
  await manager.install("geo");
  await manager.install("chart@1.0.0");
  await manager.disable("geo");
  const { cause } = await refused(manager.install("map"));
  assert.deepEqual((cause as RemoraError).details, {
    what: "run",
    plugin: "map",
    needs: [{ name: "geo", found: "disabled" }],
  });
  assert.deepEqual([manager.has("map"), manager.has("base")], [false, false]);
  await refused(manager.update("chart"));
  assert.equal(manager.info("chart").version, "1.0.0");
  await manager.install("map", { isEnabled: false });
  await refused(manager.install("map", { isEnabled: true }));
  // A version that runs without it is one to go back to, and not one to come back from.
  await manager.enable("geo");
  await manager.update("chart");
  await manager.rollback("chart");
  await manager.disable("geo");
  await refused(manager.rollback("chart", "1.1.0"));
  await manager.disable("chart");
  await manager.rollback("chart", "1.1.0");
  assert.deepEqual([manager.info("chart").version, manager.info("chart").isEnabled], ["1.1.0", false]);
});

test("an update takes the newest version that there is, and says when there is none", async (t) => {
  const source = await sourceWith(folderFor(t), { "geo@1.0.0": {}, "geo@1.2.0": {}, "geo@2.0.0-beta.1": {} });
  const { manager } = await rig(t, { sources: [source] });
  await manager.install("geo@1.0.0");
  assert.deepEqual(await manager.update("geo"), { version: "1.2.0", isNew: true });
  assert.deepEqual(await manager.update("geo"), { version: "1.2.0", isNew: false });
  await expectRejected(manager.update("geo", ">=9"), "manager/no-source");
});

test("a source that sends something else than it offered is refused", async (t) => {
  const bytes = await bundleOf(guests.adds(1), { name: "geo" });
  const other = { name: "a liar", versions: async () => [{ name: "geo", version: "1.0.0", digest: "00" }] };
  const { manager } = await rig(t, {
    sources: [
      {
        ...other,
        fetch: async function* () {
          yield bytes;
        },
      },
    ],
  });
  await expectRejected(manager.install("geo"), "manager/fetch", "manager/wrong-bundle");
});

test("a source that never ends is left when it sent more than a bundle may have", async (t) => {
  const piece = new Uint8Array(64 * 1024 * 1024);
  let pieces = 0;
  const endless = {
    name: "endless",
    versions: async () => [{ name: "geo", version: "1.0.0", digest: "00" }],
    fetch: async function* () {
      for (;;) {
        pieces++;
        yield piece;
      }
    },
  };
  const { manager } = await rig(t, { sources: [endless] });
  await expectRejected(manager.install("geo"), "manager/fetch", "manager/too-large");
  assert.equal(pieces, 5);
});

test("when the newest versions do not fit together, older ones that do are found", async (t) => {
  const source = await sourceWith(folderFor(t), {
    "map@1.0.0": { geo: "^1.0.0", draw: "*" },
    "geo@1.2.0": {},
    "geo@1.4.0": {},
    "geo@2.0.0": {},
    "draw@2.0.0": { geo: "^1.0.0 <1.4.0" },
    "draw@3.0.0": { geo: "^2.0.0" },
    "draw@4.0.0": { pen: "^1.0.0" },
    "pen@1.0.0": { ink: "^1.0.0" },
    "ink@1.0.0": { pen: "^1.0.0" },
  });
  const { manager } = await rig(t, { sources: [source] });
  await manager.install("map");
  const installed = manager.list().map(({ name, version }) => `${name} ${version}`);
  assert.deepEqual(installed, ["draw 2.0.0", "geo 1.2.0", "map 1.0.0"]);
});

test("what is installed stays, and an older version of what was asked for is taken where that fits", async (t) => {
  const source = await sourceWith(folderFor(t), {
    "geo@1.0.0": {},
    "geo@2.0.0": {},
    "map@1.0.0": { geo: "^1.0.0" },
    "map@2.0.0": { geo: "^2.0.0" },
    "map@2.1.0": { geo: "^2.0.0", nowhere: "*" },
  });
  const { manager } = await rig(t, { sources: [source] });
  await manager.install("geo@1.0.0");
  await manager.install("map");
  assert.deepEqual([manager.info("geo").version, manager.info("map").version], ["1.0.0", "1.0.0"]);
  await manager.remove("map");
  await manager.update("geo");
  await manager.install("map@^2.0.0 || ^1.0.0");
  assert.equal(manager.info("map").version, "2.0.0");
});

test("a version for another host is passed over, and the one before it is taken", async (t) => {
  const folder = folderFor(t);
  const source = await sourceWith(folder, { "map@1.0.0": { geo: "*" }, "geo@1.0.0": {} });
  const manifest = manifestOf({ name: "geo", version: "2.0.0" });
  const forLater = packBundle(
    new Map([
      ["remora.toml", new TextEncoder().encode(manifest.replace('"^1.0.0"', '"^2.0.0"'))],
      ["plugin.wasm", await moduleOf(guests.adds(1))],
    ]),
  );
  writeFileSync(join(folder, "source", "geo@2.0.0.bundle"), forLater);
  const { manager } = await rig(t, { sources: [source] });
  await manager.install("map");
  assert.equal(manager.info("geo").version, "1.0.0");
  await expectRejected(manager.install("geo@2.0.0"), "manager/inspect", "manager/no-host");
  await expectRejected(manager.update("geo"), "manager/inspect", "manager/no-host");
  assert.equal(manager.info("geo").version, "1.0.0");
});

test("when there is no choice that fits, nothing is installed, and the newest versions say why", async (t) => {
  const source = await sourceWith(folderFor(t), {
    "map@1.0.0": { geo: "^1.0.0", draw: "*" },
    "geo@1.0.0": {},
    "draw@1.0.0": { geo: "^2.0.0" },
    "draw@2.0.0": { geo: "^3.0.0" },
  });
  const { manager } = await rig(t, { sources: [source] });
  await assert.rejects(manager.install("map"), {
    code: "manager/resolve",
    message: /draw: it needs geo \^3\.0\.0, and 1\.0\.0 would come with it/,
  });
  assert.deepEqual(manager.list(), []);
});

test("of a plugin in many versions that cannot run, only so many are fetched", async (t) => {
  const bundles = await Promise.all(
    Array.from({ length: versionsTriedMax + 5 }, (_, at) =>
      bundleOf(guests.adds(1), { name: "map", version: `1.${at}.0`, tables: needs({ nowhere: "*" }) }),
    ),
  );
  const fetched: string[] = [];
  const source = {
    name: "a test",
    versions: async (name: string) =>
      name !== "map"
        ? []
        : bundles.map((bytes, at) => ({ name, version: `1.${at}.0`, digest: openBundle(bytes).digest })),
    fetch: async function* ({ digest, version }: Offered) {
      fetched.push(version);
      yield bundles.find((bytes) => openBundle(bytes).digest === digest) as Uint8Array; // it was offered
    },
  };
  const { manager } = await rig(t, { sources: [source] });
  await expectRejected(manager.install("map"), "manager/resolve", "manager/no-source");
  assert.equal(fetched.length, versionsTriedMax);
  assert.equal(fetched[0], `1.${versionsTriedMax + 4}.0`, "the highest first");
});

test("versions that can be combined without end are tried so many times and no more", async () => {
  const names = Array.from({ length: 12 }, (_, at) => `p${at}`);
  const versions = Array.from({ length: 9 }, (_, at) => `1.${at}.0`);
  let looks = 0;
  const offer = (name: string, version: string): ResolvedOffer => ({
    kind: "offered",
    origin: "a test",
    source: { name: "a test", versions: async () => [], fetch: async function* () {} },
    offered: { name, version, digest: `${name}@${version}` },
  });
  const search = chooseVersions(
    { name: "root", version: "1.0.0", needs: new Map(names.map((name) => [name, "*"])) },
    {
      entries: new Map(),
      offers: async (name) => versions.map((version) => offer(name, version)),
      look: async ({ offered: { name, version } }) => {
        looks++;
        // The last one wants of the first what it never is.
        return { name, version, needs: new Map(name === "p11" ? [["p0", "^2.0.0"]] : []) };
      },
    },
  );
  await expectRejected(search, "manager/dependency-search");
  assert.equal(looks, triesMax);
});
