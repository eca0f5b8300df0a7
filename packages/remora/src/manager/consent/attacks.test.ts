/** What somebody who publishes plugins tries, to run with what was given to another, or in the place of a newer version. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bundle, type KeyPair, openBundle, revokeKey } from "../../bundle/index.ts";
import type { Offered, PluginSource } from "../install/source.ts";
import type { Manager } from "../manager.ts";
import { ada, adaToo, eve, given, keys, reads, version } from "../testing/publishers.test.ts";
import { type Calls, expectRejected, guests, ref, rig, run, testHost } from "../testing/rig.test.ts";
import { askNobody, type ConsentRequest } from "./asker.ts";

const policy = { trust: "unsigned", keys } as const;
const wantsNothing = { tables: "" };

/** What waits, as somebody looks at it. */
async function shown(manager: Manager): Promise<ConsentRequest> {
  const [request, ...more] = await manager.held();
  assert.ok(request !== undefined && more.length === 0);
  return request;
}

/** A source that offers what it wants, and may change its mind. */
function source(bundles: { bytes: Uint8Array }[]): PluginSource {
  const offers = () => bundles.map(({ bytes }) => ({ bytes, ...offerOf(openBundle(bytes)) }));
  return {
    name: "a mirror",
    versions: async (plugin) => offers().filter(({ name }) => name === plugin),
    async *fetch({ digest }) {
      yield offers().find((one) => one.digest === digest)?.bytes ?? new Uint8Array(0);
    },
  };
}

function offerOf({ manifest: { name, version: of }, digest }: Bundle): Offered {
  return { name, version: of, digest };
}

test("a mirror that has only older versions, all of them signed, takes no plugin back to one", async (t) => {
  const offered = [await version(1, ada), await version(3, ada)];
  const { manager } = await rig(t, { policy, sources: [source(offered)] });
  const plugin = await manager.install<Calls>("adder");
  assert.equal(plugin.use(run, 1), 4);
  // The one that runs is withdrawn, and one that was mended since is offered again, rebuilt ones too.
  offered.splice(0, 2, await version(1, ada), await version(2, ada));
  assert.deepEqual(await manager.update("adder"), { version: "1.3.0", isNew: false });
  assert.deepEqual(await manager.update("adder", "~1.2.0"), { version: "1.3.0", isNew: false });
  offered.push(await version(3, ada, { fields: guests.adds(7) }));
  assert.deepEqual(await manager.update("adder"), { version: "1.3.0", isNew: false });
  assert.equal(plugin.use(run, 1), 4);
  await manager.install("adder@1.2.0");
  assert.equal(plugin.use(run, 1), 3, "who names a version gets that");
  offered.push(await version(4, ada));
  assert.deepEqual(await manager.update("adder"), { version: "1.4.0", isNew: true });
});

test("what was given to a first version that waits is not another publisher's who comes in its place", async (t) => {
  const { manager } = await rig(t, { policy, asker: askNobody });
  const hold = async (by: KeyPair | undefined, adds = 1) =>
    expectRejected(manager.install(await version(adds, by)), "manager/decide", "manager/held");
  await hold(ada);
  await manager.give("adder", given);
  // Also with contents that are the same: the next version would be hers.
  await hold(eve);
  assert.deepEqual((await shown(manager)).granted, []);
  assert.deepEqual(manager.grants("adder"), []);
  await manager.refuse(await shown(manager));

  await hold(ada);
  await manager.give("adder", given);
  const plugin = await manager.install<Calls>(await version(2, eve, wantsNothing));
  assert.deepEqual([plugin.serving?.grants, manager.grants("adder")], [[], []]);
  await manager.remove("adder");

  await hold(ada);
  await manager.give("adder", given);
  const next = await manager.install<Calls>(await version(2, adaToo));
  assert.deepEqual(next.serving?.grants, [given], "and of the same publisher it is");
});

test("settings that were made for a first version that waits, and their secrets, are not another publisher's", async (t) => {
  const hosts = [
    { ...testHost, worlds: testHost.worlds.map((world) => ({ ...world, takesSettings: true as const })) },
  ];
  const { manager } = await rig(t, { hosts, policy, asker: askNobody, secrets: async () => "s3cret" });
  const settable =
    '[settings]\ntype = "object"\n[settings.properties.token]\ntype = "string"\nwriteOnly = true\n';
  const tables = `${reads}${settable}`;
  const settings = { token: { secret: "API" } };
  const holdAdas = async () => {
    const install = manager.install(await version(1, ada, { tables }));
    await expectRejected(install, "manager/decide", "manager/held");
    await manager.changeSettings("adder", settings);
  };
  await holdAdas();
  const fails = await version(3, eve, { tables: settable, fields: guests.trapsAtStart });
  await expectRejected(manager.install(fails), "manager/prepare");
  assert.deepEqual(await manager.settings("adder"), settings, "what cannot run takes nothing away");
  await manager.install(await version(2, eve, { tables: settable }));
  assert.equal(await manager.settings("adder"), undefined);
  await manager.remove("adder", { data: true });
  await holdAdas();
  const next = manager.install(await version(2, eve, { tables }));
  await expectRejected(next, "manager/decide", "manager/held");
  assert.equal(await manager.settings("adder"), undefined);
  await manager.remove("adder", { data: true });
  await holdAdas();
  await manager.accept(await shown(manager));
  assert.deepEqual(await manager.settings("adder"), settings);
});

