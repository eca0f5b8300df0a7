import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type KeyPair, revokeKey } from "../../bundle/index.ts";
import type { Grant } from "../../policy/index.ts";
import { readTrail } from "../audit/read-trail.ts";
import type { PluginHost } from "../host.ts";
import type { ManagerPolicy } from "../policy.ts";
import { ada, eve, given, keys, reads, version } from "../testing/publishers.test.ts";
import {
  type Calls,
  expectRejected,
  guests,
  type Rig,
  ref,
  rig,
  run,
  settled,
  testHost,
} from "../testing/rig.test.ts";

const takesAll: ManagerPolicy = { trust: "unsigned", keys };
const keyOf = ({ publicKey }: KeyPair) => `(key ${publicKey.slice(0, 16)})`;
const byAda = `verified by Ada ${keyOf(ada)}`;
const byEve = `self-signed ${keyOf(eve)}`;
const revoked = ({ events }: Rig) =>
  events.flatMap((event) => (event.kind === "revoked" ? [event.grants] : []));
const answer = ({ manager }: Rig) => manager.get<Calls>("adder").use(run, 1);

/** One by Eve that wants nothing, and over it one by Ada that was given something. */
async function evesUnderAdas(house: Rig): Promise<void> {
  await house.manager.install(await version(1, eve, { tables: "" }));
  await house.manager.install(await version(2, ada));
  assert.deepEqual(house.manager.grants("adder"), [given]);
}

test("a rollback to another publisher's version gives that one what it had, and not what was given to whom it follows", async (t) => {
  const house = await rig(t, { policy: takesAll });
  const { manager, events } = house;
  await evesUnderAdas(house);
  const { previous } = await manager.details("adder");
  const toEve = { from: byAda, to: byEve, name: undefined };
  assert.deepEqual(
    previous.map((one) => [one.version, one.publisher]),
    [["1.1.0", toEve]],
  );
  events.length = 0;
  await manager.rollback("adder");
  assert.equal(answer(house), 2);
  assert.deepEqual([manager.grants("adder"), manager.get("adder").serving?.grants], [[], []]);
  const told = events.filter(({ kind }) => kind === "publisher");
  assert.deepEqual(told, [
    { kind: "publisher", plugin: "adder", atMs: told[0]?.atMs, version: "1.1.0", ...toEve },
  ]);
  assert.deepEqual(revoked(house), [[given]]);
  const again = await house.reopen();
  assert.deepEqual(again.manager.get("adder").serving?.grants, []);
  await again.manager.rollback("adder", "1.2.0");
  assert.deepEqual(again.manager.grants("adder"), [given], "and whom it was given to has it again");
  const lines = await readTrail(again.manager.trail?.folder ?? "", { recordsMax: 3 });
  assert.deepEqual(
    lines.map(({ event }) => [event.kind, event.publisherTo ?? event.operation ?? event.grants]).reverse(),
    [
      ["plugin.changed", "rollback"],
      ["plugin.publisher", byAda],
      ["plugin.granted", ["data.read air.*"]],
    ],
  );
});

test("what was taken from a plugin comes back with no kept version of another publisher", async (t) => {
  const house = await rig(t, { policy: takesAll });
  const { manager } = house;
  const more = reads.replace('"air.*"', '"air.*", "water.*"');
  await manager.install(await version(1, ada, { tables: more }));
  await manager.install(await version(2, eve));
  await manager.revoke("adder", given);
  await manager.rollback("adder");
  const left: Grant = { capability: "data.read", paths: ["water.*"] };
  assert.deepEqual([manager.grants("adder"), manager.get("adder").serving?.grants], [[left], [left]]);
});

test("a rollback to what nobody trusts here any more does not run, and what runs goes on", async (t) => {
  const revoked = revokeKey(keys, { publicKey: eve.publicKey, atMs: Date.UTC(2026, 5, 1), why: "stolen" });
  const rows: readonly [what: string, by: KeyPair | undefined, policy: ManagerPolicy][] = [
    ["a publisher who is not known, where publishers have to be", eve, { trust: "verified", keys }],
    ["nobody, where somebody has to be", undefined, { trust: "self-signed", keys }],
    ["whose key was revoked", eve, { trust: "unsigned", keys: revoked }],
    ["whom this plugin's own rule refuses", eve, { ...takesAll, plugins: { adder: { trust: "verified" } } }],
  ];
  for (const [what, by, policy] of rows) {
    const first = await rig(t, { policy: takesAll });
    await first.manager.install(await version(1, by));
    await first.manager.install(await version(2, ada), {
      asker: async ({ items }) => ({ kind: "given", items, acceptsPublisher: true }),
    });
    const house = await first.reopen({ policy });
    const before = house.manager.versions("adder");
    await expectRejected(house.manager.rollback("adder"), "manager/verify", "manager/untrusted");
    assert.deepEqual([house.manager.versions("adder"), answer(house)], [before, 3], what);
    const again = await house.reopen();
    assert.deepEqual([again.manager.recovered, answer(again)], [[], 3], what);
  }
});

test("a rollback to whoever this plugin's own rule lets run needs no more than that", async (t) => {
  const first = await rig(t, { policy: takesAll });
  await evesUnderAdas(first);
  const policy: ManagerPolicy = { trust: "verified", keys, plugins: { adder: { trust: "self-signed" } } };
  const house = await first.reopen({ policy });
  await house.manager.rollback("adder");
  assert.equal(answer(house), 2);
});

