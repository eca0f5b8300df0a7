import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { hash } from "node:crypto";
import { test } from "node:test";
import { promisify } from "node:util";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { defaultDecodeLimits } from "../wasm/limits.ts";
import { meterSteps } from "../wasm/metering/meter-module.ts";
import { openArtifact } from "./artifact.ts";
import type { Eagerly, Rewrite } from "./compile.ts";
import { CompileCache, compileRequest } from "./compile-cache.ts";
import type { Instance } from "./instance.ts";
import { defaultLimits } from "./limits.ts";
import { damaged, memoryStore } from "./testing/memory-store.test.ts";
import { webAssembly } from "./webassembly.ts";

const request = compileRequest("plugin", {
  mode: "fuel",
  profile: "default",
  memoryPagesMax: 16,
  tableElementsMax: 100,
  stack: true,
});

/** Whatever is made here. */
type Runs = Instance & { readonly exports: { readonly run: (...given: readonly bigint[]) => unknown } };

/** A module that is large enough to be prepared aside; `run` gives its constant. */
function large(constant: number, more = ""): Promise<Uint8Array> {
  return parse(print(constant, more));
}

function print(constant: number, more = ""): string {
  const step = "(local.set 0 (i64.div_u (local.get 0) (i64.const 3)))";
  const filler = Array.from(
    { length: 60 },
    (_, index) => `(func $f${index} (param i64) (result i64) ${step.repeat(160 + index)} (local.get 0))`,
  );
  return `(module ${more} ${filler.join("\n")}
    (func (export "run") (result i32) (i32.const ${constant})))`;
}

/** The rewriter, and how often it was asked. */
function counting(): { readonly rewrite: Rewrite; readonly count: () => number } {
  let count = 0;
  return {
    rewrite(original, options) {
      count++;
      return meterSteps(original, options);
    },
    count: () => count,
  };
}

