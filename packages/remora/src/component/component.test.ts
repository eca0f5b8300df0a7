import assert from "node:assert/strict";
import { test } from "node:test";
import { isRemoraError } from "../base/index.ts";
import { ComponentError } from "./component-error.ts";
import type { MissingImport } from "./errors.ts";
import { allocator, counterGuest, filterGuest, lazyGuest } from "./testing/guests.test.ts";
import { codeOf, componentFromWit, load } from "./testing/harness.test.ts";

const filterBytes = await filterGuest();
const lazyBytes = await lazyGuest();
const counterBytes = await counterGuest();

const message = { cotType: "a-f-G", uid: "Å1", lat: 52.1, lon: 4.3, time: "2026-01-01T00:00:00Z" };

function hostOf(log: unknown[] = []) {
  return {
    "example:plugin/host@0.1.0": {
      log: (level: string, text: string) => log.push([level, text]),
      getCurrentTimeMs: () => 12n,
      queryElevation: () => undefined,
    },
  };
}

test("an export is reached under its full name and under its own", () => {
  const { exports } = load(filterBytes, hostOf());
  assert.equal(exports["example:plugin/filter@0.1.0"], exports.filter);
});

test("a record goes in, an enum comes out, and the guest's calls reach the host", () => {
  const log: unknown[] = [];
  const { exports } = load(filterBytes, hostOf(log));
  assert.equal(exports.filter.evaluate(message), "block");
  assert.equal(exports.filter.evaluate({ ...message, lat: -3 }), "pass");
  assert.deepEqual(log, [
    ["info", "a-f-G"],
    ["info", "a-f-G"],
  ]);
});

test("a string comes out and post-return has run", () => {
  const { exports } = load(filterBytes, hostOf());
  assert.equal(exports.filter.describe(), "blocks the north");
});

test("a result at the top level returns its ok and throws its err", () => {
  const { exports } = load(filterBytes, hostOf());
  assert.deepEqual(exports.filter.transform(Uint8Array.of(1, 2, 3)), Uint8Array.of(1, 2, 3));
  assert.throws(
    () => exports.filter.transform(new Uint8Array(0)),
    (error) => error instanceof ComponentError && error.payload === "no data",
  );
  assert.deepEqual(
    exports.filter.transform([7]),
    Uint8Array.of(7),
    "a failure of the guest's own is no trap",
  );
});

test("a wrong argument names the path to it and leaves the instance usable", () => {
  const log: unknown[] = [];
  const { exports, engine } = load(filterBytes, hostOf(log));
  assert.throws(
    () => exports.filter.evaluate({ ...message, lat: "x" }),
    (error) =>
      isRemoraError(error, "component/type-mismatch") &&
      error.message === 'msg.lat: expected number, got "x"',
  );
  assert.equal(
    codeOf(() => exports.filter.evaluate(undefined)),
    "component/type-mismatch",
  );
  assert.equal(
    codeOf(() => exports.filter.transform("bytes")),
    "component/type-mismatch",
  );
  assert.equal(engine.state, "idle");
  assert.deepEqual(log, [], "no guest code ran");
  assert.equal(exports.filter.evaluate(message), "block");
});

test("everything that is missing is reported at once, with near names", () => {
  const missingWith = (imports: Record<string, unknown>): readonly MissingImport[] => {
    try {
      load(filterBytes, imports);
    } catch (error) {
      assert(isRemoraError(error, "component/missing-imports"));
      return (error.details as { missing: readonly MissingImport[] }).missing;
    }
    return [];
  };
  assert.deepEqual(
    missingWith({ "example:plugin/host@0.1.0": { lug() {}, queryElevation: 3 } }).map(
      ({ member, near, found }) => ({
        member,
        near,
        found,
      }),
    ),
    [
      { member: "log", near: ["lug"], found: undefined },
      { member: "get-current-time-ms", near: [], found: undefined },
      { member: "query-elevation", near: ["queryElevation"], found: "number" },
    ],
  );
  const [whole, ...rest] = missingWith({ "example:plugin/hosts@0.1.0": {} });
  assert.deepEqual(rest, []);
  assert.deepEqual(whole?.near, ["example:plugin/hosts@0.1.0"]);
});

