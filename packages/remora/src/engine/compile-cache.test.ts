import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { isRemoraError, type Steps } from "../base/index.ts";
import { defaultDecodeLimits } from "../wasm/limits.ts";
import type { MeteredModule, MeterOptions } from "../wasm/metering/contract.ts";
import type { Eagerly, Rewrite } from "./compile.ts";
import { CompileCache, compileRequest } from "./compile-cache.ts";
import { eagerlyByFlag } from "./eager-compile.ts";
import { engineErrors } from "./errors.ts";
import { KeptFiles, type RewriteStore } from "./kept-files.ts";
import { damaged, memoryStore } from "./testing/memory-store.test.ts";
import { webAssembly } from "./webassembly.ts";

const options: MeterOptions = {
  mode: "fuel",
  profile: "default",
  memoryPagesMax: 16,
  tableElementsMax: 100,
  stack: true,
};
const request = compileRequest("plugin", options);

const wat = (text: string) => parse(`(module ${text})`);
const [moduleA, moduleB, moduleC] = [
  await wat('(func (export "a"))'),
  await wat('(func (export "b"))'),
  await wat('(func (export "c"))'),
];

/** Changes nothing and counts how often it is asked: the cache does not care what a rewrite does. */
function countingRewrite(): { rewrite: Rewrite; readonly asked: Uint8Array[] } {
  const asked: Uint8Array[] = [];
  function* rewrite(bytes: Uint8Array): Steps<MeteredModule> {
    asked.push(bytes);
    yield;
    return {
      bytes: Uint8Array.from(bytes),
      injected: { swapFuel: "s", refill: "r" },
      memories: [],
      tables: [],
      memoryPagesMin: 0,
      tableElementsMin: 0,
      stackSlotsUncounted: 8,
      compileWork: bytes.length,
      codeBytes: { before: 4, after: 4 },
    };
  }
  return { rewrite, asked };
}

function expectCode(code: string, work: () => unknown): void {
  assert.throws(work, (error) => isRemoraError(error, code));
}

test("the same module is rewritten once, by its bytes and not by the array that holds them", () => {
  const { rewrite, asked } = countingRewrite();
  const cache = new CompileCache({ rewrite });
  const first = cache.compile(moduleA, request);
  assert.equal(cache.compile(moduleA, request), first);
  assert.equal(cache.compile(Uint8Array.from(moduleA), request), first);
  assert.equal(asked.length, 1);
});

test("other options are another module, in whatever order they are written", () => {
  const { rewrite, asked } = countingRewrite();
  const cache = new CompileCache({ rewrite });
  cache.compile(moduleA, request);
  cache.compile(moduleA, compileRequest("other plugin", { ...options }));
  const { mode, ...rest } = options;
  cache.compile(moduleA, compileRequest("plugin", { ...rest, mode }));
  assert.equal(asked.length, 1);
  for (const change of [
    { mode: "deadline" },
    { profile: "strict" },
    { memoryPagesMax: 17 },
    { stack: false },
    { allow: ["simd"] },
    { sizes: { ...defaultDecodeLimits, locals: 7 } },
  ] as const) {
    cache.compile(moduleA, compileRequest("plugin", { ...options, ...change }));
  }
  assert.equal(asked.length, 7);
});

test("only the most recently used modules are kept", () => {
  const { rewrite } = countingRewrite();
  const cache = new CompileCache({ rewrite, modulesMax: 2 });
  for (const bytes of [moduleA, moduleB, moduleC]) cache.compile(bytes, request);
  assert.deepEqual(cache.kept, { modules: 2, sizeBytes: moduleB.length + moduleC.length });
  const small = new CompileCache({ rewrite, bytesMax: moduleA.length });
  for (const bytes of [moduleA, moduleB]) small.compile(bytes, request);
  assert.equal(small.kept.modules, 1);
  small.clear();
  assert.deepEqual(small.kept, { modules: 0, sizeBytes: 0 });
});

/** In a process of its own, up to its end. */
async function compiledWith(store: RewriteStore, bytes: Uint8Array) {
  const { rewrite, asked } = countingRewrite();
  const cache = new CompileCache({ rewrite, store });
  const compiled = cache.compile(bytes, request);
  await cache.settled();
  return { ...compiled, rewrites: asked.length };
}