test("a large module is prepared while the event loop turns, and is there at once afterwards", async () => {
  const { rewrite, count } = counting();
  const longSteps = 5;
  const slowly: Rewrite = function* (original, options) {
    for (let step = 0; step < longSteps; step++) {
      const startedMs = performance.now();
      while (performance.now() - startedMs < 5);
      yield;
    }
    return yield* rewrite(original, options);
  };
  const cache = new CompileCache({ rewrite: slowly });
  const bytes = await large(1);
  let turns = 0;
  let isOver = false;
  const turn = () => {
    turns++;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  await cache.prepare(bytes, request);
  isOver = true;
  assert.ok(turns >= longSteps, `${turns} turns`);
  const compiled = cache.compile(bytes, request);
  assert.equal(cache.compile(Uint8Array.from(bytes), request), compiled);
  await cache.prepare(bytes, request);
  await cache.prepare(Uint8Array.from(bytes), request);
  assert.equal(cache.compile(bytes, request), compiled);
  assert.equal(count(), 1);
});

test("who prepares the same at the same time shares it, and who cannot wait does not", async () => {
  const { rewrite, count } = counting();
  const cache = new CompileCache({ rewrite });
  const bytes = await large(2);
  const prepared = [bytes, bytes, Uint8Array.from(bytes)].map((each) => cache.prepare(each, request));
  const compiled = cache.compile(bytes, request);
  const { sizeBytes } = cache.kept;
  await Promise.all(prepared);
  assert.equal(count(), 2);
  assert.equal(cache.compile(bytes, request), compiled);
  assert.deepEqual(cache.kept, { modules: 1, sizeBytes });
});

test("for a process a large module is rewritten once and aside, and nothing is compiled", async () => {
  const { rewrite, count } = counting();
  const cache = new CompileCache({ rewrite });
  const bytes = await large(9);
  const all = [bytes, bytes, Uint8Array.from(bytes)];
  await Promise.all(all.map((each) => cache.prepare(each, request, { as: "rewritten" })));
  await cache.prepare(bytes, request, { as: "rewritten" });
  const sent = cache.rewritten(bytes, request);
  assert.equal(cache.rewritten(bytes, request), sent);
  assert.equal(count(), 1);
  assert.deepEqual(cache.kept, { modules: 0, sizeBytes: 0 });
  assert.deepEqual(sent.bytes, new CompileCache().rewritten(bytes, request).bytes);
});

test("what a process would refuse is refused before it is sent, and who is to blame", async () => {
  const bytes = await large(10);
  const invalid = Uint8Array.from(bytes);
  // No operator; behind the limits, which nobody checks in it.
  invalid[invalid.lastIndexOf(0x41)] = 0x27;
  const refused = new CompileCache().prepare(invalid, request, { as: "rewritten" });
  await assert.rejects(refused, { code: "engine/invalid-module", fault: "publisher" });
  const wrong: Rewrite = function* (original, options) {
    const metered = yield* meterSteps(original, options);
    return { ...metered, bytes: metered.bytes.subarray(0, -1) };
  };
  const cache = new CompileCache({ rewrite: wrong });
  const bug = { code: "engine/rewriter-bug", fault: "platform" };
  await assert.rejects(cache.prepare(bytes, request, { as: "rewritten" }), bug);
  assert.throws(() => cache.rewritten(bytes, request), bug);
});

test("what runs is what was judged, whatever becomes of the bytes meanwhile", async () => {
  const bytes = await large(3);
  const artifact = openArtifact(bytes, { cache: new CompileCache() });
  const prepared = artifact.prepare(defaultLimits);
  const at = bytes.lastIndexOf(0x41) + 1;
  assert.equal(bytes[at], 3);
  bytes[at] = 4;
  await prepared;
  const instance = artifact.instantiate({ imports: {}, limits: defaultLimits }) as Runs;
  assert.equal(instance.exports.run(), 3);
});

test("what nobody changes is rewritten as it lies, under the digest that is known", async (t) => {
  const bytes = await large(12);
  const copied = t.mock.method(Uint8Array, "from");
  const rewritten: Uint8Array[] = [];
  const rewrite: Rewrite = (original, options) => {
    rewritten.push(original);
    return meterSteps(original, options);
  };
  const sha256 = hash("sha256", bytes);
  const artifact = openArtifact(bytes, { cache: new CompileCache({ rewrite }), sha256 });
  await artifact.prepare(defaultLimits);
  assert.equal(rewritten[0], bytes);
  assert.equal(artifact.digest, sha256);
  assert.ok(copied.mock.calls.every(({ arguments: [from] }) => from !== bytes));
  const instance = artifact.instantiate({ imports: {}, limits: defaultLimits }) as Runs;
  assert.equal(instance.exports.run(), 12);
  assert.equal(rewritten.length, 1);
});

test("V8 looks at an original while it is rewritten, and not before all of it was found within the limits", async (t) => {
  const compile = t.mock.method(webAssembly, "compile");
  const validate = t.mock.method(webAssembly, "validate");
  const looked: number[] = [];
  const watched: Rewrite = function* (original, options, onRead) {
    const steps = meterSteps(original, options, () => {
      looked.push(compile.mock.callCount());
      onRead?.();
      looked.push(compile.mock.callCount());
    });
    return yield* steps;
  };
  const good = await large(11);
  await new CompileCache({ rewrite: watched }).prepare(good, request);
  assert.deepEqual(looked, [0, 1]);
  assert.equal(compile.mock.callCount(), 2);
  compile.mock.resetCalls();
  const small = { ...defaultDecodeLimits, bodyWork: 500 };
  const narrow = compileRequest("plugin", { ...request.options, sizes: small });
  await assert.rejects(new CompileCache().prepare(good, narrow), { code: "wasm/limit" });
  assert.equal(compile.mock.callCount() + validate.mock.callCount(), 0);
});

test("what cannot be taken is refused as it is without preparing, and is asked again the next time", async () => {
  const { rewrite, count } = counting();
  const cache = new CompileCache({ rewrite });
  const good = await large(5);
  const invalid = Uint8Array.from(good);
  // No operator; behind the limits, which nobody checks in it.
  invalid[invalid.lastIndexOf(0x41)] = 0x27;
  for (let time = 1; time <= 2; time++) {
    await assert.rejects(cache.prepare(invalid, request), { code: "engine/invalid-module" });
    assert.equal(count(), time);
  }
  const reserved = await large(6, '(global (export "__remora:mine") i32 (i32.const 1))');
  await assert.rejects(cache.prepare(reserved, request), { code: "wasm/reserved-name" });
  const small = compileRequest("plugin", {
    ...request.options,
    sizes: { ...defaultDecodeLimits, functions: 3 },
  });
  await assert.rejects(cache.prepare(good, small), { code: "wasm/limit" });
  const failing = new CompileCache({
    rewrite: () => {
      throw new Error("not for such bytes");
    },
  });
  await assert.rejects(failing.prepare(good, request), { code: "engine/rewriter-bug" });
  await assert.rejects(failing.prepare(invalid, request), { code: "engine/invalid-module" });
  assert.equal(cache.kept.modules, 0);
});

test("a rewrite that V8 refuses does not run and is not kept", async () => {
  const store = memoryStore();
  const cutting: Rewrite = function* (original, options) {
    const metered = yield* meterSteps(original, options);
    return { ...metered, bytes: metered.bytes.subarray(0, -2) };
  };
  const cache = new CompileCache({ rewrite: cutting, store });
  await assert.rejects(cache.prepare(await large(7), request), { code: "engine/rewriter-bug" });
  assert.equal(cache.kept.modules, 0);
  assert.equal(store.files.size, 0);
});

test("what a process before has kept is taken, unless it is damaged", async () => {
  const store = memoryStore();
  const bytes = await large(8);
  const first = new CompileCache({ store });
  await first.prepare(bytes, request);
  await first.settled();
  const [[name, kept] = ["", new Uint8Array()]] = store.files;
  const { rewrite, count } = counting();
  await new CompileCache({ rewrite, store }).prepare(bytes, request);
  assert.equal(count(), 0);
  const bad = damaged(kept);
  for (let time = 0; time < 5; time++) {
    store.files.set(name, bad.next().value);
    const before = count();
    await new CompileCache({ rewrite, store }).prepare(bytes, request);
    assert.equal(count(), before + 1);
  }
});

test("a prepared module is compiled whole, whatever is compiled at once meanwhile", async () => {
  // V8 shares the code of modules with the same bytes, so each has a divisor of its own.
  const heavy = (divisor: number) => {
    const step = `(local.set 0 (i64.div_u (local.get 0) (i64.const ${divisor})))`;
    return parse(
      `(module (func (export "run") (param i64) (result i64) ${step.repeat(40_000)} (local.get 0)))`,
    );
  };
  const lazily: Eagerly = (compile) => compile();
  const firstCallMs = async (cache: CompileCache, divisor: number) => {
    const artifact = openArtifact(await heavy(divisor), { cache });
    const prepared = artifact.prepare(defaultLimits);
    new CompileCache().compile(await large(divisor), request);
    await prepared;
    const { exports } = artifact.instantiate({ imports: {}, limits: defaultLimits }) as Runs;
    const startedMs = performance.now();
    exports.run(9n);
    return performance.now() - startedMs;
  };
  let [wholeMs, lazyMs] = [Number.POSITIVE_INFINITY, 0];
  // A hundred times quicker; once in some tries, since the machine may do something else in the middle of a call.
  for (let attempt = 0; attempt < 5 && wholeMs > lazyMs / 2; attempt++) {
    wholeMs = await firstCallMs(new CompileCache(), 100 + 2 * attempt);
    lazyMs = await firstCallMs(new CompileCache({ eagerly: lazily }), 101 + 2 * attempt);
  }
  assert.ok(wholeMs < lazyMs / 2, `${wholeMs} ms, lazily ${lazyMs} ms`);
});

test("a process does not end before what it prepares is there", async () => {
  const engine = new URL("index.ts", import.meta.url).href;
  const script = `
    import { load } from ${JSON.stringify(engine)};
    const { exports } = await load(Uint8Array.from(Buffer.from(process.argv[1], "base64")));
    process.stdout.write(String(exports.run()));`;
  const base64 = Buffer.from(await large(11)).toString("base64");
  const args = ["--input-type=module", "--eval", script, base64];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  assert.equal(stdout, "11");
});

test("a component's large modules are prepared as well, those that it instantiates", async () => {
  const { rewrite, count } = counting();
  const text = (name: string, constant: number) =>
    print(constant).replace("(module ", `(core module $${name} `);
  const bytes = await parse(`(component
    ${text("used", 12)} ${text("unused", 13)}
    (core instance $made (instantiate $used))
    (func (export "run") (result s32) (canon lift (core func $made "run"))))`);
  const artifact = openArtifact(bytes, { cache: new CompileCache({ rewrite }) });
  await artifact.prepare(defaultLimits);
  assert.equal(count(), 1);
  const instance = artifact.instantiate({ imports: {}, limits: defaultLimits }) as Runs;
  assert.equal(instance.exports.run(), 12);
  assert.equal(count(), 1);
});
