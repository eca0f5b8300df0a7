import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import fc from "fast-check";
import type { CoreImports } from "../component/core.ts";
import type { InjectedExports } from "../wasm/metering/contract.ts";
import { engineErrors } from "./errors.ts";
import { Meter, type MeterOptions } from "./meter.ts";
import { type WasmGlobal, type WasmInstance, webAssembly } from "./webassembly.ts";

const limits = { memoryPagesMax: 16, tableElementsMax: 100, stackSlotsMax: 1_000 };

const injectedShared: InjectedExports = { swapFuel: "remora:swap-fuel", refill: "remora:refill" };
const injected: InjectedExports = { ...injectedShared, stack: "remora:stack", pages: "remora:pages" };

const ownCounters = `(global $fuel (mut i32) (i32.const 0))
  (global $stack (export "remora:stack") (mut i32) (i32.const 0))
  (global $pages (export "remora:pages") (mut i32) (i32.const 0))`;
const sharedCounters = `(import "counters" "fuel" (global $fuel (mut i32)))
  (import "counters" "stack" (global $stack (mut i32))) (import "counters" "pages" (global $pages (mut i32)))`;

/** What a rewritten module looks like to the meter, with exports that spend a known number of units. */
const moduleWith = async (counters: string) =>
  new webAssembly.Module(
    await parse(`(module
    (type $refill (func (result i32)))
    (import "host" "poke" (func $poke))
    (import "next" "spend" (func $next (param i32)))
    ${counters}
    (table (export "remora:refill") 1 1 funcref)
    (tag $t)
    (func (export "remora:swap-fuel") (param i32) (result i32)
      (global.get $fuel) (global.set $fuel (local.get 0)))
    (func $tick (if (call_indirect (type $refill) (i32.const 0)) (then unreachable)))
    (func $check (if (i32.lt_s (global.get $fuel) (i32.const 0)) (then (call $tick))))
    (func $charge (export "charge") (param i32)
      (global.set $fuel (i32.sub (global.get $fuel) (local.get 0))))
    (func (export "checked charge") (param i32) (call $charge (local.get 0)) (call $check))
    (func $spend (export "spend") (param $units i32)
      (loop $again
        (if (i32.eqz (local.get $units)) (then return))
        (call $charge (i32.const 1)) (call $check)
        (local.set $units (i32.sub (local.get $units) (i32.const 1)))
        (br $again)))
    (func (export "spin") (loop $again (call $charge (i32.const 4)) (call $check) (br $again)))
    (func (export "tick") (call $tick))
    (func (export "grow") (param i32) (call $tick)
      (global.set $pages (i32.sub (global.get $pages) (local.get 0))))
    (func (export "stack out") (global.set $stack (i32.const -1)) unreachable)
    (func (export "poke") (call $poke) (call $check))
    (func (export "poke and catch")
      (block $caught (try_table (catch_all $caught) (call $poke)))
      (call $charge (i32.const 1)) (call $check))
    (func (export "across") (param $mine i32) (param $theirs i32) (param $times i32)
      (loop $again
        (call $spend (local.get $mine)) (call $next (local.get $theirs))
        (local.set $times (i32.sub (local.get $times) (i32.const 1)))
        (br_if $again (local.get $times)))))`),
  );
const guestModule = await moduleWith(ownCounters);
const sharingModule = await moduleWith(sharedCounters);

interface Guest {
  readonly instance: WasmInstance;
  readonly call: (name: string, ...args: number[]) => void;
}

function guestOf(meter: Meter, imports: { poke?: () => void; next?: Guest } = {}): Guest {
  const { poke = () => {}, next } = imports;
  // The exports are those of the module above.
  const spend = (next?.instance.exports.spend ?? (() => {})) as () => void;
  const linked: CoreImports = { host: { poke }, next: { spend }, counters: { ...meter.counters } };
  const isSharing = meter.counters !== undefined;
  const instance = new webAssembly.Instance(isSharing ? sharingModule : guestModule, linked);
  meter.attach(instance, isSharing ? injectedShared : injected, 0);
  return {
    instance,
    call: (name, ...args) => (instance.exports[name] as (...args: number[]) => void)(...args),
  };
}

