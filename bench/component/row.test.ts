import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeComponent, prepareComponent } from "remora/component";
import { renamed } from "./renamed.ts";
import { rowOf } from "./row.ts";

const ours = [
  { contestant: "remora", value: 40, min: 30 },
  { contestant: "remora, limits off", value: 20, min: 10 },
];

test("a row names the fastest peer and keeps what the others took", () => {
  const { bestPeer, bestPeerValue, limitsOff, peers } = rowOf({
    name: "call",
    unit: "ns",
    bar: 60,
    samples: [
      ...ours,
      { contestant: "slow", value: 99, min: 50 },
      { contestant: "fast", value: 51, min: 51 },
    ],
  });
  assert.deepEqual(
    { bestPeer, bestPeerValue, limitsOff },
    { bestPeer: "fast", bestPeerValue: 51, limitsOff: 20 },
  );
  assert.deepEqual(peers, { slow: 99, fast: 51 });
});

test("a row without peers says so", () => {
  const { bestPeer, bestPeerValue } = rowOf({ name: "call", unit: "ns", bar: 60, samples: ours });
  assert.deepEqual([bestPeer, bestPeerValue], [null, null]);
});

test("a renamed component has another core module and is the same component", () => {
  const emptyModule = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const padded = [...emptyModule, 0, 117, 1, ...new Array<number>(116).fill(0x61)]; // 127 bytes: one more takes two to say it.
  for (const module of [emptyModule, padded]) {
    const component = Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0, 1, module.length, ...module);
    const { coreModules, exports } = prepareComponent(decodeComponent(renamed(component, "plugin 7")));
    const label = [..."plugin 7"].map((character) => character.charCodeAt(0));
    assert.deepEqual(
      coreModules.map((bytes) => [...bytes]),
      [[...module, 0, 9, 8, ...label]],
    );
    assert.equal(exports.size, 0);
  }
});
