import assert from "node:assert/strict";
import { test } from "node:test";
import { packetEngine } from "../engine/packet-engine.ts";
import type { ResourceHost } from "./abi/context.ts";
import { Packets } from "./packet.ts";
import { PacketMemory, packetBytesMax, packetStart } from "./packet-memory.ts";
import { codeOf } from "./testing/harness.test.ts";
import type { ValueType } from "./types.ts";

const made = () => new PacketMemory(packetEngine.routines);
const noResources = {} as ResourceHost; // No type here has any.
const text: ValueType = { kind: "string" };
const bytesOf = ({ memory }: PacketMemory) => new Uint8Array(memory.buffer);

test("room is aligned, behind what was given before, and keeps what it held when it moves", () => {
  const memory = made();
  assert.equal(memory.realloc(0, 0, 1, 3), packetStart);
  bytesOf(memory).set([1, 2, 3], packetStart);
  assert.equal(memory.realloc(0, 0, 8, 1), packetStart + 8);
  const moved = memory.realloc(packetStart, 3, 2, 5);
  assert.deepEqual([...bytesOf(memory).subarray(moved, moved + 5)], [1, 2, 3, 0, 0]);
  assert.equal(memory.used, moved + 5);
});

test("memory grows to the largest packet, and refuses one byte more", () => {
  const memory = made();
  assert.equal(memory.realloc(0, 0, 1, packetBytesMax - packetStart), packetStart);
  assert.equal(bytesOf(memory).length, packetBytesMax);
  assert.equal(
    codeOf(() => memory.realloc(0, 0, 1, 1)),
    "component/type-mismatch",
  );
});

test("after a large packet the memory is a small one again", () => {
  const memory = made();
  memory.realloc(0, 0, 1, 5_000_000);
  memory.clear();
  memory.renew();
  assert.ok(bytesOf(memory).length < 1_000_000);
});

test("nobody who shares a memory finds what another one wrote", () => {
  const memory = made();
  const writer = new Packets(packetEngine, noResources, { memory });
  const other = new Packets(packetEngine, noResources, { memory });
  writer.write(writer.codec(text), ["a secret of another plugin, and more of it"]);
  other.write(other.codec(text), ["short"]);
  assert.ok(
    bytesOf(memory)
      .subarray(memory.used)
      .every((byte) => byte === 0),
  );
  // A forged packet, whose string reaches beyond its end.
  const forged = new Uint8Array(16);
  new DataView(forged.buffer).setUint32(8, 16, true);
  new DataView(forged.buffer).setUint32(12, 40, true);
  writer.write(writer.codec(text), ["a secret of another plugin, and more of it"]);
  assert.deepEqual(other.read(other.codec(text), forged, 1), ["\0".repeat(40)]);
});

test("a getter that writes another packet leaves the one that it is read for as it was", () => {
  const memory = made();
  const packets = new Packets(packetEngine, noResources, { memory });
  const record: ValueType = {
    kind: "record",
    fields: [
      { name: "a", type: text },
      { name: "b", type: text },
    ],
  };
  const other = new Packets(packetEngine, noResources, { memory });
  let count = 0;
  const value = {
    a: "first",
    get b() {
      other.write(other.codec(text), ["x".repeat(count++ === 0 ? 2_000_000 : 3)]);
      return "second";
    },
  };
  const codec = packets.codec(record);
  const packet = Uint8Array.from(packets.write(codec, [value]));
  assert.deepEqual(packets.read(codec, packet, 1), [{ a: "first", b: "second" }]);
});