test("the version before that follows a failed one of another publisher has what it had", async (t) => {
  const house = await rig(t, { policy: takesAll });
  const { manager, events } = house;
  await manager.install(await version(1, eve, { tables: "" }));
  const fields = '(func (export "run") (param i32) (result i32) (unreachable))';
  await manager.install(await version(2, ada, { fields }));
  assert.equal(answer(house), 2, "the one before answers");
  await settled(() => manager.versions("adder").current?.version === "1.1.0");
  assert.deepEqual(manager.grants("adder"), []);
  assert.ok(events.some((event) => event.kind === "publisher" && event.to === byEve));
  await settled(() => revoked(house).length > 0);
  assert.deepEqual(revoked(house), [[given]]);
  const again = await house.reopen();
  assert.deepEqual([again.manager.get("adder").serving?.grants, answer(again)], [[], 2]);
});

test("an update by another publisher tells what is taken with the one before", async (t) => {
  const house = await rig(t, { policy: takesAll });
  await house.manager.install(await version(1, ada));
  await house.manager.install(await version(2, eve, { tables: "" }));
  assert.deepEqual([house.manager.grants("adder"), revoked(house)], [[], [[given]]]);
});

test("a kept version that is damaged is told before anything changes", async (t) => {
  const house = await rig(t, { policy: takesAll });
  await evesUnderAdas(house);
  const [kept] = house.manager.versions("adder").previous;
  writeFileSync(join(house.folder, "bundles", `${kept?.sha256}.bundle`), "something else");
  await expectRejected(house.manager.rollback("adder"), "manager/fetch", "manager/store-damaged");
  assert.equal(answer(house), 3);
});

test("of two kept versions of one number by two publishers, whoever rolls back says which", async (t) => {
  const house = await rig(t, { policy: takesAll });
  const { manager } = house;
  await manager.install(await version(1, ada, { tables: "" }));
  await manager.install(await version(1, eve, { tables: "", fields: guests.adds(10) }));
  await manager.install(await version(2, ada, { tables: "" }));
  const [eves, adas] = manager.versions("adder").previous;
  assert.deepEqual([eves?.version, adas?.version], ["1.1.0", "1.1.0"]);
  const { message } = await expectRejected(manager.rollback("adder", "1.1.0"), "manager/ambiguous-version");
  assert.ok(message.includes(`${eves?.digest} (${byEve})`) && message.includes(`${adas?.digest} (${byAda})`));
  await manager.rollback("adder", adas?.digest);
  assert.equal(answer(house), 2);
});

test("of several kept versions of one number by one publisher, the last one is meant", async (t) => {
  const house = await rig(t, { policy: takesAll });
  const { manager } = house;
  for (const adds of [10, 20, 30]) {
    await manager.install(await version(1, ada, { tables: "", fields: guests.adds(adds) }));
  }
  await manager.rollback("adder", "1.1.0");
  assert.equal(answer(house), 21);
});

const settingsHost: PluginHost = {
  ...testHost,
  worlds: testHost.worlds.map((world) => ({ ...world, takesSettings: true })),
};
/** One that has a setting of this name, and no other. */
const setting = (name: string, version: string, guest = guests.adds(1)) =>
  ref(guest, {
    version,
    tables: `[settings]\ntype = "object"\n[settings.properties.${name}]\ntype = "integer"\n`,
  });

test("settings that came with a version go with it, and others stay what they are", async (t) => {
  const house = await rig(t, { hosts: [settingsHost], policy: { probationMs: 0 } });
  const { manager } = house;
  await manager.install(await setting("size", "1.0.0"), { settings: { size: 1 } });
  await manager.install(await setting("size", "1.1.0"));
  await manager.changeSettings("adder", { size: 2 });
  await manager.rollback("adder");
  assert.deepEqual(await manager.settings("adder"), { size: 2 }, "the operator's of now");
  await manager.install(await setting("width", "2.0.0"), { settings: { width: 3 } });
  await manager.rollback("adder");
  assert.deepEqual(await manager.settings("adder"), { size: 2 }, "which the other version would not take");
  await manager.rollback("adder", "2.0.0");
  assert.deepEqual(await manager.settings("adder"), { width: 3 });
  const again = await house.reopen();
  assert.equal(answer(again), 2);
  assert.deepEqual(await again.manager.settings("adder"), { width: 3 });
});

test("a version that fails is followed by the one before it, with the settings which that had", async (t) => {
  const house = await rig(t, { hosts: [settingsHost], policy: { healthEveryMs: 0 } });
  const { manager } = house;
  await manager.install(await setting("size", "1.0.0", guests.adds(1)), { settings: { size: 1 } });
  const failing = await setting("width", "2.0.0", guests.trapsBelowZero);
  await manager.install(failing, { settings: { width: 3 } });
  assert.deepEqual(await manager.settings("adder"), { width: 3 });
  assert.equal(manager.get<Calls>("adder").use(run, -1), 0, "answered by the version before");
  await settled(() => manager.info("adder").version === "1.0.0" && manager.recovered.length === 0);
  const again = await house.reopen();
  assert.deepEqual(await again.manager.settings("adder"), { size: 1 });
  assert.equal(answer(again), 2);
  assert.deepEqual((await again.manager.details("adder")).previous[0]?.failedWith, "engine/unreachable");
});
