import assert from "node:assert/strict";
import { test } from "node:test";
import { guests, ref, rig } from "../testing/rig.test.ts";
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

test("a manager with an audit of its embedding's own keeps no trail", async (t) => {
  const { manager } = await rig(t, { audit: { write: () => {} } });
  assert.equal(manager.trail, undefined);
});
