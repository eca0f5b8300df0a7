/** What somebody reads when a change of a plugin fails: what was to be done, why not, and who has to act. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { isRemoraError, type RemoraError } from "../base/index.ts";
import { openBundle } from "../bundle/index.ts";
import type { Asker, Consent } from "./consent/asker.ts";
import { managerErrors } from "./errors.ts";
import type { Offered } from "./install/source.ts";
import { failingFiles } from "./testing/failing-files.ts";
import { guests, ref, rig, testHost } from "./testing/rig.test.ts";

const hosts = [{ ...testHost, worlds: testHost.worlds.map((world) => ({ ...world, takesSettings: true })) }];
const tables = `[settings]
type = "object"
[settings.properties.key]
type = "string"
writeOnly = true
`;
const wants = '[[capabilities]]\ncapability = "data.read"\npaths = ["air.*"]\nwhy = "To know the weather"\n';
const settings = { key: { secret: "API-KEY" } };

async function failureOf(promise: Promise<unknown>): Promise<RemoraError> {
  const error = await promise.then(
    () => assert.fail("it was done"),
    (reason: unknown) => reason,
  );
  assert.ok(isRemoraError(error), String(error));
  return error;
}

test("a step that fails by the operator's fault is the operator's, and one by the guest's the guest's", async (t) => {
  const { manager } = await rig(t, { hosts });
  const secret = await failureOf(manager.install(await ref(guests.adds(1), { tables }), { settings }));
  assert.deepEqual([secret.code, secret.fault], ["manager/prepare", "operator"]);
  assert.match(
    secret.message,
    /^Cannot install adder: step 7 \(prepare\) failed: manager\/no-secret: .*"API-KEY"/,
  );
  const trap = await failureOf(manager.install(await ref(guests.trapsAtStart)));
  assert.deepEqual([trap.code, trap.fault], ["manager/prepare", "guest"]);
  const other = await failureOf(
    manager.install(await ref('(import "env" "nothing" (func)) (func (export "run"))')),
  );
  assert.deepEqual([other.code, other.fault], ["manager/inspect", "operator"]);
});

test("each change that fails says what it was", async (t) => {
  const files = failingFiles();
  const { manager } = await rig(t, { hosts, files });
  const says = async (promise: Promise<unknown>, begin: string) => {
    const { message } = await failureOf(promise);
    assert.ok(message.startsWith(`${begin} adder: step `), message);
  };
  await manager.install(await ref(guests.adds(1), { tables }));
  await says(manager.changeSettings("adder", settings), "Cannot change the settings of");
  // That there is nothing to update to is no step that fails.
  assert.equal((await failureOf(manager.update("adder", "*"))).code, "manager/no-source");
  await says(manager.install(await ref(guests.trapsAtStart, { version: "2.0.0", tables })), "Cannot update");
  await manager.install(await ref(guests.adds(2), { version: "3.0.0", tables }));
  files.failFrom(0, "ENOSPC");
  await says(manager.rollback("adder"), "Cannot roll back");
  files.failFrom(Number.POSITIVE_INFINITY, "ENOSPC");
});

test("an update that is refused says that it was one, and so does one that waits", async (t) => {
  const versions = await Promise.all(
    ["1.0.0", "1.1.0"].map(async (version) => {
      const { bytes } = await ref(guests.adds(1), version === "1.0.0" ? {} : { version, tables: wants });
      return { offer: { name: "adder", version, digest: openBundle(bytes).digest }, bytes };
    }),
  );
  const source = {
    name: "a test",
    versions: async () => versions.map(({ offer }) => offer),
    fetch: async function* ({ version }: Offered) {
      yield versions.find(({ offer }) => offer.version === version)?.bytes ?? new Uint8Array(0);
    },
  };
  const answers: Consent[] = [{ kind: "later" }, { kind: "refused", by: "Bob" }];
  const asker: Asker = async () => answers.shift() ?? assert.fail("it was asked twice");
  const { manager } = await rig(t, { sources: [source], asker });
  await manager.install("adder@1.0.0");
  for (const reason of [
    "manager/held: Cannot run adder 1.1.0 yet: it waits for consent to data.read air.*",
    "manager/refused: Cannot take adder 1.1.0: Bob refused it",
  ]) {
    const { message } = await failureOf(manager.update("adder"));
    assert.equal(message, `Cannot update adder: step 5 (decide) failed: ${reason}`);
  }
});

test("what the operating system said is told in words, with its name", () => {
  const { message } = managerErrors.folder({ doing: "write", path: "/plugins/a", reason: "ENOSPC" });
  assert.equal(message, 'Cannot write "/plugins/a": ENOSPC, the disk is full');
  assert.equal(
    managerErrors.folder({ doing: "write into", path: "/plugins", reason: "EACCES" }).message,
    'Cannot write into "/plugins": EACCES, the user of this program may not; give it the right, or name another path',
  );
});

test("what is not there is told with what is: a near name, or a few, or where it was looked for", () => {
  const noPlugin = (near: readonly string[], here: readonly string[]) =>
    managerErrors["no-such-plugin"]({ name: "geo", near, here }).message;
  assert.equal(noPlugin(["geos"], ["geos"]), 'Cannot find the plugin "geo"; did you mean "geos"?');
  assert.equal(noPlugin([], ["adder"]), 'Cannot find the plugin "geo"; here is adder');
  const many = Array.from({ length: 7 }, (_, at) => `p${at}`);
  assert.equal(noPlugin([], many), 'Cannot find the plugin "geo"; here are p0, p1, p2, p3, p4 and 2 more');
  assert.equal(noPlugin([], []), 'Cannot find the plugin "geo"');
  const noSource = managerErrors["no-source"]({ name: "geo", range: "^1", asked: [] }).message;
  assert.match(noSource, /^Cannot find geo \^1: .*name a bundle by its path$/);
});

test("of a host that is there in another version, no other name is meant", async (t) => {
  const { manager } = await rig(t, { hosts: [{ ...testHost, version: "2.0.0" }] });
  const { message } = await failureOf(manager.install(await ref(guests.adds(1))));
  assert.match(message, /manager\/no-host: .*2\.0\.0/);
  assert.doesNotMatch(message, /did you mean/);
});
