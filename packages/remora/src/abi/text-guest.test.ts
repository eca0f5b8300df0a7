import assert from "node:assert/strict";
import { test } from "node:test";
import { type CoreFunctions, defaultLimits, type ModuleInstance } from "../engine/index.ts";
import type { GuestText } from "./guest-text.ts";
import { openTextGuest } from "./open-text-guest.ts";
import { bufferRuntime, managedRuntime, moduleOf } from "./text-guest.fixture.ts";
import type { TextGuest } from "./text-guest.ts";

const texts: readonly (readonly [what: string, text: string])[] = [
  ["nothing", ""],
  ["ASCII", "navigation.speedOverGround"],
  ["one that is long", "x".repeat(100_000)],
  ["other planes", "Törn à Zürich 船 ⛵ 🐟"],
  ["NUL and quotes", '{"a":"\u0000\\""}'],
];

const conventions: readonly (readonly [name: TextGuest["convention"], runtime: string])[] = [
  ["assemblyscript", managedRuntime],
  ["buffer", bufferRuntime],
];

for (const [name, runtime] of conventions) {
  for (const [what, text] of texts) {
    test(`${name}: ${what} comes back as it went in`, async () => {
      const guest = openTextGuest(await moduleOf(runtime));
      assert.equal(guest.convention, name);
      assert.equal(guest.ask("same", text, 400_000), text);
    });
  }

  test(`${name}: memory that grew in the middle of a call is read where it is then`, async () => {
    const guest = openTextGuest(await moduleOf(runtime, { limits: { memoryPagesMax: 100 } }));
    for (let index = 0; index < 40; index++) {
      const text = String(index).repeat(20_000);
      assert.equal(guest.ask("same", text, 80_000), text);
    }
  });

  test(`${name}: what the host allocates in the guest is let go of when the call is over`, async () => {
    const instance = await moduleOf(runtime);
    const guest = openTextGuest(instance);
    guest.ask("same", "held", 1_000);
    assert.equal(instance.exports.pinned?.(), 0);
    assert.equal(instance.exports.freed?.(), name === "buffer" ? 2 : 0);
  });

  test(`${name}: an answer longer than was agreed ends the guest`, async () => {
    const instance = await moduleOf(runtime);
    assert.throws(
      () => openTextGuest(instance).ask("same", "longer than four", 4),
      isCode(/^(abi|engine)\//),
    );
    assert.ok(instance.isPoisoned);
  });

  test(`${name}: a name that is not exported says which are near, and costs no instance`, async () => {
    const instance = await moduleOf(runtime);
    assert.throws(() => openTextGuest(instance).ask("sane", "", 10), {
      code: "abi/no-such-export",
      message: /same/,
    });
    assert.ok(!instance.isPoisoned);
  });

  test(`${name}: allocating and calling spend one budget`, async () => {
    const burn =
      "(local.set $left (i32.const 2000)) (loop $more (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))";
    const fields = `(memory (export "memory") 1)
      (func (export "${name === "buffer" ? "allocate" : "__new"}") (param i32 ${name === "buffer" ? "" : "i32"}) (result i32)
        (local $left i32) ${burn} (i32.const 16))
      (func (export "take") (param i32 i32) (result i32) (local $left i32) ${burn} (i32.const 0))`;
    const give = async (fuelMax: number) => {
      const instance = await moduleOf(fields, { limits: { fuelMax } });
      return { answer: openTextGuest(instance).give("take", "text"), fuelUsed: instance.fuelUsed };
    };
    const { fuelUsed } = await give(1_000_000);
    await assert.rejects(give(fuelUsed - 1), { code: "engine/out-of-fuel" });
    assert.equal((await give(fuelUsed)).answer, 0);
  });
}

/** A guest of the convention whose function under test returns what the case says. */
async function answering(runtime: string, type: string, value: string): Promise<ModuleInstance> {
  const parameters = runtime === bufferRuntime ? "(param i32 i32 i32 i32)" : "(param i32)";
  return moduleOf(`${runtime} (func (export "wild") ${parameters} (result ${type}) ${value})`);
}

const wild: readonly (readonly [
  what: string,
  type: string,
  value: string,
  buffer: string,
  managed: string,
])[] = [
  ["minus one", "i32", "(i32.const -1)", "", "abi/out-of-bounds"],
  ["the last address", "i32", "(i32.const 0x7fffffff)", "abi/too-long", "abi/out-of-bounds"],
  ["an address without a header", "i32", "(i32.const 3)", "\0\0\0", "abi/out-of-bounds"],
  ["NaN", "f64", "(f64.const nan)", "abi/bad-number", "abi/bad-number"],
  ["infinity", "f64", "(f64.const inf)", "abi/bad-number", "abi/bad-number"],
  ["half a number", "f64", "(f64.const 1.5)", "abi/bad-number", "abi/bad-number"],
  ["an i64 beyond 32 bits", "i64", "(i64.const 0x100000000)", "abi/bad-number", "abi/out-of-bounds"],
  ["an i64 of zero", "i64", "(i64.const 0)", "", ""],
];

for (const [what, type, value, ...expected] of wild) {
  for (const [index, [name, runtime]] of conventions.toReversed().entries()) {
    test(`${name}: a guest that answers ${what} gives ${JSON.stringify(expected[index])}`, async () => {
      const instance = await answering(runtime, type, value);
      const guest = openTextGuest(instance);
      const wanted = expected[index] ?? "";
      if (!wanted.startsWith("abi/")) {
        assert.equal(guest.ask("wild", "", 100), wanted);
        return;
      }
      assert.throws(() => guest.ask("wild", "", 100), { code: wanted });
      assert.ok(instance.isPoisoned, "a guest that breaks its convention is not asked again");
    });
  }
}

test("a string whose header says more than memory has is out of bounds, and one that says too much is too long", async () => {
  const lying = (length: number) => `${managedRuntime}
    (func (export "lie") (result i32) (i32.store (i32.const 65500) (i32.const ${length})) (i32.const 65504))`;
  const ask = async (length: number) =>
    openTextGuest(await moduleOf(lying(length))).ask("lie", undefined, 1_000);
  await assert.rejects(ask(900), { code: "abi/out-of-bounds" });
  await assert.rejects(ask(-1), { code: "abi/too-long" });
  assert.equal((await ask(31)).length, 15, "half a unit is not read");
});

test("a lone surrogate survives where strings are UTF-16, and is U+FFFD where they are UTF-8", async () => {
  assert.equal(openTextGuest(await moduleOf(managedRuntime)).ask("same", "a\ud800b", 100), "a\ud800b");
  assert.equal(openTextGuest(await moduleOf(bufferRuntime)).ask("same", "a\ud800b", 100), "a\ufffdb");
});

test("bytes that are not UTF-8 are read as U+FFFD", async () => {
  const bad = `${bufferRuntime} (func (export "bad") (param $out i32) (param i32) (result i32)
    (i32.store (local.get $out) (i32.const 0x61ff61)) (i32.const 3))`;
  assert.equal(openTextGuest(await moduleOf(bad)).ask("bad", undefined, 10), "a\ufffda");
});

test("an AssemblyScript export with two parameters gets UTF-8 bytes, one with one a string", async () => {
  const lengths = `${managedRuntime}
    (func (export "bytes") (param i32 i32) (result i32) (local.get 1))
    (func (export "string") (param i32) (result i32) (i32.load (i32.sub (local.get 0) (i32.const 4))))
    (func (export "none") (result i32) (i32.const 7))
    (func (export "nothing"))`;
  const guest = openTextGuest(await moduleOf(lengths));
  assert.equal(guest.give("bytes", "ü"), 2);
  assert.equal(guest.give("string", "üü"), 4);
  assert.equal(guest.give("none"), 7);
  assert.equal(guest.give("nothing"), 0);
});

/** What a guest has in memory when it is given a text. */
async function given(runtime: string, parameters: string, text: GuestText): Promise<string> {
  const seen: string[] = [];
  const see = `(import "host" "see" (func $see ${parameters}))`;
  const places = parameters.includes("i32 i32") ? "(local.get 0) (local.get 1)" : "(local.get 0)";
  const instance = await moduleOf(
    `${see} ${runtime} (func (export "take") ${parameters} (call $see ${places}))`,
    {
      imports: ({ memory }) => ({
        host: {
          see(pointer: number, length = new DataView(memory.view().buffer).getUint32(pointer - 4, true)) {
            seen.push(Buffer.from(memory.view()).toString("latin1", pointer, pointer + length));
          },
        },
      }),
    },
  );
  openTextGuest(instance).give("take", text);
  return seen.join();
}

test("a text that is lent is copied as it is, in the encoding that the guest has it in", async () => {
  const lent = { utf16: () => Buffer.from("two"), utf8: () => Buffer.from("one"), toString: () => "none" };
  assert.equal(await given(bufferRuntime, "(param i32 i32)", lent), "one");
  assert.equal(await given(managedRuntime, "(param i32 i32)", lent), "one");
  assert.equal(await given(managedRuntime, "(param i32)", lent), "two");
  const kept = { utf16: () => "å", utf8: () => "ä", toString: () => "none" };
  assert.equal(await given(bufferRuntime, "(param i32 i32)", kept), "\u00c3\u00a4");
  assert.equal(await given(managedRuntime, "(param i32 i32)", kept), "\u00c3\u00a4");
  assert.equal(await given(managedRuntime, "(param i32)", kept), "\u00e5\0");
});

test("an allocator without memory ends the call, and an empty text needs none", async () => {
  const poor = `(memory (export "memory") 1)
    (func (export "allocate") (param i32) (result i32) (i32.const 0))
    (func (export "take") (param i32 i32) (result i32) (local.get 1))`;
  assert.equal(openTextGuest(await moduleOf(poor)).give("take", ""), 0);
  const instance = await moduleOf(poor);
  assert.throws(() => openTextGuest(instance).give("take", "x"), { code: "abi/no-memory" });
});

test("an allocator that points outside of memory writes nothing", async () => {
  for (const [allocator, runtime] of [
    ["allocate", `(func (export "allocate") (param i32) (result i32) (i32.const 0x10000))`],
    ["__new", `(func (export "__new") (param i32 i32) (result i32) (i32.const 0xffff))`],
  ]) {
    const instance = await moduleOf(`(memory (export "memory") 1) ${runtime}
      (func (export "take") (param i32 i32) (result i32) (local.get 1))`);
    assert.throws(
      () => openTextGuest(instance).give("take", "text"),
      { code: "abi/out-of-bounds" },
      allocator,
    );
  }
});

test("a module without memory, or of no convention, is refused", async () => {
  const allocator = `(func (export "allocate") (param i32) (result i32) (i32.const 0))`;
  const open = async (fields: string) => openTextGuest(await moduleOf(fields));
  await assert.rejects(open(allocator), { code: "abi/no-memory-export" });
  await assert.rejects(open(`(memory (export "memory") 1)`), { code: "abi/no-convention" });
});

test("a reactor's constructors run once, before anything else", async () => {
  const reactor = `${bufferRuntime} (global $runs (mut i32) (i32.const 0))
    (func (export "_initialize") (global.set $runs (i32.add (global.get $runs) (i32.const 1))))
    (func (export "runs") (result i32) (global.get $runs))`;
  const guest = openTextGuest(await moduleOf(reactor));
  assert.equal(guest.give("runs"), 1);
  assert.equal(guest.give("runs"), 1);
});

test("a collector that waits to be told runs when the heap has doubled", async () => {
  const collected = `${managedRuntime} (global $runs (mut i32) (i32.const 0))
    (func (export "__collect") (global.set $runs (i32.add (global.get $runs) (i32.const 1))))
    (func (export "runs") (result i32) (global.get $runs))
    (func (export "grow") (drop (memory.grow (i32.const 40))))`;
  const guest = openTextGuest(await moduleOf(collected));
  assert.equal(guest.give("runs"), 0);
  guest.give("grow");
  assert.equal(guest.give("runs"), 1);
  assert.equal(guest.give("runs"), 1);
});

test("functions of a call that is over are still the engine's to refuse", async () => {
  const instance = await moduleOf(managedRuntime, { limits: { ...defaultLimits } });
  let during: CoreFunctions | undefined;
  instance.together((functions) => {
    during = functions;
    assert.throws(() => instance.exports.pinned?.(), { code: "engine/re-entered" });
  }, undefined);
  assert.ok(during);
});

function isCode(pattern: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof Error && "code" in error && pattern.test(String(error.code));
}