function meterWith(options: Partial<MeterOptions> = {}): Meter {
  return new Meter({ limits, ...options });
}

interface TestBudget {
  readonly fuelMax: number;
  readonly deadlineMs?: number;
  readonly startedMs?: number;
}

/** One call under a budget: whether it ended within it. */
function runs(meter: Meter, budget: TestBudget, work: () => void): boolean {
  meter.begin({ fuelMax: budget.fuelMax, deadlineMs: budget.deadlineMs ?? Infinity }, budget.startedMs);
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof webAssembly.RuntimeError, String(error));
    meter.kill("trapped");
    assert.equal(meter.end(), false);
    return false;
  }
  return meter.end();
}

test("a call succeeds exactly when it uses no more than its fuel, whatever the slice", () => {
  for (const sliceUnits of [1, 7, 1_000, undefined]) {
    for (const deadlineMs of [Infinity, 1_000]) {
      const options = sliceUnits === undefined ? {} : { sliceUnits };
      for (const used of [0, 1, 6, 7, 8, 499, 500, 501, 1_501, 9_999]) {
        const within = meterWith(options);
        const guest = guestOf(within);
        assert.equal(
          runs(within, { fuelMax: used, deadlineMs }, () => guest.call("spend", used)),
          true,
        );
        assert.equal(within.fuelUsed, used);
        if (used === 0) continue;
        for (const started of [{}, { startedMs: performance.now() }]) {
          const beyond = meterWith(options);
          const other = guestOf(beyond);
          assert.equal(
            runs(beyond, { fuelMax: used - 1, deadlineMs, ...started }, () => other.call("spend", used)),
            false,
          );
          assert.equal(beyond.dead, "out-of-fuel");
        }
      }
    }
  }
});

test("what is charged behind the last check still counts", () => {
  const meter = meterWith();
  const guest = guestOf(meter);
  assert.equal(
    runs(meter, { fuelMax: 100 }, () => guest.call("charge", 100)),
    true,
  );
  assert.equal(
    runs(meter, { fuelMax: 100 }, () => guest.call("charge", 101)),
    false,
  );
  assert.equal(meter.dead, "out-of-fuel");
});

test("each call is counted for itself", () => {
  const meter = meterWith();
  const guest = guestOf(meter);
  for (const units of [5, 0, 2_400, 2_400, 1, 30_000, 17]) {
    for (const budget of [
      { fuelMax: 30_000 },
      { fuelMax: 50_000, deadlineMs: 1_000 },
      { fuelMax: 50_000, deadlineMs: 1_000, startedMs: performance.now() },
      { fuelMax: 50_000, deadlineMs: 1_000, startedMs: performance.now() },
      { fuelMax: 30_000, startedMs: performance.now() },
      { fuelMax: Infinity },
    ]) {
      assert.equal(
        runs(meter, budget, () => guest.call("spend", units)),
        true,
      );
      assert.equal(meter.fuelUsed, units);
    }
  }
});

test("the largest single charge is refused and does not wrap around", () => {
  const meter = meterWith();
  const guest = guestOf(meter);
  assert.equal(
    runs(meter, { fuelMax: 2 ** 31 }, () => guest.call("checked charge", 2 ** 30)),
    true,
  );
  assert.equal(meter.fuelUsed, 2 ** 30);
  assert.equal(
    runs(meter, { fuelMax: 2 ** 30 - 1 }, () => guest.call("checked charge", 2 ** 30)),
    false,
  );
});