test("a held version is not accepted over a plugin that needs the one before", async (t) => {
  const { manager } = await rig(t, { asker: askNobody });
  await manager.install(await ref(guests.adds(1), { name: "geo" }));
  const wants = { name: "geo", version: "2.0.0", tables: reads };
  await expectRejected(manager.install(await ref(guests.adds(2), wants)), "manager/decide", "manager/held");
  const needs = { name: "map", tables: '[dependencies]\ngeo = "^1.0.0"\n' };
  await manager.install(await ref(guests.adds(1), needs));
  await expectRejected(manager.accept(await shown(manager)), "manager/resolve", "manager/dependency");
  await manager.remove("map");
  await manager.accept(await shown(manager));
  assert.equal(manager.info("geo").version, "2.0.0");
});

test("a held version whose needs are gone is not accepted without them", async (t) => {
  const { manager } = await rig(t, { asker: askNobody });
  await manager.install(await ref(guests.adds(1), { name: "geo" }));
  const wants = { name: "map", tables: `${reads}[dependencies]\ngeo = "^1.0.0"\n` };
  await expectRejected(manager.install(await ref(guests.adds(2), wants)), "manager/decide", "manager/held");
  await manager.remove("geo");
  await expectRejected(manager.accept(await shown(manager)), "manager/resolve", "manager/no-source");
  assert.equal(manager.info("map").version, undefined);
});

test("a plugin that needs another which waits waits for that one, and is not installed beside it", async (t) => {
  const offered = [await ref(guests.adds(1), { name: "geo", tables: reads })];
  const { manager } = await rig(t, { asker: askNobody, sources: [source(offered)] });
  const map = await ref(guests.adds(1), { name: "map", tables: '[dependencies]\ngeo = "^1.0.0"\n' });
  const { cause, message } = await expectRejected(manager.install(map), "manager/decide", "manager/held");
  assert.equal((cause as { details?: { neededBy?: string } }).details?.neededBy, "map");
  assert.match(
    message,
    /^Cannot install geo: .* consent to data\.read air\.\*; map needs it, and comes after it$/,
  );
  assert.deepEqual([(await shown(manager)).plugin, manager.has("map")], ["geo", false]);
  await manager.accept(await shown(manager));
  await manager.install(map);
  assert.equal(manager.info("map").version, "1.0.0");
});

test("contents that a revoked key has signed run again when another key of the publisher has signed them, and no one else's", async (t) => {
  const first = await rig(t, { policy, asker: askNobody });
  await first.manager.install(await version(1, ada, wantsNothing));
  const revoked = revokeKey(keys, { publicKey: ada.publicKey, atMs: Date.UTC(2026, 5, 1), why: "stolen" });
  const { manager } = await first.reopen({ policy: { trust: "unsigned", keys: revoked } });
  assert.equal(manager.get("adder").serving, undefined);
  await expectRejected(manager.install(await version(1, ada, wantsNothing)), "manager/verify");
  await expectRejected(
    manager.install(await version(1, eve, wantsNothing)),
    "manager/decide",
    "manager/held",
  );
  await manager.install(await version(1, adaToo, wantsNothing));
  assert.equal(manager.get<Calls>("adder").use(run, 1), 2);
  const { trust } = await manager.details("adder");
  assert.equal(trust?.text, "verified by Ada");
});

test("an update that comes while a held version is accepted is not lost, and nothing runs that was not shown", async (t) => {
  const { manager } = await rig(t, { policy, asker: askNobody });
  await manager.install(await version(1, ada, wantsNothing));
  await expectRejected(manager.install(await version(2, ada)), "manager/decide", "manager/held");
  const request = await shown(manager);
  const [update, accepted] = await Promise.allSettled([
    manager.install(await version(3, ada, wantsNothing)),
    manager.accept(request),
  ]);
  const runs = manager.info("adder").version;
  assert.equal(update.status, "fulfilled");
  assert.equal(runs, accepted.status === "fulfilled" ? "1.2.0" : "1.3.0");
  assert.deepEqual(manager.grants("adder"), accepted.status === "fulfilled" ? [given] : []);
});

test("whoever vouches for a bundle vouches for that one, however it comes to run, and not for its successors or its needs", async (t) => {
  const geo = await ref(guests.adds(1), { name: "geo" });
  const strict = { trust: "verified", keys } as const;
  const first = await rig(t, { policy: strict, asker: askNobody, sources: [source([geo])] });
  const { manager } = first;
  const vouched = { trust: "unsigned" } as const;
  await manager.install(await version(1, undefined, wantsNothing), vouched);
  await expectRejected(manager.install(await version(2, undefined, wantsNothing)), "manager/verify");
  await expectRejected(manager.install(await version(3), vouched), "manager/decide", "manager/held");
  await manager.accept(await shown(manager));
  assert.deepEqual(manager.grants("adder"), [given], "and when it has waited");
  const again = await first.reopen();
  await again.manager.rollback("adder");
  assert.equal(again.manager.info("adder").version, "1.1.0");
  await expectRejected(again.manager.install(await version(3)), "manager/verify", "manager/untrusted");
  const needs = await ref(guests.adds(1), { name: "map", tables: '[dependencies]\ngeo = "*"\n' });
  await expectRejected(again.manager.install(needs, vouched), "manager/verify", "manager/untrusted");
  const stolen = revokeKey(keys, { publicKey: eve.publicKey, atMs: 0, why: "" });
  const last = await again.reopen({ policy: { trust: "verified", keys: stolen } });
  const byEve = version(4, eve, wantsNothing);
  await expectRejected(last.manager.install(await byEve, vouched), "manager/verify", "manager/untrusted");
});