test("the next process takes the rewritten bytes from the store", async () => {
  const store = memoryStore();
  const first = await compiledWith(store, moduleA);
  const second = await compiledWith(store, moduleA);
  assert.deepEqual([first.rewrites, second.rewrites], [1, 0]);
  assert.deepEqual(second.facts, first.facts);
  assert.equal(second.digest, first.digest);
});

test("stored content that was cut, changed or put in another's place is made anew", async () => {
  const store = memoryStore();
  await compiledWith(store, moduleA);
  const [[name, good] = assert.fail("nothing was written")] = store.files;
  for (const content of damaged(good)) {
    store.files.set(name, content);
    const { rewrites } = await compiledWith(store, moduleA);
    assert.equal(rewrites, 1);
    assert.deepEqual(store.files.get(name), good);
  }
  await compiledWith(store, moduleB);
  for (const other of store.files.keys()) store.files.set(other, good);
  const { rewrites } = await compiledWith(store, moduleB);
  assert.equal(rewrites, 1, "whole and genuine, but of another module");
});

test("nothing is written before what was made could be run, and then whoever closes waits for it", async () => {
  const store = memoryStore();
  const cache = new CompileCache({ rewrite: countingRewrite().rewrite, store });
  cache.compile(moduleA, request);
  await new Promise(setImmediate);
  assert.equal(store.writes, 0);
  await cache.settled();
  assert.equal(store.writes, 1);
});

test("what two make at the same time is written once, and nothing of it behind who closes", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const store = memoryStore();
  const files = new KeptFiles(store);
  for (let maker = 0; maker < 2; maker++) files.write("0a-0b.metered", () => [Uint8Array.of(1)]);
  await files.settled();
  t.mock.timers.tick(60_000);
  await new Promise(setImmediate);
  assert.equal(store.writes, 1);
});

test("a store that fails, at once or later, costs nothing but time", async () => {
  const read = () => assert.fail("cannot read");
  const stores: RewriteStore[] = [
    { read, write: () => assert.fail("cannot write") },
    { read, write: async () => assert.fail("cannot write") },
  ];
  for (const store of stores) {
    const { rewrite, asked } = countingRewrite();
    const cache = new CompileCache({ rewrite, store });
    cache.compile(moduleA, request);
    await cache.settled();
    assert.equal(asked.length, 1);
  }
});

test("what is on its way into the store is not made again, and whoever closes can wait for it", async () => {
  const { rewrite, asked } = countingRewrite();
  const { promise: isWritten, resolve: written } = Promise.withResolvers<void>();
  const cache = new CompileCache({ rewrite, store: { read: () => undefined, write: () => isWritten } });
  const { facts } = cache.compile(moduleA, request);
  const again = cache.rewritten(moduleA, request);
  assert.deepEqual([again.facts, Uint8Array.from(again.bytes)], [facts, moduleA]);
  assert.equal(asked.length, 1);
  let hasSettled = false;
  const settled = cache.settled().then(() => {
    hasSettled = true;
  });
  await new Promise(setImmediate);
  assert.equal(hasSettled, false);
  written();
  await settled;
});

test("what V8 refuses is not taken, whatever the rewriter makes of it", async () => {
  const { rewrite } = countingRewrite();
  const cache = new CompileCache({ rewrite });
  // `global.get 1` with one global: behind a rewrite that appends a global it would be valid.
  const outside = await wat("(global i32 (i32.const 0)) (func (result i32) global.get 0)");
  outside[outside.lastIndexOf(0x23) + 1] = 1;
  expectCode("engine/invalid-module", () => cache.compile(outside, request));
  expectCode("engine/invalid-module", () => cache.compile(moduleA.subarray(0, -3), request));
  expectCode("engine/invalid-module", () => cache.compile(new Uint8Array(0), request));
  const failing = new CompileCache({
    rewrite: () => {
      throw new Error("not for such bytes");
    },
  });
  expectCode("engine/invalid-module", () => failing.compile(outside, request));
  expectCode("engine/rewriter-bug", () => failing.compile(moduleA, request));
});