test("modules of one budget never spend more than it together, and the sum is exact", () => {
  fc.assert(
    fc.property(
      fc.nat(2_000),
      fc.nat(300),
      fc.integer({ min: 1, max: 12 }),
      fc.constantFrom(1, 7, 400, undefined),
      fc.constantFrom(Infinity, 1_000),
      (mine, theirs, times, sliceUnits, deadlineMs) => {
        const used = (mine + theirs) * times;
        for (const fuelMax of [used, used + 1, used - 1]) {
          if (fuelMax < 0) continue;
          const meter = meterWith({
            sharesCounters: true,
            ...(sliceUnits !== undefined && { sliceUnits }),
          });
          const next = guestOf(meter);
          const guest = guestOf(meter, { next });
          guestOf(meter);
          const work = () => guest.call("across", mine, theirs, times);
          assert.equal(runs(meter, { fuelMax, deadlineMs }, work), fuelMax >= used);
          if (fuelMax < used) continue;
          assert.equal(meter.fuelUsed, used);
          // Once more, with what the first call left behind.
          assert.equal(runs(meter, { fuelMax, deadlineMs }, work), true);
          assert.equal(meter.fuelUsed, used);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test("calls between modules cost no look at the clock", () => {
  let looks = 0;
  const meter = meterWith({ sharesCounters: true, clock: () => ++looks * 0.000_1 });
  const shim = guestOf(meter);
  const main = guestOf(meter, { next: shim });
  const work = () => main.call("across", 20, 5, 20);
  for (let call = 0; call < 10; call++) runs(meter, { fuelMax: 1e6, deadlineMs: 1_000 }, work);
  looks = 0;
  for (let call = 0; call < 100; call++) assert.ok(runs(meter, { fuelMax: 1e6, deadlineMs: 1_000 }, work));
  assert.equal(looks, 0);
});

test("a call that ends in its first slice does not look at the clock", () => {
  const meter = meterWith({
    clock: () => {
      throw new Error("looked");
    },
  });
  const guest = guestOf(meter);
  for (let call = 0; call < 100; call++) {
    assert.ok(runs(meter, { fuelMax: 1e6, deadlineMs: 1 }, () => guest.call("spend", 499)));
  }
});

test("a call whose beginning the caller has read from the clock looks at it later", () => {
  let looks = 0;
  const meter = meterWith({ clock: () => ++looks });
  const guest = guestOf(meter);
  for (let startedMs = 0; startedMs < 100; startedMs++) {
    const budget = { fuelMax: 1e6, deadlineMs: 30, startedMs };
    assert.ok(runs(meter, budget, () => guest.call("spend", 30_000)));
    assert.equal(meter.fuelUsed, 30_000);
  }
  assert.equal(looks, 0);
});

test("the deadline counts from what the caller has read, in each call anew", () => {
  let now = 0;
  const meter = meterWith({ clock: () => now });
  const guest = guestOf(meter);
  const tick = () => guest.call("tick");
  for (now of [5, 1_000, 1_000, 2_000]) {
    assert.ok(runs(meter, { fuelMax: 1e6, deadlineMs: 5, startedMs: now - 4.9 }, tick));
    assert.ok(runs(meter, { fuelMax: 1e6, deadlineMs: 5 }, tick));
    assert.ok(runs(meter, { fuelMax: 1e6, deadlineMs: 5, startedMs: now }, () => guest.call("spend", 400)));
  }
  now = 3_000;
  assert.equal(runs(meter, { fuelMax: 1e6, deadlineMs: 5, startedMs: now - 5 }, tick), false);
  assert.equal(meter.dead, "deadline");
});

test("a guest that does not end is stopped when its time is over, fast or slow", () => {
  const speeds = [2_500, 10_000, 200_000, 4_000_000];
  for (const [unitsPerMs, started] of speeds.flatMap((each) => [
    [each, {}] as const,
    [each, { startedMs: 0 }] as const,
  ])) {
    let now = 0;
    let usedBefore = 0;
    const meter: Meter = meterWith({
      clock: () => {
        const used = meter.fuelUsed;
        now += (used - usedBefore) / unitsPerMs;
        usedBefore = used;
        return now;
      },
    });
    const guest = guestOf(meter);
    assert.equal(
      runs(meter, { fuelMax: Infinity, deadlineMs: 1, ...started }, () => guest.call("spin")),
      false,
    );
    assert.equal(meter.dead, "deadline");
    assert.ok(meter.fuelUsed / unitsPerMs < 1.41, `${meter.fuelUsed / unitsPerMs} ms`);
  }
});

test("a guest that turns slow when it holds a long slice is late by no more than the slack", () => {
  // Fast until just before the end, then a page fault at every few units.
  let now = 0;
  let usedBefore = 0;
  const meter: Meter = meterWith({
    clock: () => {
      const used = meter.fuelUsed;
      for (let unit = usedBefore; unit < used; unit += 100) now += now < 9.5 ? 100 / 4e6 : 100 / 2_500;
      usedBefore = used;
      return now;
    },
  });
  const guest = guestOf(meter);
  assert.equal(
    runs(meter, { fuelMax: Infinity, deadlineMs: 10 }, () => guest.call("spin")),
    false,
  );
  assert.ok(now < 10.41, `${now} ms`);
});

test("a tick looks at the clock although the slice is not spent", () => {
  let now = 0;
  const meter = meterWith({ clock: () => now });
  const guest = guestOf(meter);
  assert.ok(runs(meter, { fuelMax: 1e6, deadlineMs: 5 }, () => guest.call("tick")));
  assert.equal(meter.fuelUsed, 0);
  const work = () => {
    guest.call("tick");
    now = 6;
    guest.call("tick");
  };
  assert.equal(runs(meter, { fuelMax: 1e6, deadlineMs: 5 }, work), false);
  assert.equal(meter.dead, "deadline");
});

test("an abort cannot be caught by the guest, and its reason stays", () => {
  const meter = meterWith();
  const first = engineErrors.link({ plugin: "p", reason: "first" });
  const guest = guestOf(meter, { poke: () => meter.abort(first) });
  assert.equal(
    runs(meter, { fuelMax: 1e6 }, () => guest.call("poke and catch")),
    false,
  );
  assert.equal(meter.dead, "aborted");
  assert.equal(meter.abortedBy, first);
  meter.kill("deadline");
  assert.equal(meter.dead, "aborted");
});

test("host code that swallows the trap does not revive the guest", () => {
  const meter = meterWith();
  const guest: Guest = guestOf(meter, {
    poke: () => {
      assert.throws(
        () => meter.abort(engineErrors.link({ plugin: "p", reason: "" })),
        webAssembly.RuntimeError,
      );
    },
  });
  assert.equal(
    runs(meter, { fuelMax: 1e6 }, () => guest.call("poke and catch")),
    false,
  );
});

test("nothing runs for long outside a call", () => {
  const meter = meterWith();
  const guest = guestOf(meter);
  assert.throws(() => guest.call("spin"), webAssembly.RuntimeError);
});

test("a closed meter stops its guests without serving them another's budget", () => {
  const meter = meterWith();
  const guest = guestOf(meter);
  meter.close();
  const next = meterWith();
  guestOf(next);
  next.begin({ fuelMax: Infinity, deadlineMs: Infinity });
  assert.throws(() => guest.call("spin"), webAssembly.RuntimeError);
  assert.throws(() => guest.call("tick"), webAssembly.RuntimeError);
  assert.ok(next.end());
});

test("a host function's charge counts, and one beyond the fuel stops the guest at its next check", () => {
  const meter = meterWith();
  let units = 500;
  const guest = guestOf(meter, { poke: () => meter.charge(units) });
  assert.ok(runs(meter, { fuelMax: 500 }, () => guest.call("poke")));
  assert.equal(meter.fuelUsed, 500);
  assert.throws(() => meter.charge(-1), RangeError);
  assert.throws(() => meter.charge(Number.NaN), RangeError);
  units = 501;
  assert.equal(
    runs(meter, { fuelMax: 500 }, () => guest.call("poke")),
    false,
  );
  assert.equal(meter.dead, "out-of-fuel");
});

test("after a slow host function the next check looks at the clock", () => {
  let now = 0;
  const meter = meterWith({ clock: () => now });
  const guest = guestOf(meter, {
    poke: () => {
      meter.startClock();
      now += 3;
      meter.lookAtClock();
    },
  });
  assert.ok(runs(meter, { fuelMax: 1e6, deadlineMs: 5 }, () => guest.call("poke")));
  assert.equal(meter.fuelUsed, 0);
  const twice = () => {
    guest.call("poke");
    guest.call("poke");
  };
  assert.equal(runs(meter, { fuelMax: 1e6, deadlineMs: 5 }, twice), false);
  assert.equal(meter.dead, "deadline");
});

test("a guest that calls a slow host function again and again pays one look at the clock for each", () => {
  let looks = 0;
  const meter = meterWith({ clock: () => ++looks * 0.001 });
  const guest = guestOf(meter, {
    poke: () => {
      meter.startClock();
      meter.lookAtClock();
    },
  });
  const work = () => {
    for (let call = 0; call < 100; call++) {
      guest.call("poke");
      guest.call("spend", 10);
    }
  };
  assert.ok(runs(meter, { fuelMax: 1_000, deadlineMs: 5 }, work));
  assert.equal(meter.fuelUsed, 1_000);
  assert.equal(looks, 101);
});

test("a guest that was stopped from outside gets no slice when a slow host function returns", () => {
  let isStopped = false;
  const meter = meterWith({ isStopped: () => isStopped });
  const guest = guestOf(meter);
  const work = () => {
    isStopped = true;
    meter.lookAtClock();
    guest.call("spend", 10);
  };
  assert.equal(runs(meter, { fuelMax: 1e6, deadlineMs: 5 }, work), false);
  assert.equal(meter.dead, "closed");
});

test("a guest that goes on after its deadline is stopped at its next check", () => {
  let now = 0;
  const meter = meterWith({ clock: () => now });
  const guest = guestOf(meter);
  const work = () => {
    guest.call("spend", 10);
    meter.startClock();
    now += 6;
    assert.equal(meter.msLeft, -1);
    meter.lookAtClock();
    guest.call("spend", 10);
  };
  assert.equal(runs(meter, { fuelMax: 1e6, deadlineMs: 5 }, work), false);
  assert.equal(meter.dead, "deadline");
});

test("a module attached while a call runs is in its budget", () => {
  const meter = meterWith({ sharesCounters: true });
  const work = () => guestOf(meter).call("spend", 3_000);
  assert.ok(runs(meter, { fuelMax: 3_000 }, work));
  assert.equal(meter.fuelUsed, 3_000);
  assert.equal(runs(meter, { fuelMax: 2_999 }, work), false);
});

test("modules grow out of one allowance of pages", () => {
  const meter = meterWith({ sharesCounters: true });
  assert.equal(meter.pages.reserve(4), true);
  const a = guestOf(meter);
  const b = guestOf(meter);
  assert.equal(meter.pages.left, 12);
  assert.ok(
    runs(meter, { fuelMax: 1e6 }, () => {
      a.call("grow", 5);
      b.call("grow", 3);
    }),
  );
  assert.equal(meter.pages.left, 4);
  assert.equal(meter.pages.reserve(5), false);
});

test("a stack that was spent is told from any other trap", () => {
  const meter = meterWith();
  const guest = guestOf(meter);
  assert.equal((guest.instance.exports["remora:stack"] as WasmGlobal).value, 1_000);
  assert.equal(
    runs(meter, { fuelMax: 1e6 }, () => guest.call("stack out")),
    false,
  );
  assert.equal(meter.stack.isSpent, true);
});

test("a meter without modules can be called any number of times", () => {
  const meter = meterWith();
  for (let call = 0; call < 2_000; call++) assert.ok(runs(meter, { fuelMax: 10 }, () => {}));
});

test("a meter of any number of modules counts every call exactly, however often it is called", () => {
  for (const modules of [1, 2, 3, 11]) {
    const meter = meterWith({ sharesCounters: modules > 1 });
    const guests = Array.from({ length: modules }, () => guestOf(meter));
    for (let call = 0; call < 1_200; call++) {
      const units = call % 7;
      const budget = { fuelMax: units * modules, deadlineMs: call % 2 === 0 ? Infinity : 1_000 };
      assert.ok(
        runs(meter, budget, () => {
          for (const guest of guests) guest.call("spend", units);
        }),
      );
      assert.equal(meter.fuelUsed, units * modules);
    }
  }
});

test("a budget that is no budget is a RangeError", () => {
  const meter = meterWith();
  guestOf(meter);
  for (const budget of [
    { fuelMax: -1, deadlineMs: 1 },
    { fuelMax: 1, deadlineMs: Number.NaN },
  ]) {
    assert.throws(() => meter.begin(budget), RangeError);
  }
  for (const startedMs of [-1, Number.NaN]) {
    assert.throws(() => meter.begin({ fuelMax: 1, deadlineMs: 1 }, startedMs), RangeError);
  }
});
