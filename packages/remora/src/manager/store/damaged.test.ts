/** Bundles that somebody changed or removed in the store, and how they come back. */

import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { coreVocabulary } from "../../policy/index.ts";
import { askNobody } from "../consent/asker.ts";
import {
  type Calls,
  expectRejected,
  guests,
  type Rig,
  ref,
  rig,
  run,
  testHost,
} from "../testing/rig.test.ts";

const wants = '[[capabilities]]\ncapability = "data.read"\npaths = ["air.*"]\nwhy = "To try"\n';

const waiting = (adds: number, name: string, version = "1.0.0") =>
  ref(guests.adds(adds), { name, version, tables: wants });

async function hold({ manager }: Rig, one: ReturnType<typeof ref>): Promise<void> {
  await expectRejected(manager.install(await one), "manager/decide", "manager/held");
}

/** Does something to the bundle of a version. */
async function damage({ manager, folder }: Rig, name: string, how: "removed" | "changed"): Promise<void> {
  const { current, heldVersion } = await manager.details(name);
  const path = join(folder, "bundles", `${(heldVersion ?? current)?.sha256}.bundle`);
  if (how === "removed") rmSync(path);
  else writeFileSync(path, "something else");
}

const waits = async ({ manager }: Rig) =>
  (await manager.held()).map(({ plugin, version, items, problem }) => [
    plugin,
    version,
    problem?.code ?? items.length,
  ]);

for (const how of ["removed", "changed"] as const) {
  test(`a bundle that waits and was ${how} keeps nobody from the others that wait, and can be dropped`, async (t) => {
    const house = await rig(t, { asker: askNobody });
    const { manager } = house;
    await manager.install(await ref(guests.adds(1)));
    await hold(house, waiting(2, "adder", "2.0.0"));
    await hold(house, waiting(3, "fresh"));
    await hold(house, waiting(4, "whole"));
    const [, before] = await manager.held();
    await damage(house, "adder", how);
    await damage(house, "fresh", how);
    assert.deepEqual(await waits(house), [
      ["adder", "2.0.0", "manager/store-damaged"],
      ["fresh", "1.0.0", "manager/store-damaged"],
      ["whole", "1.0.0", 1],
    ]);
    const [adder, fresh, whole] = await manager.held();
    assert.ok(adder !== undefined && fresh !== undefined && whole !== undefined && before !== undefined);
    assert.match(adder.problem?.message ?? "", /installing the plugin again brings it back/);
    const { manifest, heldProblem, heldVersion } = await manager.details("fresh");
    assert.deepEqual(
      [manifest, heldProblem?.code, heldVersion?.version],
      [undefined, "manager/store-damaged", "1.0.0"],
    );
    await expectRejected(manager.accept(adder), "manager/fetch", "manager/store-damaged");
    // What was shown when it was whole says nothing about what is there now.
    await expectRejected(manager.refuse(before), "manager/held-changed");
    await manager.refuse(adder);
    await manager.refuse(fresh);
    assert.deepEqual([manager.info("adder").version, manager.has("fresh")], ["1.0.0", false]);
    await manager.accept(whole);
    assert.equal(manager.get<Calls>("whole").use(run, 1), 5);
  });

  test(`a bundle that waits and was ${how} is installed again, and waits as before`, async (t) => {
    const house = await rig(t, { asker: askNobody });
    await hold(house, waiting(2, "adder"));
    const before = await house.manager.held();
    await damage(house, "adder", how);
    await hold(house, waiting(2, "adder"));
    assert.deepEqual(await house.manager.held(), before);
    const [request] = before;
    assert.ok(request !== undefined);
    const plugin = await house.manager.accept(request);
    assert.equal((plugin as typeof plugin & { use(how: typeof run, value: number): number }).use(run, 1), 3);
  });

  test(`a bundle that ran and was ${how} comes back when it is installed again`, async (t) => {
    const first = await rig(t, { policy: { healthEveryMs: 0 } });
    await first.manager.install(await ref(guests.adds(1)));
    await damage(first, "adder", how);
    const { manager } = await first.reopen();
    assert.equal(manager.info("adder").failure?.code, "manager/store-damaged");
    await manager.install(await ref(guests.adds(1)));
    assert.equal(manager.get<Calls>("adder").use(run, 1), 2);
    await manager.close();
    const last = await rig(t, { folder: first.folder });
    assert.equal(last.manager.get<Calls>("adder").use(run, 1), 2, "and from the disk");
  });
}

test("a version whose host is not here any more is listed with that, and waits on", async (t) => {
  const vocabulary = new Map(coreVocabulary);
  const house = await rig(t, { asker: askNobody, hosts: [{ ...testHost, vocabulary }] });
  await hold(house, waiting(2, "adder"));
  await house.manager.close();
  const without = new Map([...coreVocabulary].filter(([name]) => name !== "data.read"));
  const hosts = [{ ...testHost, name: "other", vocabulary: without }];
  const { manager, reopen } = await rig(t, { folder: house.folder, hosts });
  assert.deepEqual(
    (await manager.held()).map(({ plugin, problem }) => [plugin, problem?.code]),
    [["adder", "bundle/manifest"]],
  );
  const last = await reopen({ hosts: [testHost] });
  assert.deepEqual(await waits(last), [["adder", "1.0.0", 1]]);
});
