import assert from "node:assert/strict";
import { test } from "node:test";
import { expectRejected, guests, ref, rig } from "../testing/rig.test.ts";
import { readTrail, verifyTrailFolder } from "./read-trail.ts";

test("what becomes of a plugin is in the trail of its manager, and verifies over a reopening", async (t) => {
  const first = await rig(t);
  await first.manager.install(await ref(guests.adds(1)));
  await first.manager.install(await ref(guests.adds(2), { version: "1.1.0" }));
  await first.manager.rollback("adder");
  await first.manager.disable("adder");
  const { manager } = await first.reopen();
  await manager.remove("adder");
  const folder = manager.trail?.folder ?? "";
  assert.deepEqual(
    (await readTrail(folder, { recordsMax: 20 }))
      .map(({ event }) => [event.kind, event.operation ?? "", event.to ?? ""].join(" ").trim())
      .reverse(),
    [
      "plugin.changed install 1.0.0",
      "plugin.changed update 1.1.0",
      "plugin.changed rollback 1.0.0",
      "plugin.disabled",
      "plugin.changed remove",
    ],
  );
  assert.equal((await verifyTrailFolder(folder)).kind, "intact");
});

test("the trail says where each version came from, in one printable text that is no longer than a line", async (t) => {
  const { manager } = await rig(t, { policy: { trust: "unsigned", versionsKept: 5 } });
  const { bytes } = await ref(guests.adds(1));
  await manager.install({ bytes, origin: "/home/ada/adder\u001b[2J\u202e.bundle" });
  await manager.install({
    ...(await ref(guests.adds(2), { version: "1.1.0" })),
    origin: "x".repeat(100_000),
  });
  await manager.rollback("adder");
  const origins = (await readTrail(manager.trail?.folder ?? "", { recordsMax: 20 }))
    .map(({ event }) => String(event.origin))
    .reverse();
  const shown = "/home/ada/adder\\u{1b}[2J\\u{202e}.bundle";
  assert.deepEqual(origins, [shown, `${"x".repeat(1_000)}…`, shown]);
  assert.equal(manager.versions("adder").previous[0]?.origin.length, 4_096);
});

test("what a publisher wants and is given is in the trail, all of it, in as many lines as it takes", async (t) => {
  const { manager, events } = await rig(t, { asker: async () => ({ kind: "later" }) });
  // Each of these characters is nine when it was made harmless, and twenty such targets fit in no line.
  const paths = Array.from({ length: 21 }, (_, n) => `a${n}.${"\u202e".repeat(190)}`);
  const targets = paths.map((path) => `"${path}"`).join(", ");
  const tables = `[[capabilities]]\ncapability = "data.read"\npaths = [${targets}]\nwhy = "x"\n`;
  const installing = manager.install(await ref(guests.adds(1), { tables }));
  await expectRejected(installing, "manager/decide", "manager/held");
  const [held] = await manager.held();
  assert.ok(held !== undefined);
  await manager.accept(held);
  const lines = (await readTrail(manager.trail?.folder ?? "", { recordsMax: 20 }))
    .map(({ event }) => event)
    .reverse();
  assert.deepEqual(
    lines.map(({ kind, part, parts }) => [kind, part, parts]),
    [
      ["plugin.held", 1, 3],
      ["plugin.held", 2, 3],
      ["plugin.held", 3, 3],
      ["plugin.changed", undefined, undefined],
      ["plugin.granted", 1, 3],
      ["plugin.granted", 2, 3],
      ["plugin.granted", 3, 3],
    ],
  );
  const shown = paths.map((path) => `data.read ${path.replaceAll("\u202e", "\\u{202e}")}`).sort();
  const listed = (field: string) =>
    lines.flatMap((line) => (line[field] as string[] | undefined) ?? []).sort();
  assert.deepEqual(listed("items"), shown);
  assert.deepEqual(listed("grants"), shown);
  const [{ plugin, version, digest, origin } = assert.fail("nothing was written")] = lines;
  assert.deepEqual([plugin, version, digest, origin], ["adder", "1.0.0", held.digest, "a test"]);
  assert.ok(!events.some(({ kind }) => kind === "trouble"));
});

test("a held version that waits no more is in the trail: refused, or superseded by the one that runs", async (t) => {
  const { manager, events } = await rig(t, { asker: async () => ({ kind: "later" }) });
  const tables = '[[capabilities]]\ncapability = "data.read"\npaths = ["air.*"]\nwhy = "x"';
  const hold = async (version: string) =>
    expectRejected(
      manager.install(await ref(guests.adds(2), { version, tables })),
      "manager/decide",
      "manager/held",
    );
  const refuse = async () => manager.refuse((await manager.held())[0] ?? assert.fail("nothing waits"));
  await hold("1.0.0");
  await refuse();
  const first = await ref(guests.adds(1));
  await manager.install(first);
  await hold("2.0.0");
  await refuse();
  await hold("3.0.0");
  await manager.install(first);
  const told = events.flatMap((event) =>
    event.kind === "refused" || event.kind === "superseded" ? [`${event.kind} ${event.version}`] : [],
  );
  assert.deepEqual(told, ["refused 1.0.0", "refused 2.0.0", "superseded 3.0.0"]);
  assert.deepEqual(
    (await readTrail(manager.trail?.folder ?? "", { recordsMax: 20 }))
      .filter(({ event }) => event.kind !== "plugin.held")
      .map(({ event }) => [event.kind, event.version ?? event.operation, event.origin ?? ""].join(" ").trim())
      .reverse(),
    [
      "plugin.refused 1.0.0 a test",
      "plugin.changed remove",
      "plugin.changed install a test",
      "plugin.refused 2.0.0 a test",
      "plugin.superseded 3.0.0 a test",
    ],
  );
});

test("a manager with an audit of its embedding's own keeps no trail", async (t) => {
  const { manager } = await rig(t, { audit: { write: () => {} } });
  assert.equal(manager.trail, undefined);
});
