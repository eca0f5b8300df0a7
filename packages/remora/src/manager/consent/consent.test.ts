import assert from "node:assert/strict";
import { test } from "node:test";
import type { Grant } from "../../policy/index.ts";
import type { InstallOptions } from "../install/install.ts";
import type { Manager } from "../manager.ts";
import { type Calls, expectRejected, guests, ref, rig, run, testHost } from "../testing/rig.test.ts";
import { type Asker, askNobody, type ConsentRequest } from "./asker.ts";

const paths = (...list: readonly string[]) =>
  `[[capabilities]]\ncapability = "data.read"\npaths = ${JSON.stringify(list)}\nwhy = "To know the weather"\n`;
const a = "air.*";
const b = "water.*";
const c = "engine.rpm";
const data = (...list: readonly string[]): Grant => ({ capability: "data.read", paths: list });

/** Remembers what it was asked, and answers with the items that are named. */
function asker(...given: readonly string[]): { readonly ask: Asker; readonly asked: ConsentRequest[] } {
  const asked: ConsentRequest[] = [];
  return {
    asked,
    ask: async (request) => {
      asked.push(request);
      return { kind: "given", items: request.items.filter(({ target }) => given.includes(target ?? "")) };
    },
  };
}

const targets = (request: ConsentRequest | undefined) => request?.items.map(({ target }) => target);

test("each target is asked for by itself, and what is given is what the plugin has", async (t) => {
  const { ask, asked } = asker(a);
  const { manager } = await rig(t, { asker: ask });
  await manager.install(await ref(guests.adds(1), { tables: paths(a, b) }));
  assert.deepEqual(targets(asked[0]), [a, b]);
  assert.equal(asked[0]?.items[0]?.why, "To know the weather");
  assert.deepEqual([asked[0]?.trust.text, asked[0]?.current], ["unsigned", undefined]);
  assert.deepEqual(manager.grants("adder"), [data(a)]);
  assert.deepEqual(manager.get("adder").serving?.grants, [data(a)]);
});

test("an update asks for the difference alone, and never again for what was refused", async (t) => {
  const { ask, asked } = asker(a, c);
  const { manager } = await rig(t, { asker: ask });
  await manager.install(await ref(guests.adds(1), { tables: paths(a, b) }));
  await manager.install(await ref(guests.adds(2), { version: "1.1.0", tables: paths(a, b, c) }));
  assert.deepEqual(asked.map(targets), [[a, b], [c]]);
  assert.deepEqual(manager.grants("adder"), [data(a, c)]);
  await manager.install(await ref(guests.adds(3), { version: "1.2.0", tables: paths(a) }));
  assert.equal(asked.length, 2, "one that wants less is not asked about");
});

test("what the policy gives is not asked for, and what it denies cannot be given", async (t) => {
  const { ask, asked } = asker(a, b, c);
  const { manager } = await rig(t, {
    asker: ask,
    policy: { grants: [data(a)], denials: [data(c)] },
  });
  await manager.install(await ref(guests.adds(1), { tables: paths(a, b, c) }));
  assert.deepEqual(targets(asked[0]), [b]);
  assert.deepEqual(
    asked[0]?.denied.map(({ target }) => target),
    [c],
  );
  assert.deepEqual(manager.get("adder").serving?.grants, [data(a, b)]);
  await expectRejected(manager.give("adder", data(c)), "manager/denied");
  assert.deepEqual(manager.grants("adder"), [data(b)]);
});

test("what all plugins of a world have is not asked for, and stays theirs where it is declared", async (t) => {
  const { ask, asked } = asker(b);
  const worlds = testHost.worlds.map((world) => ({ ...world, compatibleGrants: [data(a)] }));
  const { manager } = await rig(t, { asker: ask, hosts: [{ ...testHost, worlds }] });
  await manager.install(await ref(guests.adds(1), { tables: paths(a, b) }));
  assert.deepEqual(targets(asked[0]), [b]);
  assert.deepEqual(manager.grants("adder"), [data(b)]);
  assert.deepEqual(manager.get("adder").serving?.grants, [data(a, b)]);
});

test("beyond the policy's ceiling nobody is asked", async (t) => {
  const { ask, asked } = asker(a, b);
  const { manager } = await rig(t, { asker: ask, policy: { consents: [data(a)] } });
  await manager.install(await ref(guests.adds(1), { tables: paths(a, b) }));
  assert.deepEqual(targets(asked[0]), [a]);
});

