/** Strings of packets, where they are pieces of one text and where they are not: the same values come out. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { packetEngine } from "../engine/packet-engine.ts";
import type { ResourceHost } from "./abi/context.ts";
import { Packets } from "./packet.ts";
import type { ValueType } from "./types.ts";

const noResources = {} as ResourceHost; // No type here has any.
const strings: ValueType = { kind: "list", element: { kind: "string" }, length: undefined };

const values = {
  "short ASCII": ["", "a", "ten chars.", "\0"],
  "long ASCII": ["x".repeat(13), "y".repeat(200), "z".repeat(40_000)],
  "more than is shared": ["short", "w".repeat(1_500_000)],
  "short and not ASCII": ["plain", "é", "日本"],
  "long and not ASCII": ["plain", `${"x".repeat(300)}é`],
  "a lone surrogate": ["plain", "a\ud800"],
};

for (const sharesText of [true, false]) {
  const writer = new Packets(packetEngine, noResources);
  const reader = new Packets(packetEngine, noResources, { sharesText });
  const crossed = (list: readonly string[]) => {
    const bytes = Uint8Array.from(writer.write(writer.codec(strings), [list, list]));
    return reader.read(reader.codec(strings), bytes, 2);
  };

  for (const [what, list] of Object.entries(values)) {
    test(`${what}: strings arrive as they were, shared text: ${sharesText}`, () => {
      const arrived = list.map((text) => text.toWellFormed());
      assert.deepEqual(crossed(list), [arrived, arrived]);
    });
  }

  test(`each packet says for itself whether it is ASCII, shared text: ${sharesText}`, () => {
    for (const list of [["ascii"], ["é"], ["ascii, and longer than that"], ["日本"], ["a"]]) {
      assert.deepEqual(crossed(list), [list, list]);
    }
  });
}

test("a packet of an odd number of bytes, and larger than the memory was, is written and read", () => {
  const packets = new Packets(packetEngine, noResources);
  const codec = packets.codec({ kind: "string" });
  const text = "x".repeat(40_001);
  assert.deepEqual(packets.read(codec, Uint8Array.from(packets.write(codec, [text])), 1), [text]);
});

test("a packet that calls itself ASCII and is not gives other strings, and none from beyond its end", () => {
  const writer = new Packets(packetEngine, noResources);
  const reader = new Packets(packetEngine, noResources, { sharesText: true });
  const bytes = Uint8Array.from(writer.write(writer.codec({ kind: "string" }), ["é"]));
  bytes[0] = 1;
  assert.deepEqual(reader.read(reader.codec({ kind: "string" }), bytes, 1), ["Ã©"]);
  new DataView(bytes.buffer).setUint32(12, 100, true); // Its length, behind the pointer.
  assert.deepEqual(reader.read(reader.codec({ kind: "string" }), bytes, 1), ["Ã©"]);
});
