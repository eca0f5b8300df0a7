import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyTrustStore, type KeyPair, revokeKey, trustKey } from "../bundle/index.ts";
import type { Grant } from "../policy/index.ts";
import { readTrail } from "./audit/read-trail.ts";
import { askNobody, type Consent, type ConsentRequest } from "./consent/asker.ts";
import {
  ada,
  adaToo,
  eve,
  given,
  keys,
  nameless,
  reads,
  trusting,
  version,
} from "./testing/publishers.test.ts";
import { type Calls, expectRejected, rig, run, testHost } from "./testing/rig.test.ts";

test("what a plugin was given passes on to the next version of the same publisher alone", async (t) => {
  const rows: readonly [
    what: string,
    before: KeyPair | undefined,
    after: KeyPair | undefined,
    passes: boolean,
  ][] = [
    ["the same key", ada, ada, true],
    ["another key of the same publisher", ada, adaToo, true],
    ["the same key, that nobody trusts", eve, eve, true],
    ["the first that is signed", undefined, ada, true],
    ["somebody else's key", ada, eve, false],
    ["another key, and nobody knows whose they are", nameless[0], nameless[1], false],
    ["no signature any more", ada, undefined, false],
    ["no signature any more, of a key that nobody trusts", eve, undefined, false],
    ["the key of a publisher, after one of nobody's", eve, ada, false],
  ];
  for (const [what, before, after, passes] of rows) {
    const asked: ConsentRequest[] = [];
    const { manager } = await rig(t, {
      policy: { trust: "unsigned", keys },
      asker: async (request) => {
        asked.push(request);
        const isFirst = asked.length === 1;
        return isFirst ? { kind: "given", items: request.items } : { kind: "refused", by: "Bob" };
      },
    });
    const plugin = await manager.install<Calls>(await version(1, before));
    const next = manager.install(await version(2, after));
    if (passes) await next;
    else await expectRejected(next, "manager/decide", "manager/refused");
    assert.equal(asked.length, passes ? 1 : 2, what);
    assert.equal(plugin.use(run, 1), passes ? 3 : 2, what);
    assert.deepEqual(manager.grants("adder"), [given], what);
  }
});

test("a version by somebody else waits with all that it wants, and has what it is then given", async (t) => {
  const more = reads.replace('"air.*"', '"air.*", "water.*"');
  let isFirst = true;
  const { manager } = await rig(t, {
    policy: { trust: "unsigned", keys },
    asker: async ({ items }) => {
      const consent = isFirst ? ({ kind: "given", items } as const) : ({ kind: "later" } as const);
      isFirst = false;
      return consent;
    },
  });
  await manager.install(await version(1, ada, { tables: more }));
  assert.deepEqual(manager.grants("adder"), [{ ...given, paths: ["air.*", "water.*"] }]);
  await expectRejected(manager.install(await version(2, eve)), "manager/decide", "manager/held");
  const [held] = await manager.held();
  assert.deepEqual([held?.trust.text, held?.items.length, held?.granted], ["self-signed", 1, []]);
  assert.ok(held !== undefined);
  await manager.accept(held);
  assert.deepEqual(manager.grants("adder"), [given]);
});

/** Grants nothing and asks for nothing. */
const wantsNothing = "";

test("another publisher takes over a plugin's name only when somebody accepts that, whatever the version wants", async (t) => {
  const trusted = trusting("Eve", [eve], keys);
  const rows: readonly [tables: string, policy: readonly Grant[]][] = [
    [wantsNothing, []],
    // What the policy gives to all is not asked for either.
    [reads, [given]],
  ];
  for (const [tables, grants] of rows) {
    const asked: ConsentRequest[] = [];
    const answers: Consent[] = [
      { kind: "refused", by: "Bob" },
      { kind: "given", items: [] },
      { kind: "given", items: [], acceptsPublisher: true },
    ];
    const { manager, events } = await rig(t, {
      policy: { trust: "verified", keys: trusted, grants },
      asker: async (request) => {
        asked.push(request);
        return answers.shift() ?? assert.fail("there was nothing to ask");
      },
    });
    const plugin = await manager.install<Calls>(await version(1, ada, { tables }));
    const next = await version(2, eve, { tables });
    await expectRejected(manager.install(next), "manager/decide", "manager/refused");
    await expectRejected(manager.install(next), "manager/decide", "manager/other-publisher");
    assert.equal(plugin.use(run, 1), 2);
    await manager.install(next);
    assert.equal(plugin.use(run, 1), 3);
    const key = ({ publicKey }: KeyPair) => `(key ${publicKey.slice(0, 16)})`;
    const change = { from: `verified by Ada ${key(ada)}`, to: `verified by Eve ${key(eve)}`, name: "Eve" };
    assert.deepEqual(
      asked.map(({ publisher, items }) => [publisher, items]),
      [1, 2, 3].map(() => [change, []]),
    );
    const accepted = events.filter((event) => event.kind === "publisher");
    assert.deepEqual(accepted, [
      { kind: "publisher", plugin: "adder", atMs: accepted[0]?.atMs, version: "1.2.0", ...change },
    ]);
    await manager.install(await version(3, eve, { tables }));
    assert.equal(asked.length, 3, "and the next version of theirs is nothing new");
  }
});