test("an asker gives nothing that was not asked for", async (t) => {
  const { manager } = await rig(t, {
    asker: async ({ items }) => ({
      kind: "given",
      items: items.flatMap((item) => [item, { ...item, target: c }]),
    }),
  });
  await manager.install(await ref(guests.adds(1), { tables: paths(a) }));
  assert.deepEqual(manager.grants("adder"), [data(a)]);
});

test("refused as a whole, nothing changes", async (t) => {
  const { manager } = await rig(t, {
    asker: async ({ current }) =>
      current === undefined ? { kind: "given", items: [] } : { kind: "refused", by: "Ada" },
  });
  const plugin = await manager.install<Calls>(await ref(guests.adds(1)));
  const update = manager.install(await ref(guests.adds(2), { version: "2.0.0", tables: paths(a) }));
  await expectRejected(update, "manager/decide", "manager/refused");
  assert.equal(plugin.use(run, 1), 2);
});

test("a capability that it imports and was refused stops the install at the decision", async (t) => {
  const guest = `(import "wasi_snapshot_preview1" "random_get" (func (param i32 i32) (result i32)))
    (memory (export "memory") 1) ${guests.adds(1)}`;
  const tables = '[[capabilities]]\ncapability = "random.read"\nwhy = "To roll dice"\n';
  const refuse: Asker = async () => ({ kind: "given", items: [] });
  const { manager } = await rig(t, { asker: refuse });
  const install = manager.install(await ref(guest, { tables }));
  await expectRejected(install, "manager/decide", "policy/imports-refused");
  const plugin = await manager.install<Calls>(await ref(guest, { tables, name: "dice" }), {
    asker: async ({ items }) => ({ kind: "given", items }),
  });
  assert.equal(plugin.use(run, 1), 2);
});

test("without anybody to ask, an update that wants more is held, also over a restart, until it is accepted", async (t) => {
  const later: Asker = async () => ({ kind: "later" });
  const first = await rig(t, { asker: later });
  await first.manager.install(await ref(guests.adds(1)));
  const wants = await ref(guests.adds(2), { version: "2.0.0", tables: paths(a, b) });
  await expectRejected(first.manager.install(wants), "manager/decide", "manager/held");
  const { manager } = await first.reopen();
  const plugin = manager.get<Calls>("adder");
  assert.equal(plugin.use(run, 1), 2);
  assert.equal(manager.info("adder").held, "2.0.0");
  const [request] = await manager.held();
  assert.deepEqual([request?.plugin, request?.version, targets(request)], ["adder", "2.0.0", [a, b]]);
  assert.ok(request !== undefined);
  await manager.accept(request, [{ capability: "data.read", target: b }]);
  assert.equal(plugin.use(run, 1), 3);
  assert.deepEqual([manager.grants("adder"), manager.info("adder").held], [[data(b)], undefined]);
  assert.deepEqual(await manager.held(), []);
});

test("a version that waits comes to run with the settings of its install, or disabled, as that said, over a restart too", async (t) => {
  const [world] = testHost.worlds;
  assert.ok(world !== undefined);
  const hosts = [{ ...testHost, worlds: [{ ...world, takesSettings: true }] }];
  const first = await rig(t, { hosts, asker: askNobody });
  const schema = '[settings]\ntype = "object"\n[settings.properties.size]\ntype = "integer"\n';
  const wants = await ref(guests.adds(2), { tables: `${paths(a)}${schema}` });
  const held = (options: InstallOptions, what = wants) =>
    expectRejected(first.manager.install(what, options), "manager/decide", "manager/held");
  const wrong = first.manager.install(wants, { settings: { size: "x" } });
  await expectRejected(wrong, "manager/decide", "manager/settings");
  assert.equal(first.manager.has("adder"), false);
  await held({ settings: { size: 9 }, isEnabled: false });
  const other = await ref(guests.adds(2), { name: "other", tables: `${paths(a)}${schema}` });
  await held({ settings: { size: 1 } }, other);
  assert.deepEqual(await first.manager.settings("adder"), { size: 9 });
  const { manager } = await first.reopen();
  // Set while it waits: that is the last word.
  await manager.changeSettings("other", { size: 2 });
  await manager.enable("other");
  for (const request of await manager.held()) await manager.accept(request);
  assert.deepEqual(await manager.settings("adder"), { size: 9 });
  assert.deepEqual([manager.info("adder").isEnabled, manager.get("adder").serving], [false, undefined]);
  assert.deepEqual([await manager.settings("other"), manager.info("other").state], [{ size: 2 }, "running"]);
  // Of an update both are kept for when it takes over.
  const update = await ref(guests.adds(3), {
    name: "other",
    version: "2.0.0",
    tables: `${paths(b)}${schema}`,
  });
  const options = { settings: { size: 3 }, isEnabled: false };
  await expectRejected(manager.install(update, options), "manager/decide", "manager/held");
  assert.deepEqual([await manager.settings("other"), manager.info("other").state], [{ size: 2 }, "running"]);
  for (const request of await manager.held()) await manager.accept(request);
  assert.deepEqual([await manager.settings("other"), manager.info("other").isEnabled], [{ size: 3 }, false]);
});

