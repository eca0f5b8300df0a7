import assert from "node:assert/strict";
import { test } from "node:test";
import { checkImports } from "../../policy/index.ts";
import { suspendedWaiting } from "../machine/waiting.ts";
import { expectEnded, interfaceOf, testNowMs, testSandbox } from "../testing/sandboxes.ts";
import type { stdin } from "./cli.ts";
import type { monotonicClock, wallClock } from "./clocks.ts";
import type { Pollable } from "./poll.ts";
import type { insecureSeed, random } from "./random.ts";

type Wall = ReturnType<typeof wallClock>;
type Monotonic = ReturnType<typeof monotonicClock>;
type Random = ReturnType<typeof random>;
interface Poll {
  poll(pollables: readonly Pollable[]): Uint32Array | Promise<Uint32Array>;
}

const grants = [
  { capability: "clock.read" },
  { capability: "random.read" },
  { capability: "wasi.base" },
] as const;
const all = { grants };

test("offers link for what is granted and are refused for what is not", () => {
  const { sandbox } = testSandbox({ grants: [{ capability: "clock.read" }] });
  const check = (from: string) =>
    checkImports([{ from }], {
      hostFunctions: [],
      offers: sandbox.offers,
      grants: [{ capability: "clock.read" }],
    }).kind;
  assert.equal(check("wasi:clocks/wall-clock@0.2.0"), "ok");
  assert.equal(check("wasi:clocks/wall-clock@0.2.13"), "ok");
  assert.equal(check("wasi:random/random@0.2.3"), "refused");
  assert.equal(check("wasi:clocks/wall-clock@0.3.0"), "refused");
});

test("host objects are found by any 0.2 version, and no other name", () => {
  const { instance } = testSandbox(all);
  assert.ok(instance.component("wasi:clocks/wall-clock@0.2.0"));
  assert.equal(
    instance.component("wasi:clocks/wall-clock@0.2.0"),
    instance.component("wasi:clocks/wall-clock@0.2.9"),
  );
  for (const name of ["wasi:clocks/wall-clock@0.3.0", "wasi:clocks/wall", "constructor", "__proto__", ""]) {
    assert.equal(instance.component(name), undefined, name);
  }
});

test("the wall clock tells the host's time in milliseconds", () => {
  const { instance } = testSandbox(all);
  const wall = interfaceOf<Wall>(instance, "wasi:clocks/wall-clock@0.2.12");
  assert.deepEqual(wall.now(), { seconds: BigInt(testNowMs / 1_000), nanoseconds: 0 });
  assert.deepEqual(wall.resolution(), { seconds: 0n, nanoseconds: 1_000_000 });
});

test("a coarse clock goes in its steps, a wrong step is refused", () => {
  const { instance } = testSandbox({
    ...all,
    nowMs: () => testNowMs + 1_999,
    clock: { kind: "coarse", stepMs: 100 },
  });
  const wall = interfaceOf<Wall>(instance, "wasi:clocks/wall-clock@0.2.12");
  const monotonic = interfaceOf<Monotonic>(instance, "wasi:clocks/monotonic-clock@0.2.12");
  assert.equal(wall.now().nanoseconds, 900_000_000);
  assert.equal(monotonic.now() % 100_000_000n, 0n);
  assert.throws(() => testSandbox({ clock: { kind: "coarse", stepMs: 0.5 } }), RangeError);
});

test("a fixed clock stands still, but waiting moves it on", () => {
  const { instance } = testSandbox({ ...all, clock: { kind: "fixed", wallNs: 5n, stepNs: 2n } });
  const wall = interfaceOf<Wall>(instance, "wasi:clocks/wall-clock@0.2.12");
  const monotonic = interfaceOf<Monotonic>(instance, "wasi:clocks/monotonic-clock@0.2.12");
  assert.deepEqual([monotonic.now(), monotonic.now(), wall.now().nanoseconds], [0n, 2n, 9]);
  const pollable = monotonic.subscribeDuration(3_600_000_000_000n);
  assert.equal(pollable.ready(), false);
  assert.equal(pollable.block(), undefined);
  assert.ok(monotonic.now() >= 3_600_000_000_000n);
});

test("a clock that is not granted tells nothing and is audited", () => {
  const { instance, audit } = testSandbox();
  const wall = interfaceOf<Wall>(instance, "wasi:clocks/wall-clock@0.2.12");
  assert.deepEqual(wall.now(), { seconds: 0n, nanoseconds: 0 });
  assert.equal(audit.entries()[0]?.answer, "denied");
});

test("whoever is denied the clock learns nothing from moments either", () => {
  const { instance } = testSandbox({ ...all, denials: [{ capability: "clock.read" }] });
  const monotonic = interfaceOf<Monotonic>(instance, "wasi:clocks/monotonic-clock@0.2.12");
  for (const atNs of [0n, 2n ** 62n]) assert.equal(monotonic.subscribeInstant(atNs).ready(), true);
  assert.equal(monotonic.now(), 0n);
});

test("a guest that cannot wait is ended with a coded error when it tries", () => {
  const { instance } = testSandbox(all);
  const monotonic = interfaceOf<Monotonic>(instance, "wasi:clocks/monotonic-clock@0.2.12");
  const pollable = monotonic.subscribeDuration(50_000_000n);
  expectEnded("sandbox/cannot-wait", () => pollable.block());
  assert.equal(monotonic.subscribeDuration(0n).block(), undefined);
});