test("a module beyond a limit is refused before V8 looks at it", () => {
  const cache = new CompileCache();
  const sizes = { ...defaultDecodeLimits, types: 0 };
  const invalid = moduleA.slice();
  invalid[invalid.length - 1] = 0xff;
  expectCode("wasm/limit", () => cache.compile(moduleA, compileRequest("p", { ...options, sizes })));
  expectCode("wasm/limit", () => cache.compile(invalid, compileRequest("p", { ...options, sizes })));
});

test("a module beyond the size limit is not even validated", () => {
  const sizes = { ...defaultDecodeLimits, moduleBytes: 10 };
  const cache = new CompileCache({ rewrite: countingRewrite().rewrite });
  expectCode("engine/module-too-large", () =>
    cache.compile(moduleA, compileRequest("p", { ...options, sizes })),
  );
});

test("what V8 refuses after the rewrite does not run and is not kept", async () => {
  const { rewrite } = countingRewrite();
  const cutting: Rewrite = function* (bytes, given) {
    return { ...(yield* rewrite(bytes, given)), bytes: bytes.subarray(0, -2) };
  };
  const store = memoryStore();
  const cache = new CompileCache({ rewrite: cutting, store });
  expectCode("engine/rewriter-bug", () => cache.compile(moduleA, request));
  assert.deepEqual(cache.kept.modules, 0);
  await cache.settled();
  assert.equal(store.files.size, 0);
});

test("a rewriter that fails by itself is a bug of ours; one that refuses says so", () => {
  const failing = (error: Error) => {
    const cache = new CompileCache({
      rewrite: () => {
        throw error;
      },
    });
    return () => cache.compile(moduleA, request);
  };
  expectCode("engine/rewriter-bug", failing(new Error("index out of range")));
  expectCode("engine/link", failing(engineErrors.link({ plugin: "p", reason: "" })));
});

test("bytes in shared memory are copied before anyone judges them", () => {
  const shared = new Uint8Array(new SharedArrayBuffer(moduleA.length));
  shared.set(moduleA);
  const { rewrite, asked } = countingRewrite();
  new CompileCache({ rewrite }).compile(shared, request);
  assert.ok(asked[0]?.buffer instanceof ArrayBuffer);
});

test("a module of more than a little code is compiled before its first call, and only such a one", async () => {
  // V8 shares the code of modules with the same bytes, so each has a divisor of its own.
  const largeBy = (divisor: number) => {
    const step = `(local.set 0 (i64.div_u (local.get 0) (i64.const ${divisor})))`;
    return wat(`(func (export "run") (param i64) (result i64) ${step.repeat(40_000)} (local.get 0))`);
  };
  let count = 0;
  const counted: Eagerly = (compile) => {
    count++;
    return eagerlyByFlag(compile);
  };
  const lazily: Eagerly = (compile) => compile();
  const { rewrite } = countingRewrite();
  const firstCallMs = (cache: CompileCache, large: Uint8Array) => {
    const { exports } = new webAssembly.Instance(cache.compile(large, request).module);
    const start = performance.now();
    (exports.run as (value: bigint) => bigint)(9n);
    return performance.now() - start;
  };
  // A hundred times quicker; once in some tries, since the machine may do something else in the middle of a call.
  let [eagerMs, lazyMs, attempt] = [Number.POSITIVE_INFINITY, 0, 0];
  for (; attempt < 5 && eagerMs > lazyMs / 2; attempt++) {
    eagerMs = firstCallMs(new CompileCache({ rewrite, eagerly: counted }), await largeBy(3 + 2 * attempt));
    lazyMs = firstCallMs(new CompileCache({ rewrite, eagerly: lazily }), await largeBy(4 + 2 * attempt));
  }
  assert.ok(eagerMs < lazyMs / 2, `${eagerMs} ms, lazily ${lazyMs} ms`);
  assert.equal(count, attempt);
  new CompileCache({ rewrite, eagerly: counted }).compile(moduleA, request);
  assert.equal(count, attempt);
});