test("an update that waits begins without the state, if its install said so, over a restart too", async (t) => {
  const first = await rig(t, { asker: askNobody });
  await first.manager.install(await ref(guests.sums(0)));
  const update = await ref(guests.sums(0), { version: "2.0.0", tables: paths(a) });
  await expectRejected(first.manager.install(update, { state: false }), "manager/decide", "manager/held");
  const { manager } = await first.reopen();
  const plugin = manager.get<Calls>("adder");
  assert.equal(plugin.use(run, 5), 5);
  await manager.accept(await shown(manager));
  assert.equal(plugin.use(run, 1), 1);
});

test("a first version that waits and fails when it is accepted goes on waiting, and its plugin is the same object", async (t) => {
  const { manager } = await rig(t, { asker: askNobody });
  const install = (guest: string, version: string) =>
    ref(guest, { version, tables: paths(a) }).then((bundle) => manager.install(bundle));
  const accept = async () => {
    const [request] = await manager.held();
    assert.ok(request !== undefined);
    return manager.accept(request);
  };
  await expectRejected(install(guests.trapsAtStart, "1.0.0"), "manager/decide", "manager/held");
  const plugin = manager.get<Calls>("adder");
  await expectRejected(accept(), "manager/prepare", "engine/unreachable");
  assert.equal(manager.get("adder"), plugin);
  await expectRejected(install(guests.adds(1), "1.1.0"), "manager/decide", "manager/held");
  await accept();
  assert.equal(plugin.use(run, 1), 2);
});

test("what all plugins of a world have is asked for neither at the install nor while a version waits", async (t) => {
  const worlds = testHost.worlds.map((world) => ({ ...world, compatibleGrants: [data(a)] }));
  const { manager } = await rig(t, { hosts: [{ ...testHost, worlds }], asker: askNobody });
  const install = ref(guests.adds(1), { tables: paths(a, b) }).then((one) => manager.install(one));
  await expectRejected(install, "manager/decide", "manager/held");
  const [request] = await manager.held();
  assert.deepEqual(targets(request), [b]);
  assert.ok(request !== undefined);
  await manager.accept(request);
  assert.deepEqual(manager.grants("adder"), [data(b)]);
  assert.deepEqual(manager.get("adder").serving?.grants, [data(a, b)]);
});

test("a held version that is refused is forgotten; a first one with its plugin", async (t) => {
  const { manager } = await rig(t, { asker: async () => ({ kind: "later" }) });
  const wants = await ref(guests.adds(2), { tables: paths(a) });
  await expectRejected(manager.install(wants), "manager/decide", "manager/held");
  assert.deepEqual([manager.info("adder").version, manager.info("adder").state], [undefined, "installed"]);
  const [request] = await manager.held();
  assert.ok(request !== undefined);
  await manager.refuse(request);
  assert.equal(manager.has("adder"), false);
  await expectRejected(manager.refuse(request), "manager/no-such-plugin");
});

test("a decision for what is no longer there is not carried out", async (t) => {
  let answer = () => {};
  const isAsked = Promise.withResolvers<void>();
  const slow: Asker = ({ items }) =>
    new Promise((resolve) => {
      answer = () => resolve({ kind: "given", items });
      isAsked.resolve();
    });
  const { manager } = await rig(t, { asker: slow });
  await manager.install(await ref(guests.adds(1)));
  const update = manager.install(await ref(guests.adds(2), { version: "2.0.0", tables: paths(a) }));
  const outcome = expectRejected(update, "manager/decide", "manager/changed-meanwhile");
  await isAsked.promise;
  await manager.disable("adder");
  answer();
  await outcome;
});

test("what is given or revoked later holds from the next instance on, and in the next run", async (t) => {
  const first = await rig(t);
  const plugin = await first.manager.install<Calls>(await ref(guests.sums(0)));
  plugin.use(run, 4);
  await first.manager.give("adder", data(a, b));
  assert.deepEqual(plugin.serving?.grants, [data(a, b)]);
  assert.equal(plugin.use(run, 0), 4, "and it goes on with what it had in memory");
  await first.manager.revoke("adder", data(a));
  const { manager } = await first.reopen();
  assert.deepEqual(manager.get("adder").serving?.grants, [data(b)]);
  await expectRejected(manager.give("adder", { capability: "no.such" }), "policy/unknown-capability");
});