test("a guest that can be suspended waits in a promise, for the first of several", async () => {
  const { instance } = testSandbox({ ...all, waiting: suspendedWaiting });
  const monotonic = interfaceOf<Monotonic>(instance, "wasi:clocks/monotonic-clock@0.2.12");
  const { poll } = interfaceOf<Poll>(instance, "wasi:io/poll@0.2.12");
  const late = monotonic.subscribeDuration(20_000_000_000n);
  const soon = monotonic.subscribeDuration(2_000_000n);
  const ready = poll([late, soon]);
  assert.ok(ready instanceof Promise);
  assert.deepEqual([...(await ready)], [1]);
});

test("a fixed clock is moved on by a wait that nothing else ended", async () => {
  async function* silence(): AsyncGenerator<Uint8Array> {
    await new Promise(() => {});
    yield new Uint8Array(0);
  }
  const clock = { kind: "fixed", wallNs: 0n } as const;
  const { instance } = testSandbox({
    ...all,
    clock,
    waiting: suspendedWaiting,
    standardInput: silence(),
  });
  const monotonic = interfaceOf<Monotonic>(instance, "wasi:clocks/monotonic-clock@0.2.12");
  const { poll } = interfaceOf<Poll>(instance, "wasi:io/poll@0.2.12");
  const { getStdin } = interfaceOf<ReturnType<typeof stdin>>(instance, "wasi:cli/stdin@0.2.12");
  const ready = poll([getStdin().subscribe(), monotonic.subscribeDuration(2_000_000n)]);
  assert.deepEqual([...(await ready)], [1]);
  assert.equal(monotonic.now(), 2_000_000n);
});

test("waiting longer than the host allows ends the instance", () => {
  const { instance } = testSandbox({ ...all, waiting: suspendedWaiting, limits: { waitMsMax: 10 } });
  const monotonic = interfaceOf<Monotonic>(instance, "wasi:clocks/monotonic-clock@0.2.12");
  expectEnded("sandbox/limit-exceeded", () => monotonic.subscribeDuration(11_000_000_000n).block());
  expectEnded("sandbox/limit-exceeded", () => monotonic.subscribeInstant(2n ** 64n - 1n).block());
});

test("pollables are bounded in number, and dropping one makes room", () => {
  const { instance } = testSandbox({ ...all, limits: { handlesMax: 3 } });
  const monotonic = interfaceOf<Monotonic>(instance, "wasi:clocks/monotonic-clock@0.2.12");
  const held = [0n, 1n, 2n].map((ns) => monotonic.subscribeInstant(ns));
  expectEnded("sandbox/limit-exceeded", () => monotonic.subscribeInstant(3n));
  held[0]?.[Symbol.dispose]();
  monotonic.subscribeInstant(4n);
  const { poll } = interfaceOf<Poll>(instance, "wasi:io/poll@0.2.12");
  expectEnded("sandbox/limit-exceeded", () => poll([]));
});

test("random bytes come in the length that was asked for, bounded by request and by call", () => {
  const limits = { randomBytesPerRequestMax: 100, randomBytesPerCallMax: 150 };
  const { instance } = testSandbox({ ...all, limits });
  const source = interfaceOf<Random>(instance, "wasi:random/random@0.2.12");
  assert.equal(source.getRandomBytes(100n).length, 100);
  assert.equal(typeof source.getRandomU64(), "bigint");
  expectEnded("sandbox/limit-exceeded", () => source.getRandomBytes(101n));
  expectEnded("sandbox/limit-exceeded", () => source.getRandomBytes(2n ** 64n - 1n));
  expectEnded("sandbox/limit-exceeded", () => source.getRandomBytes(43n));
  instance.beginCall();
  assert.equal(source.getRandomBytes(43n).length, 43);
});

test("the same seed gives the same bytes, however they are asked for; another seed gives others", () => {
  const bytesOf = (seed: string, ...lengths: bigint[]) => {
    const { instance } = testSandbox({ ...all, random: { kind: "seeded", seed } });
    const source = interfaceOf<Random>(instance, "wasi:random/random@0.2.12");
    return lengths.flatMap((length) => [...source.getRandomBytes(length)]);
  };
  assert.deepEqual(bytesOf("a", 100n), bytesOf("a", 1n, 32n, 67n));
  assert.notDeepEqual(bytesOf("a", 100n), bytesOf("b", 100n));
});

test("each instance of a seeded plugin gets the same bytes", () => {
  const { sandbox, bytes } = testSandbox({ ...all, random: { kind: "seeded", seed: 7n } });
  const seeds = [0, 1].map(() => {
    const guest = {
      memory: { view: () => bytes },
      abort: (error: Error): never => {
        throw error;
      },
    };
    return interfaceOf<ReturnType<typeof insecureSeed>>(
      sandbox.forInstance(guest),
      "wasi:random/insecure-seed@0.2.12",
    ).insecureSeed();
  });
  assert.deepEqual(seeds[0], seeds[1]);
});

test("randomness that is not granted ends the instance, since its interface has no error", () => {
  const { instance } = testSandbox();
  const source = interfaceOf<Random>(instance, "wasi:random/random@0.2.12");
  expectEnded("sandbox/denied", () => source.getRandomU64());
});
