import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { CompileCache, compileRequest } from "./compile-cache.ts";
import { type SentModule, SentModules } from "./sent-modules.ts";
import { memoryStore } from "./testing/memory-store.test.ts";

const module = (sizeBytes: number) => ({ bytes: new Uint8Array(sizeBytes) }) as SentModule; // Nothing else is looked at.
const originals = Array.from({ length: 4 }, (_, index) => Uint8Array.of(index));
const [first, second, third] = originals as [Uint8Array, Uint8Array, Uint8Array]; // There are four.

test("of rewritten modules the most recently used are kept, up to so many bytes", () => {
  const sent = new SentModules({ sentBytesMax: 100 });
  const [one, two, three] = [module(40), module(50), module(30)];
  sent.know(first, "a", one);
  sent.know(second, "a", two);
  assert.equal(sent.known(first, "a"), one);
  sent.know(third, "a", three);
  assert.deepEqual(
    originals.map((each) => sent.known(each, "a")),
    [one, undefined, three, undefined],
  );
  assert.equal(sent.sizeBytes, 70);
  sent.know(first, "a", one);
  assert.equal(sent.sizeBytes, 70, "the same once more");
  sent.clear();
  assert.deepEqual([sent.sizeBytes, sent.known(first, "a")], [0, undefined]);
});

test("one that is larger than all may be is there until the next one is", () => {
  const sent = new SentModules({ sentBytesMax: 100 });
  const large = module(1_000);
  sent.know(first, "a", module(10));
  sent.know(second, "a", large);
  assert.deepEqual([sent.known(first, "a"), sent.known(second, "a")], [undefined, large]);
  sent.know(first, "a", module(10));
  assert.deepEqual([sent.sizeBytes, sent.known(second, "a")], [10, undefined]);
});

test("what was rewritten of an original goes with it", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void; // as the flag says
  const sent = new SentModules();
  sent.know(first, "a", module(10));
  for (let count = 0; count < 10; count++) sent.know(new Uint8Array(1), "a", module(1_000));
  while (sent.sizeBytes > 10) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  assert.ok(sent.known(first, "a") !== undefined);
});

test("a module that has had to make room is taken from the store again", async () => {
  const [one, two] = [
    await parse('(module (func (export "a")))'),
    await parse('(module (func (export "b")))'),
  ];
  const request = compileRequest("plugin", {
    mode: "fuel",
    profile: "default",
    memoryPagesMax: 16,
    tableElementsMax: 100,
    stack: true,
  });
  const cache = new CompileCache({ store: memoryStore(), sentBytesMax: 1 });
  const before = cache.rewritten(one, request);
  assert.equal(cache.rewritten(one, request), before);
  cache.rewritten(two, request);
  const after = cache.rewritten(one, request);
  assert.notEqual(after, before);
  assert.deepEqual(Buffer.from(after.bytes), Buffer.from(before.bytes));
});
