/** Arguments that go from a packet into a guest's memory, beside the same arguments lowered from JavaScript. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { packetEngine } from "../../engine/packet-engine.ts";
import { decodeComponent } from "../binary/decode.ts";
import type { CoreImports, CoreInstance, CoreMemory } from "../core.ts";
import { defaultInstanceLimits } from "../link/instance-limits.ts";
import { preparePlan } from "../link/prepared.ts";
import { Runtime } from "../link/runtime.ts";
import { argumentsType, firstValueAt, isAsciiPacket, Packets } from "../packet.ts";
import { PacketMemory } from "../packet-memory.ts";
import { prepareComponent } from "../prepare.ts";
import { valuesOf, valueTypes } from "../testing/arbitrary.test.ts";
import { codeOf, componentFromWit, eagerRoutines, PlainEngine } from "../testing/harness.test.ts";
import { echoGuest, isPlainWit, padded } from "../testing/wit-of.test.ts";
import type { ValueType } from "../types.ts";
import type { ResourceHost } from "./context.ts";

const noResources = {} as ResourceHost; // No type here has any.

class WatchedEngine extends PlainEngine {
  memory: CoreMemory | undefined;

  override instantiate(bytes: Uint8Array, imports: CoreImports): CoreInstance {
    const instance = super.instantiate(bytes, imports);
    this.memory ??= instance.exports.memory as CoreMemory | undefined; // What a guest exports under this name.
    return instance;
  }
}

/** The first exported function of a component, on two instances: from values, and from a packet. */
function bothWays(bytes: Uint8Array) {
  const { plan } = prepareComponent(decodeComponent(bytes));
  const prepared = preparePlan(plan);
  const bindings = { funcs: [], resources: new Map(), modules: new Map() };
  const made = () => {
    const engine = new WatchedEngine(eagerRoutines());
    const options = { prepared, engine, bindings, limits: defaultInstanceLimits, isPromised: false };
    return { engine, runtime: new Runtime(options) };
  };
  const type = plan.lifts[0]?.type;
  assert.ok(type !== undefined);
  const item = { kind: "lifted" as const, index: 0, type };
  const byValues = made();
  const byPacket = made();
  const memory = new PacketMemory(packetEngine.routines);
  const fromValues = byValues.runtime.func(item);
  const fromPacket = byPacket.runtime.funcOfPacket(item, memory);
  const packets = new Packets(packetEngine, noResources);
  const codec = packets.codec(argumentsType(type));
  return {
    byValues: { engine: byValues.engine, call: (args: readonly unknown[]) => fromValues(...args) },
    byPacket: {
      engine: byPacket.engine,
      isPossible: fromPacket !== undefined,
      call(args: readonly unknown[]) {
        const packet = packets.write(codec, [args]);
        assert.ok(isAsciiPacket(packet));
        memory.load(packet);
        return fromPacket?.(firstValueAt(codec));
      },
    },
  };
}

function bytesOf({ memory }: WatchedEngine): Uint8Array {
  return new Uint8Array(memory?.buffer ?? new ArrayBuffer(0));
}

/** Values as they are, but for characters of strings that are not ASCII. */
function ascii(value: unknown): unknown {
  if (typeof value === "string") return value.replace(/[^\0-\x7f]/gu, "x");
  if (Array.isArray(value)) return value.map(ascii);
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, ascii(inner)]));
}

const types = fc.sample(valueTypes, { numRuns: 60, seed: 20_260_201 }).filter(isPlainWit).slice(0, 14);

for (const encoding of ["utf8", "utf16", "compact-utf16"] as const) {
  test(`any type leaves the same bytes at the same places, by packet and by value, in ${encoding}`, async () => {
    for (const type of types) {
      const bytes = await echoGuest(type, encoding);
      fc.assert(
        fc.property(valuesOf(type).map(ascii), (value) => {
          const { byValues, byPacket } = bothWays(bytes);
          assert.ok(byPacket.isPossible);
          assert.deepEqual(byPacket.call([padded(value)]), byValues.call([padded(value)]));
          assert.deepEqual(bytesOf(byPacket.engine), bytesOf(byValues.engine));
        }),
        { numRuns: 12, seed: 20_260_202 },
      );
    }
  });
}

const wit = `package t:t@1.0.0;
  interface i {
    take: func(a: string, b: list<string>, padding: tuple<u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64>) -> u32;
  }
  world w { export i; }`;
const args = ["four", ["five!", ""], new Array<bigint>(13).fill(0n)];

/** Its allocator does something of its own when it is asked for four bytes. */
const guest = (onFour: string) =>
  componentFromWit({
    wit,
    world: "w",
    wat: `(module
      (memory (export "memory") 1)
      (global $top (mut i32) (i32.const 4096))
      (func (export "cabi_realloc") (param $old i32) (param $had i32) (param $align i32) (param $size i32) (result i32)
        (local $p i32)
        (if (i32.eq (local.get $size) (i32.const 4)) (then ${onFour}))
        (local.set $p (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
        (global.set $top (i32.add (local.get $p) (local.get $size)))
        (local.get $p))
      (func (export "t:t/i@1.0.0#take") (param i32) (result i32) (i32.load offset=4 (local.get 0))))`,
  });

test("memory that grows in the middle is written where it is then", async () => {
  const { byPacket } = bothWays(await guest("(drop (memory.grow (i32.const 1)))"));
  assert.equal(byPacket.call(args), 4);
  assert.equal(byPacket.call(args), 4);
});

test("an allocator that gives a pointer out of bounds is a trap that poisons", async () => {
  for (const pointer of [-1, 65_536, 65_533]) {
    const { byPacket } = bothWays(await guest(`(return (i32.const ${pointer}))`));
    assert.equal(
      codeOf(() => byPacket.call(args)),
      "component/trap",
    );
    assert.ok(byPacket.engine.isPoisoned);
  }
});

test("an allocator that traps poisons", async () => {
  const { byPacket } = bothWays(await guest("(unreachable)"));
  assert.throws(() => byPacket.call(args), /unreachable/);
  assert.ok(byPacket.engine.isPoisoned);
});

test("few arguments are core values: they do not go by packet", async () => {
  const { byPacket } = bothWays(
    await componentFromWit({
      wit: "package t:t@1.0.0; world w { export take: func(a: u32) -> u32; }",
      world: "w",
      wat: `(module (func (export "take") (param i32) (result i32) (local.get 0)))`,
    }),
  );
  assert.ok(!byPacket.isPossible);
});

test("a type of more parts than its mover may have is lowered from JavaScript", async () => {
  const type: ValueType = {
    kind: "record",
    fields: Array.from({ length: 1_200 }, (_, index) => ({
      name: `field-${index}`,
      type: { kind: "record", fields: [{ name: "text", type: { kind: "string" } }] } as const,
    })),
  };
  assert.ok(!bothWays(await echoGuest(type)).byPacket.isPossible);
});
