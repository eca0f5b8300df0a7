import assert from "node:assert/strict";
import { test } from "node:test";
import { Pool } from "./pool.ts";

class FakeInstance {
  isPoisoned = false;
  isClosed = false;
  close() {
    this.isClosed = true;
  }
}

function fakePool(sizes: { instancesMax: number; idleMax: number }) {
  return new Pool<FakeInstance>({ create: () => new FakeInstance(), ...sizes });
}

test("an instance that came back unharmed is leased again", () => {
  const pool = fakePool({ instancesMax: 2, idleMax: 2 });
  const first = pool.lease();
  pool.giveBack(first);
  assert.equal(pool.lease(), first);
  assert.deepEqual(pool.counts, { leased: 1, idle: 0, created: 1 });
});

test("a poisoned instance is closed and never leased again", () => {
  const pool = fakePool({ instancesMax: 1, idleMax: 1 });
  const poisoned = pool.lease();
  poisoned.isPoisoned = true;
  pool.giveBack(poisoned);
  assert.ok(poisoned.isClosed);
  assert.notEqual(pool.lease(), poisoned);
});

test("a lease during a lease gets an instance of its own, up to the maximum", () => {
  const pool = fakePool({ instancesMax: 2, idleMax: 1 });
  const outer = pool.lease();
  const inner = pool.lease();
  assert.notEqual(inner, outer);
  assert.throws(() => pool.lease(), { code: "engine/pool-exhausted" });
  pool.giveBack(inner);
  pool.giveBack(outer);
  assert.ok(outer.isClosed, "one idle instance is kept, the other closed");
});

test("a closed pool closes what it has and what comes back, and leases nothing", () => {
  const pool = fakePool({ instancesMax: 2, idleMax: 2 });
  const leased = pool.lease();
  const idle = pool.lease();
  pool.giveBack(idle);
  pool.close();
  assert.ok(idle.isClosed);
  pool.giveBack(leased);
  assert.ok(leased.isClosed);
  assert.throws(() => pool.lease(), { code: "engine/closed" });
});

test("a failing create takes no place", () => {
  let attempts = 0;
  const pool = new Pool<FakeInstance>({
    create: () => {
      if (attempts++ === 0) throw new Error("no memory");
      return new FakeInstance();
    },
    instancesMax: 1,
    idleMax: 1,
  });
  assert.throws(() => pool.lease(), /no memory/);
  assert.deepEqual(pool.counts, { leased: 0, idle: 0, created: 0 });
  pool.giveBack(pool.lease());
});

test("who may stand in line is bounded", async () => {
  const pool = new Pool<FakeInstance>({
    create: () => new FakeInstance(),
    instancesMax: 1,
    idleMax: 1,
    queueMax: 1,
  });
  const first = pool.lease();
  const second = pool.leaseWhenFree();
  await assert.rejects(pool.leaseWhenFree(), { code: "engine/pool-exhausted" });
  pool.giveBack(first);
  assert.equal(await second, first);
});

test("who leaves the line is passed over, and who was served before stays served", async () => {
  const pool = new Pool<FakeInstance>({ create: () => new FakeInstance(), instancesMax: 1, idleMax: 1 });
  const first = pool.lease();
  const leaving = new AbortController();
  const second = pool.leaseWhenFree(leaving.signal);
  const third = pool.leaseWhenFree(AbortSignal.any([]));
  leaving.abort("enough");
  await assert.rejects(second, { code: "component/cancelled", cause: "enough" });
  pool.giveBack(first);
  assert.equal(await third, first);
  await assert.rejects(pool.leaseWhenFree(AbortSignal.abort()), { code: "component/cancelled" });
});

test("an instance that cannot be made fails the call that it was for, and no other", async () => {
  let made = 0;
  const create = () => {
    if (++made === 2) throw new Error("cannot start");
    return new FakeInstance();
  };
  const pool = new Pool<FakeInstance>({ create, instancesMax: 1, idleMax: 1 });
  const first = pool.lease();
  const second = pool.leaseWhenFree();
  const third = pool.leaseWhenFree();
  first.isPoisoned = true;
  pool.giveBack(first);
  await assert.rejects(second, { message: "cannot start" });
  assert.ok((await third) instanceof FakeInstance);
});
