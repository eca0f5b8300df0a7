/** Resources that a guest implements, at every level: objects here, and what they stand for over there. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultInstanceLimits } from "../../component/link/instance-limits.ts";
import { counterGuest } from "../../component/testing/guests.test.ts";
import { componentFromWit } from "../../component/testing/harness.test.ts";
import { openArtifact } from "../artifact.ts";
import { defaultLimits, type Limits } from "../limits.ts";
import { openIsolation } from "./open.ts";

/** Methods give their result inline, and a promise of it elsewhere: whoever awaits it need not know. */
interface Counter extends Disposable {
  increment(by: number): number | Promise<number>;
}

const bytes = await counterGuest();

/** Makes as many objects as it is asked for, whose destructor traps. */
const trapping = await componentFromWit({
  wit: `package test:traps@1.0.0;
    interface things { resource thing {} make: func() -> thing; }
    world w { export things; }`,
  world: "w",
  wat: `(module
    (import "[export]test:traps/things@1.0.0" "[resource-new]thing" (func $new (param i32) (result i32)))
    (func (export "test:traps/things@1.0.0#make") (result i32) (call $new (i32.const 1)))
    (func (export "test:traps/things@1.0.0#[dtor]thing") (param i32) unreachable))`,
});

for (const level of ["inline", "worker", "process"] as const) {
  const isolation = openIsolation(level);
  test.after(() => isolation.close());

  const open = async (limits: Partial<Limits> = {}) => {
    const artifact = openArtifact(bytes, { plugin: "counters" });
    const guest = await isolation.instantiate(artifact, {
      imports: {},
      limits: { ...defaultLimits, ...limits },
    });
    const call = async (name: string | readonly string[], ...args: unknown[]) =>
      (await guest.call(["counters", ...(typeof name === "string" ? [name] : name)], args)).result;
    const make = async (start: number) => (await call(["Counter", "constructor"], start)) as Counter;
    return { guest, call, make };
  };

  test(`${level}: an object of the guest's is made, asked by its methods and by path, and let go of`, async () => {
    const { guest, call, make } = await open();
    const counter = await make(5);
    assert.equal(await counter.increment(2), 7);
    assert.equal(await call(["Counter", "increment"], counter, 3), 10);
    assert.equal(await call("live"), 1);
    counter[Symbol.dispose]();
    counter[Symbol.dispose]();
    assert.equal(await call("live"), 0);
    guest.close();
  });

  test(`${level}: what is handed over is no longer the host's, what is lent still is`, async () => {
    const { guest, call, make } = await open();
    const given = await make(1);
    const lent = await make(10);
    const merged = (await call(["Counter", "merge"], given, lent)) as Counter;
    assert.equal(await merged.increment(0), 11);
    assert.equal(await lent.increment(0), 10);
    await assert.rejects(call("take", given), { code: "component/type-mismatch" });
    await assert.rejects(async () => given.increment(1), { code: "component/type-mismatch" });
    assert.equal(await call("live"), 2);
    await call("take", merged);
    assert.equal(await call("live"), 1);
    guest.close();
  });

  test(`${level}: an object of another instance, of another plugin, or of nobody is refused`, async () => {
    const { guest, call } = await open();
    const other = await open();
    const foreign = await other.make(1);
    for (const wrong of [foreign, {}, null, 1]) {
      await assert.rejects(call("take", wrong), { code: "component/type-mismatch" });
    }
    assert.equal(await foreign.increment(1), 2);
    guest.close();
    other.guest.close();
  });

  test(`${level}: a batch that does not fit in the middle takes no object that it does not hand over`, async () => {
    const { guest, call, make } = await open();
    const [first, last] = [await make(1), await make(2)];
    const { results, failure } = await guest.callBatch(["counters", "take"], [[first], ["nothing"], [last]]);
    assert.equal(results.length, 1);
    assert.equal(failure?.index, 1);
    assert.equal(await call("live"), 1);
    assert.equal(await last.increment(1), 3);
    guest.close();
  });

  test(`${level}: objects of a guest that is gone are let go of without a failure`, async () => {
    const { guest, make } = await open();
    const counter = await make(1);
    guest.close();
    counter[Symbol.dispose]();
    await assert.rejects(async () => counter.increment(1));
  });

  test(`${level}: a name that a class merely inherits is no function of it`, async () => {
    const { guest, call } = await open();
    for (const name of ["toString", "prototype", "bind", "name", "nothing"]) {
      await assert.rejects(call(["Counter", name]), { code: "component/no-such-export" });
    }
    await assert.rejects(call("Counter", 1), { code: "component/no-such-export" });
    guest.close();
  });

  test(`${level}: a destructor that traps ends its instance`, async () => {
    const artifact = openArtifact(trapping, { plugin: "traps" });
    const guest = await isolation.instantiate(artifact, { imports: {}, limits: defaultLimits });
    const { result } = await guest.call(["things", "make"], []);
    const letGo = async () => (result as Disposable)[Symbol.dispose]();
    // Inline whoever lets go is told; elsewhere it is done when that call has long returned.
    if (level === "inline") await assert.rejects(letGo, { code: "engine/unreachable" });
    else await letGo();
    await assert.rejects(guest.call(["things", "make"], []), { code: "engine/poisoned" });
    assert.ok(guest.isPoisoned);
    guest.close();
  });
}

for (const level of ["worker", "process"] as const) {
  test(`${level}: a guest makes the host's side hold no more of its objects than an instance may have`, async () => {
    await using isolation = openIsolation(level);
    const artifact = openArtifact(trapping, { plugin: "traps" });
    const guest = await isolation.instantiate(artifact, { imports: {}, limits: defaultLimits });
    const batch = new Array(10_000).fill([]);
    let count = 0;
    for (;;) {
      const { results, failure } = await guest.callBatch(["things", "make"], batch);
      count += results.length;
      if (failure === undefined) continue;
      assert.equal((failure.error as { code?: string }).code, "component/trap");
      break;
    }
    assert.ok(count <= defaultInstanceLimits.handlesMax);
    guest.close();
  });
}