test("what every object has is no import and no field", async () => {
  const bytes = await componentFromWit({
    wit: `package a:b;
      interface host { to-string: func(); }
      interface guest { record r { value-of: option<u32>, has-own-property: option<string> } f: func(r: r) -> u32; }
      world w { import host; export guest; }`,
    world: "w",
    wat: `(module (import "a:b/host" "to-string" (func)) ${allocator}
      (func (export "a:b/guest#f") (param i32 i32 i32 i32 i32) (result i32) (local.get 0)))`,
  });
  assert.equal(
    codeOf(() => load(bytes, { "a:b/host": {} })),
    "component/missing-imports",
  );
  const { exports } = load(bytes, { "a:b/host": { toString() {} } });
  assert.equal(exports.guest.f({}), 0);
  assert.equal(exports.guest.f({ valueOf: 3 }), 1);
});

test("an interface links to a compatible version of it, and to no other", () => {
  const host = hostOf()["example:plugin/host@0.1.0"];
  load(filterBytes, { "example:plugin/host@0.1.7": host });
  const code = codeOf(() => load(filterBytes, { "example:plugin/host@0.2.0": host }));
  assert.equal(code, "component/missing-imports");
});

test("a host function that throws ends the call with a coded error and poisons the instance", () => {
  const host = hostOf();
  const failing = { ...host["example:plugin/host@0.1.0"], log: () => assert.fail("no disk") };
  const { exports, engine } = load(filterBytes, { "example:plugin/host@0.1.0": failing });
  assert.equal(
    codeOf(() => exports.filter.evaluate(message)),
    "component/host-failed",
  );
  assert.equal(engine.state, "poisoned");
});

test("a host function that returns what its type does not allow ends the call", () => {
  const host = hostOf();
  const wrong = { ...host["example:plugin/host@0.1.0"], getCurrentTimeMs: () => 12 };
  const { exports } = load(filterBytes, { "example:plugin/host@0.1.0": wrong });
  assert.equal(
    codeOf(() => exports.filter.evaluate(message)),
    "component/host-result",
  );
});

class Message {
  readonly #lat: number;
  constructor(lat: number) {
    this.#lat = lat;
  }
  lat() {
    return this.#lat;
  }
  lon() {
    return 4.5;
  }
  uid() {
    return "u";
  }
}

test("a host object is lent to the guest, which calls its methods", () => {
  const { exports } = load(lazyBytes, { "example:lazy/types@0.1.0": { Message } });
  assert.equal(exports.filter.evaluate(new Message(60)), "block");
  assert.equal(exports.filter.evaluate(new Message(-1)), "pass");
  assert.equal(
    codeOf(() => exports.filter.evaluate({ lat: 3 })),
    "component/type-mismatch",
  );
});

test("methods of a resource may stand in an object, with the host's own object as this", () => {
  const Message = {
    lat(this: { latitude: number }) {
      return this.latitude;
    },
    lon: () => 0,
    uid: () => "",
  };
  const { exports } = load(lazyBytes, { "example:lazy/types@0.1.0": { Message } });
  assert.equal(exports.filter.evaluate({ latitude: 3 }), "block");
});

test("a borrow that is kept beyond the call is a trap", () => {
  const { exports, engine } = load(lazyBytes, { "example:lazy/types@0.1.0": { Message } });
  assert.equal(
    codeOf(() => exports.filter.keep(new Message(1))),
    "component/trap",
  );
  assert.equal(engine.state, "poisoned");
});

test("a guest's resource is a class: constructed, called, lent, handed over, disposed of", () => {
  const { exports } = load(counterBytes);
  const { Counter, live, take } = exports.counters;
  const a = new Counter(10);
  const b = new Counter(5);
  assert(a instanceof Counter);
  assert.equal(a.increment(2), 12);
  assert.equal(live(), 2);
  const c = Counter.merge(a, b);
  assert.equal(c.increment(0), 17);
  assert.equal(
    codeOf(() => a.increment(1)),
    "component/type-mismatch",
    "it was handed over",
  );
  assert.equal(b.increment(1), 6, "it was only lent");
  assert.equal(live(), 2, "the destructor of a ran");
  b[Symbol.dispose]();
  b[Symbol.dispose]();
  take(c);
  assert.equal(live(), 0);
  assert.equal(
    codeOf(() => take({})),
    "component/type-mismatch",
  );
});

test("disposing of what died with its instance is no failure", () => {
  const { exports, engine } = load(counterBytes);
  const counter = new exports.counters.Counter(1);
  engine.state = "poisoned";
  counter[Symbol.dispose]();
});

test("an object of one instance means nothing to another", () => {
  const first = load(counterBytes).exports.counters;
  const second = load(counterBytes).exports.counters;
  assert.equal(
    codeOf(() => second.take(new first.Counter(1))),
    "component/type-mismatch",
  );
});