test("installs of one plugin at the same time come one after the other, and none of them fails where nobody is asked", async (t) => {
  const { manager, events } = await rig(t, { asker: async () => assert.fail("somebody was asked") });
  const versions = ["1.0.0", "1.1.0", "1.2.0", "1.3.0"];
  const bundles = await Promise.all(versions.map((version, at) => ref(guests.adds(at), { version })));
  await Promise.all(bundles.map((one) => manager.install(one)));
  const taken = events.flatMap((event) => (event.kind === "changed" ? [event.to] : []));
  assert.deepEqual(taken.toSorted(), versions);
  assert.equal(manager.info("adder").version, taken.at(-1));
});

test("who installs while another one is asked is not given what that one is given", async (t) => {
  const answers: (() => void)[] = [];
  const slow: Asker = ({ items }) =>
    new Promise((resolve) => answers.push(() => resolve({ kind: "given", items })));
  const { manager } = await rig(t, { asker: slow });
  await manager.install(await ref(guests.adds(1)));
  const wants = manager.install(await ref(guests.adds(2), { version: "2.0.0", tables: paths(a) }));
  const outcome = expectRejected(wants, "manager/decide", "manager/changed-meanwhile");
  while (answers.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await manager.install(await ref(guests.adds(3), { version: "3.0.0" }));
  answers[0]?.();
  await outcome;
  assert.deepEqual([manager.info("adder").version, manager.grants("adder")], ["3.0.0", []]);
});

/** What waits, as somebody looks at it. */
async function shown(manager: Manager): Promise<ConsentRequest> {
  const [request] = await manager.held();
  assert.ok(request !== undefined);
  return request;
}

test("what came in the place of the version that was shown is neither accepted nor refused", async (t) => {
  const { manager, events } = await rig(t, { asker: askNobody });
  const wants = (adds: number, version = "2.0.0", tables = paths(a)) =>
    ref(guests.adds(adds), { version, tables });
  const hold = async (one: Promise<{ bytes: Uint8Array; origin: string }>) =>
    expectRejected(manager.install(await one), "manager/decide", "manager/held");
  await manager.install(await ref(guests.adds(1)));
  await hold(wants(2));
  const first = await shown(manager);
  const [told] = events.flatMap((event) => (event.kind === "held" ? [event.request] : []));
  assert.deepEqual(told, first);
  const rows = [
    ["the same version with other contents", wants(3)],
    ["another version", wants(2, "2.0.1")],
    ["one that wants more", wants(2, "2.0.0", paths(a, b))],
  ] as const;
  for (const [what, other] of rows) {
    await hold(other);
    await expectRejected(manager.accept(first), "manager/held-changed");
    await expectRejected(manager.accept(first, first.items), "manager/held-changed");
    await expectRejected(manager.refuse(first), "manager/held-changed");
    assert.deepEqual([manager.info("adder").version, manager.grants("adder")], ["1.0.0", []], what);
  }
  await hold(wants(2));
  await manager.accept(first);
  assert.equal(manager.get<Calls>("adder").use(run, 1), 3, "that very one again is what was shown");
});

test("what was shown to want less than it does by now is not accepted with more", async (t) => {
  const { manager } = await rig(t, { asker: askNobody });
  await manager.install(await ref(guests.adds(1)));
  await manager.give("adder", data(a));
  await expectRejected(
    manager.install(await ref(guests.adds(2), { version: "2.0.0", tables: paths(a, b) })),
    "manager/decide",
    "manager/held",
  );
  const before = await shown(manager);
  assert.deepEqual(targets(before), [b]);
  await manager.remove("adder");
  await expectRejected(
    manager.install(await ref(guests.adds(2), { version: "2.0.0", tables: paths(a, b) })),
    "manager/decide",
    "manager/held",
  );
  await expectRejected(manager.accept(before), "manager/held-changed");
  assert.deepEqual(targets(await shown(manager)), [a, b]);
});

test("one of two who accept at the same time is told that it was changed", async (t) => {
  const { manager } = await rig(t, { asker: askNobody });
  await manager.install(await ref(guests.adds(1)));
  const two = await ref(guests.adds(2), { version: "2.0.0", tables: paths(a) });
  await expectRejected(manager.install(two), "manager/decide", "manager/held");
  const request = await shown(manager);
  const accepted = manager.accept(request);
  await expectRejected(manager.accept(request, []), "manager/decide", "manager/changed-meanwhile");
  await accepted;
  assert.deepEqual(manager.grants("adder"), [data(a)]);
});
