/** What holds at every level: the same calls, the same results, the same codes. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { asyncHostFunction, ComponentError } from "../../component/index.ts";
import { type GuestAccess, openArtifact } from "../artifact.ts";
import { engineErrors } from "../errors.ts";
import { readsGuestMemory } from "../guest-memory.ts";
import { defaultLimits, type Limits } from "../limits.ts";
import type { IsolatedInstance } from "./isolation.ts";
import { openIsolation } from "./open.ts";
import { componentArtifact, moduleArtifact } from "./testing/guests.test.ts";

const levels = ["inline", "worker", "process"] as const;

class Thing {
  static disposed: string[] = [];
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
  size() {
    return this.name.length;
  }
  [Symbol.dispose]() {
    Thing.disposed.push(this.name);
  }
}

for (const level of levels) {
  const isolation = openIsolation(level);
  test.after(() => isolation.close());

  interface ModuleOptions extends Partial<Limits> {
    readonly note?: (value: number, guest: GuestAccess) => unknown;
  }

  const openModule = ({ note = (value) => value + 1, ...limits }: ModuleOptions = {}) =>
    isolation.instantiate(moduleArtifact(), {
      limits: { ...defaultLimits, ...limits },
      imports: (guest) => ({
        env: {
          note: readsGuestMemory((value: number) => note(value, guest), []),
          shout: readsGuestMemory(
            (at: number, length: number) => {
              const bytes = guest.memory.view();
              for (let index = at; index < at + length; index++) bytes[index] = (bytes[index] ?? 0) - 32;
              guest.memory.wrote?.(at, length);
            },
            [{ pointer: 0, count: 1 }],
          ),
        },
      }),
    });

  const openComponent = (ask: (text: string) => unknown = (text) => text.toUpperCase(), limits = {}) =>
    isolation.instantiate(componentArtifact(), {
      limits: { ...defaultLimits, ...limits },
      imports: {
        "test:level/host": { ask: asyncHostFunction(ask), Thing, open: (name: string) => new Thing(name) },
      },
    });

  const call = async (guest: IsolatedInstance, name: string, ...args: unknown[]) =>
    (await guest.call(["guest", name], args)).result;

  test(`${level}: a call gives its result and what it cost`, async () => {
    const guest = await openModule();
    const { result, report } = await guest.call("add", [2, 3]);
    assert.equal(result, 5);
    assert.deepEqual({ ...report, durationMs: 0 }, { fuelUsed: 4, memoryPages: 1, durationMs: 0 });
    assert.ok(report.durationMs > 0);
    assert.equal((await guest.call("wide", [2n ** 40n])).result, 2n ** 40n);
    assert.equal((await guest.call("half", [5])).result, 2.5);
    assert.deepEqual((await guest.call("pair", [-7])).result, [-7, -7n]);
    guest.close();
  });

  test(`${level}: typed values go in and come out, by short and by full name`, async () => {
    const guest = await openComponent();
    assert.equal(await call(guest, "ask", "hello ☃"), "HELLO ☃");
    assert.equal((await guest.call(["test:level/guest", "ask"], ["x"])).result, "X");
    const bytes = Uint8Array.from({ length: 300_000 }, (_, index) => index);
    assert.deepEqual(await call(guest, "echo", bytes), bytes);
    guest.close();
  });

  test(`${level}: what is no export, and an argument that does not fit, leave the instance usable`, async () => {
    const guest = await openComponent();
    await assert.rejects(call(guest, "asc", "x"), { code: "component/no-such-export" });
    await assert.rejects(call(guest, "ask", 5), {
      code: "component/type-mismatch",
      details: { path: "text", expected: "string", found: "5" },
    });
    assert.equal(await call(guest, "ask", "x"), "X");
    const module = await openModule();
    await assert.rejects(module.call("sub", []), { code: "component/no-such-export" });
    await assert.rejects(module.call("wide", [5]), TypeError);
    await assert.rejects(module.call("add", [1n, 1]), TypeError);
    assert.equal((await module.call("add", [2, 3])).result, 5);
    guest.close();
    module.close();
  });

  test(`${level}: pieces of a core module's memory are read and written between calls`, async () => {
    const guest = await openModule();
    const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);
    const early = await guest.readMemory(100, 5);
    assert.equal(text(early), "hello");
    assert.ok(await guest.writeMemory(101, new TextEncoder().encode("u")));
    assert.equal((await guest.call("peek", [101])).result, 0x6f6c6c75);
    await guest.call("shout", []);
    assert.equal(text(await guest.readMemory(100, 5)), "HULLO");
    assert.equal(text(early), "hello", "what was read is a copy");
    assert.deepEqual(await guest.readMemory(65_536, 0), new Uint8Array(0));
    for (const [at, length] of [
      [65_533, 4],
      [-1, 4],
      [0.5, 4],
      [2 ** 53, 4],
      [0, 2 ** 40],
      [0, -1],
    ] as const) {
      assert.equal(await guest.readMemory(at, length), undefined, `${length} at ${at}`);
    }
    assert.equal(await guest.writeMemory(65_535, Uint8Array.of(1, 2)), false);
    assert.equal((await guest.readMemory(65_535, 1))?.[0], 0, "nothing of it was written");
    await assert.rejects(guest.call("trap", []), { code: "engine/unreachable" });
    await assert.rejects(guest.readMemory(100, 5), { code: "engine/poisoned" });
    guest.close();
    await assert.rejects(guest.writeMemory(100, Uint8Array.of(1)), { code: "engine/closed" });
  });

  test(`${level}: a component shows no memory, and its functions are there by name`, async () => {
    const guest = await openComponent();
    assert.equal(await guest.readMemory(0, 1), undefined);
    assert.equal(await guest.writeMemory(0, Uint8Array.of(1)), false);
    assert.deepEqual(
      [["guest", "ask"], ["test:level/guest", "ask"], ["guest", "asc"], "ask", ["guest"]].map((path) =>
        guest.has(path),
      ),
      [true, true, false, false, false],
    );
    guest.close();
  });

  test(`${level}: a function of the host's that is exported again is the host's own, with any name and type`, async () => {
    const bytes = await parse(`(component
      (import "again" (func $again (param "of" u32) (result u32)))
      (import "fails" (func $fails))
      (core module $m (func (export "own") (result f64) (f64.const 1.5)))
      (core instance $i (instantiate $m))
      (func (export "own") (result f64) (canon lift (core func $i "own")))
      (export "more" (func $again))
      (export "less" (func $fails)))`);
    const guest = await isolation.instantiate(openArtifact(bytes), {
      imports: {
        again: async (of: number) => of + 1,
        fails: () => {
          throw new ComponentError("no");
        },
      },
      limits: defaultLimits,
    });
    assert.equal((await guest.call("more", [5])).result, 6);
    assert.deepEqual((await guest.callBatch("more", [[1], [2]])).results, [2, 3]);
    await assert.rejects(guest.call("less", []), ComponentError);
    assert.equal((await guest.call("own", [])).result, 1.5);
    guest.close();
  });

  test(`${level}: a batch gives results up to its first failure`, async () => {
    const guest = await openModule();
    const outcome = await guest.callBatch("note", [[1], [2], [3]]);
    assert.deepEqual(outcome.results, [2, 3, 4]);
    assert.equal(outcome.failure, undefined);
    const failed = await guest.callBatch("wide", [[1n], [2]]);
    assert.deepEqual(failed.results, [1n]);
    assert.equal(failed.failure?.index, 1);
    assert.ok(failed.failure?.error instanceof TypeError);
    const trapped = await guest.callBatch("peek", [[100], [-1], [100]]);
    assert.equal(trapped.results.length, 1);
    assert.equal((trapped.failure?.error as { code?: string } | undefined)?.code, "engine/memory");
    assert.ok(guest.isPoisoned);
    guest.close();
  });

  test(`${level}: an err of the world is thrown by a call, and a value in a batch`, async () => {
    const guest = await openComponent((text) => {
      if (text === "no") throw new ComponentError("refused");
      return text;
    });
    await assert.rejects(call(guest, "ask", "no"), (error) => {
      assert.ok(error instanceof ComponentError);
      return error.payload === "refused";
    });
    const { results, failure } = await guest.callBatch(["guest", "ask"], [["a"], ["no"], ["b"]]);
    assert.equal(failure, undefined);
    assert.ok(results[1] instanceof ComponentError);
    assert.deepEqual([results[0], results[2]], ["a", "b"]);
    guest.close();
  });

  test(`${level}: each limit ends a call by its code, and poisons the instance`, async () => {
    for (const [name, limits, code] of [
      ["spin", { fuelMax: 10_000 }, "engine/out-of-fuel"],
      ["spin", { deadlineMs: 5, fuelMax: Infinity }, "engine/deadline"],
      ["recurse", { stackSlotsMax: 1_000 }, "engine/stack"],
      ["trap", {}, "engine/unreachable"],
    ] as const) {
      const guest = await openModule(limits);
      await assert.rejects(guest.call(name, []), { code, fault: "guest" });
      assert.ok(guest.isPoisoned);
      assert.ok(guest.report.fuelUsed > 0);
      await assert.rejects(guest.call("add", [1, 1]), { code: "engine/poisoned" });
      guest.close();
    }
  });

  test(`${level}: a budget of its own holds for one call`, async () => {
    const guest = await openModule();
    assert.equal((await guest.call("add", [1, 1], { fuelMax: 4 })).result, 2);
    await assert.rejects(guest.call("add", [1, 1], { fuelMax: -1 }), RangeError);
    await assert.rejects(guest.call("add", [1, 1], { fuelMax: 3 }), { code: "engine/out-of-fuel" });
    guest.close();
  });

  test(`${level}: memory grows to the limit and not beyond it`, async () => {
    const guest = await openModule({ memoryPagesMax: 3 });
    assert.equal((await guest.call("grow", [2])).result, 1);
    assert.equal((await guest.call("grow", [1])).result, -1);
    assert.equal(guest.report.memoryPages, 3);
    guest.close();
  });

  test(`${level}: a trap names its place in the module that the publisher built`, async () => {
    const guest = await openModule();
    await assert.rejects(guest.call("trap", []), (error: { details?: { place?: unknown } }) => {
      assert.deepEqual(error.details?.place, { functionIndex: 13, offset: 315 });
      return true;
    });
    guest.close();
  });

  test(`${level}: a host function reads and writes the pieces of memory that it names`, async () => {
    const guest = await openModule();
    assert.equal((await guest.call("shout", [])).result, "H".charCodeAt(0));
    assert.equal((await guest.call("peek", [101])).result, 0x4f_4c_4c_45);
    guest.close();
  });

  test(`${level}: a host function that names nothing has the whole of a small memory`, async () => {
    const open = (pages: number) =>
      isolation.instantiate(moduleArtifact(), {
        limits: defaultLimits,
        imports: ({ memory }) => ({
          env: { note: (at: number) => memory.view().fill(7, at, at + 4) && pages, shout: () => {} },
        }),
      });
    const guest = await open(1);
    assert.equal((await guest.call("note", [60_000])).result, 1);
    assert.equal((await guest.call("peek", [60_000])).result, 0x07_07_07_07);
    await guest.call("grow", [16]);
    const large = guest.call("note", [0]);
    if (level === "inline") assert.equal((await large).result, 1);
    else await assert.rejects(large, { code: "engine/not-isolatable" });
    guest.close();
  });

  test(`${level}: what a host function throws ends the call, and is the very error`, async () => {
    const denied = engineErrors.closed({ what: "the shop" });
    for (const [thrown, code] of [
      [denied, "engine/closed"],
      [new Error("no"), "component/host-failed"],
    ] as const) {
      const guest = await openComponent(() => {
        throw thrown;
      });
      await assert.rejects(call(guest, "ask", "x"), (error: Error & { code?: string }) => {
        assert.equal(error.code, code);
        assert.equal(code === "engine/closed" ? error : error.cause, thrown);
        return true;
      });
      assert.ok(guest.isPoisoned);
      guest.close();
    }
  });

  test(`${level}: a guest cannot catch that a host function aborted it`, async () => {
    const reason = engineErrors.closed({ what: "the shop" });
    const guest = await openModule({ note: (_, { abort }) => abort(reason) });
    await assert.rejects(guest.call("note", [1]), (error) => error === reason);
    assert.ok(guest.isPoisoned);
    guest.close();
  });

  test(`${level}: a host function's result that does not fit fails the call`, async () => {
    const guest = await openComponent(() => 5);
    await assert.rejects(call(guest, "ask", "x"), { code: "component/host-result" });
    guest.close();
  });

  test(`${level}: a guest waits for what the host promises, while the host's loop goes on`, async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const guest = await openComponent(() => promise);
    const running = call(guest, "ask", "x");
    await new Promise((turn) => setImmediate(turn));
    resolve("later");
    assert.equal(await running, "later");
    guest.close();
  });

  test(`${level}: what the host promises several guests at once comes to each as it is for it`, async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const guests = await Promise.all(
      Array.from({ length: 3 }, (_, index) =>
        openComponent(async (text) => {
          await promise;
          return `${text} ${"x".repeat(40 * index)}`;
        }),
      ),
    );
    const calls = guests.map((guest, index) => call(guest, "ask", `guest ${index}`));
    await new Promise((turn) => setImmediate(turn));
    resolve();
    assert.deepEqual(
      await Promise.all(calls),
      guests.map((_, index) => `guest ${index} ${"x".repeat(40 * index)}`),
    );
    for (const guest of guests) guest.close();
  });

  test(`${level}: a promise that is not kept ends at the deadline`, async () => {
    const guest = await openComponent(() => new Promise(() => {}), { deadlineMs: 20 });
    await assert.rejects(call(guest, "ask", "x"), { code: "engine/deadline", fault: "guest" });
    assert.ok(guest.isPoisoned);
    guest.close();
  });

  test(`${level}: an instance whose guest waits for the host takes no other call`, async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const asked = Promise.withResolvers<void>();
    const guest = await openComponent(() => {
      asked.resolve();
      return promise;
    });
    const running = call(guest, "ask", "x");
    await asked.promise;
    await assert.rejects(call(guest, "echo", new Uint8Array(1)), { code: "engine/re-entered" });
    resolve("y");
    assert.equal(await running, "y");
    assert.equal(guest.isPoisoned, false);
    guest.close();
  });

  test(`${level}: resources of the host are handles over there, and are disposed of when dropped`, async () => {
    const guest = await openComponent();
    Thing.disposed = [];
    assert.equal(await call(guest, "use", "four"), 4);
    assert.deepEqual(Thing.disposed, ["four"]);
    assert.equal(await call(guest, "lent", new Thing("seven"[0] ?? "")), 1);
    assert.deepEqual(Thing.disposed, ["four"]);
    await assert.rejects(call(guest, "lent", { size: 1 }), { code: "component/type-mismatch" });
    await assert.rejects(call(guest, "forge"), { code: "component/trap", fault: "guest" });
    guest.close();
  });

  test(`${level}: what is lent to a call that stands in line is not taken back by the one before`, async () => {
    const guest = await openComponent();
    const thing = new Thing("thing");
    const calls = Array.from({ length: 3 }, () => call(guest, "lent", thing));
    assert.deepEqual(await Promise.all(calls), [5, 5, 5]);
    guest.close();
  });

  test(`${level}: a closed instance refuses calls, and a call that waits ends`, async () => {
    const asked = Promise.withResolvers<void>();
    const guest = await openComponent(() => {
      asked.resolve();
      return new Promise(() => {});
    });
    const running = call(guest, "ask", "x");
    await asked.promise;
    guest.close();
    await assert.rejects(running, { code: "engine/closed" });
    await assert.rejects(call(guest, "ask", "x"), { code: "engine/closed" });
  });
}

for (const level of levels.slice(1)) {
  test(`${level}: a guest that loops is stopped by closing it, and others go on`, async () => {
    await using isolation = openIsolation(level, { threadsMax: 1 });
    const limits = { ...defaultLimits, fuelMax: Infinity, deadlineMs: Infinity };
    const imports = { env: { note: () => 0, shout: () => {} } };
    const looping = await isolation.instantiate(moduleArtifact(), { limits, imports });
    const other = await isolation.instantiate(moduleArtifact(), { limits, imports });
    const spinning = looping.call("spin", []);
    const waiting = other.call("add", [1, 2]);
    await new Promise((turn) => setImmediate(turn));
    looping.close();
    await assert.rejects(spinning, { code: "engine/closed" });
    if (level === "worker") assert.equal((await waiting).result, 3);
    else await waiting.catch(() => {});
  });
}

for (const level of levels) {
  test(`${level}: what is being made when its level is closed is not left behind`, async () => {
    const isolation = openIsolation(level);
    const imports = { env: { note: () => 0, shout: () => {} } };
    const making = isolation.instantiate(moduleArtifact(), { limits: defaultLimits, imports });
    const refused = assert.rejects(making, { code: "engine/closed" });
    await isolation.close();
    await refused;
  });
}

test("worker: instances that are made at the same time are on threads of their own", async () => {
  await using isolation = openIsolation("worker", { threadsMax: 2 });
  const limits = { ...defaultLimits, fuelMax: Infinity, deadlineMs: 20_000 };
  const imports = { env: { note: () => 0, shout: () => {} } };
  const open = () => isolation.instantiate(moduleArtifact(), { limits, imports });
  // The second time the threads are there.
  for (let round = 0; round < 2; round++) {
    const [looping, other] = await Promise.all([open(), open()]);
    const spinning = assert.rejects(looping.call("spin", []), { code: "engine/closed" });
    assert.equal((await other.call("add", [1, 2])).result, 3);
    looping.close();
    await spinning;
    other.close();
  }
});

test("worker: a host that makes one short call after another leaves its loop its turns", async () => {
  await using isolation = openIsolation("worker", { threadsMax: 1 });
  const imports = { env: { note: () => 0, shout: () => {} } };
  const guest = await isolation.instantiate(moduleArtifact(), { limits: defaultLimits, imports });
  let turns = 0;
  let isOver = false;
  const turn = () => {
    turns++;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  for (let count = 0; count < 200; count++) await guest.call("add", [1, 2]);
  isOver = true;
  // Sixteen answers may be taken in one turn, and no more.
  assert.ok(turns >= 200 / 17 - 1, `${turns} turns`);
});