test("whoever signs what another has published, and no more, is not its publisher", async (t) => {
  const hosts = [
    { ...testHost, worlds: testHost.worlds.map((world) => ({ ...world, takesSettings: true as const })) },
  ];
  const { manager } = await rig(t, { hosts, policy: { trust: "unsigned", keys }, asker: askNobody });
  const settable = '[settings]\ntype = "object"\n';
  await manager.install(await version(1, ada, { tables: settable }));
  const before = manager.versions("adder");
  await manager.install(await version(1, eve, { tables: settable }), { settings: {} });
  assert.deepEqual(await manager.settings("adder"), {});
  assert.deepEqual(manager.versions("adder"), before);
  const next = await version(2, eve, { tables: settable });
  await expectRejected(manager.install(next), "manager/decide", "manager/held");
});

test("without a person a version by another publisher is held, over a restart, and said in details and audit", async (t) => {
  const first = await rig(t, { policy: { trust: "unsigned", keys }, asker: askNobody });
  await first.manager.install(await version(1, ada, { tables: wantsNothing }));
  await expectRejected(
    first.manager.install(await version(2, eve, { tables: wantsNothing })),
    "manager/decide",
    "manager/held",
  );
  const { manager } = await first.reopen();
  assert.equal(manager.get<Calls>("adder").use(run, 1), 2);
  const { heldPublisher } = await manager.details("adder");
  assert.match(heldPublisher?.to ?? "", /^self-signed \(key [0-9a-f]{16}\)$/);
  const [held] = await manager.held();
  assert.ok(held !== undefined);
  await manager.accept(held);
  assert.equal(manager.get<Calls>("adder").use(run, 1), 3);
  assert.equal((await manager.details("adder")).heldPublisher, undefined);
  const lines = (await readTrail(manager.trail?.folder ?? "", { recordsMax: 20 })).map(({ event }) => event);
  assert.deepEqual(
    lines.filter(({ publisherTo }) => publisherTo === heldPublisher?.to).map(({ kind }) => kind),
    ["plugin.publisher", "plugin.held"],
  );
});

test("a publisher goes on under a new key when the old one has expired", async (t) => {
  const old = { name: "Ada", email: "", publicKey: ada.publicKey, addedAt: "2025-01-01T00:00:00Z" };
  const store = trusting(
    "Ada",
    [adaToo],
    trustKey(emptyTrustStore, { ...old, validUntilMs: Date.UTC(2026, 0, 1) + 500 }),
  );
  const { manager, clock } = await rig(t, {
    policy: { trust: "self-signed", keys: store },
    asker: async ({ items, publisher }) => {
      assert.equal(publisher, undefined);
      return { kind: "given", items };
    },
  });
  const plugin = await manager.install<Calls>(await version(1, ada));
  assert.ok(clock.dateMs() > Date.UTC(2026, 0, 1) + 500, "its key has expired");
  await manager.install(await version(2, adaToo));
  assert.equal(plugin.use(run, 1), 3);
});

test("what a key has signed does not run any more once it is revoked, from the disk or as a version that was kept", async (t) => {
  const first = await rig(t, { policy: { trust: "unsigned", keys } });
  await first.manager.install(await version(1, ada));
  await first.manager.install(await version(2, adaToo));
  const revoke = (publicKey: string) =>
    revokeKey(keys, { publicKey, atMs: Date.UTC(2026, 5, 1), why: "stolen" });
  const second = await first.reopen({ policy: { trust: "unsigned", keys: revoke(ada.publicKey) } });
  assert.equal(second.manager.get<Calls>("adder").use(run, 1), 3);
  await expectRejected(second.manager.rollback("adder"), "manager/verify", "manager/untrusted");
  assert.equal(second.manager.get<Calls>("adder").use(run, 1), 3);
  const third = await second.reopen({ policy: { trust: "unsigned", keys: revoke(adaToo.publicKey) } });
  assert.notEqual(third.manager.get("adder").state, "running");
  const [why] = third.events.flatMap((event) => (event.kind === "waiting" ? [event.code] : []));
  assert.equal(why, "manager/untrusted");
});
