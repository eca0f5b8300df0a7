import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { decodeComponent, prepareComponent } from "../component/index.ts";
import { planVersion } from "../component/link/plan.ts";
import { counterGuest, filterGuest, lazyGuest } from "../component/testing/guests.test.ts";
import { PlainEngine } from "../component/testing/harness.test.ts";
import { CompileCache } from "./compile-cache.ts";
import { askingBytes } from "./testing/async-guests.test.ts";
import { damaged, memoryStore } from "./testing/memory-store.test.ts";

const guests = {
  filter: await filterGuest(),
  lazy: await lazyGuest(),
  counter: await counterGuest(),
  asking: askingBytes,
};

const digestOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

async function openedBy(store = memoryStore(), bytes = guests.filter) {
  const cache = new CompileCache({ store });
  try {
    return cache.component(bytes, digestOf(bytes));
  } finally {
    await cache.settled();
  }
}

for (const [name, bytes] of Object.entries(guests)) {
  test(`the kept plan of ${name} is the plan, and its modules lie in the component`, async () => {
    const store = memoryStore();
    const made = await openedBy(store, bytes);
    const kept = await openedBy(store, bytes);
    assert.equal(store.writes, 1);
    const { instantiate: _, ...data } = made;
    assert.deepEqual({ ...kept, instantiate: undefined }, { ...data, instantiate: undefined });
    for (const module of kept.coreModules) assert.equal(module.buffer, bytes.buffer);
    const steps = kept.plan.steps.flatMap((step) => (step.kind === "core-instance" ? [step.module] : []));
    for (const module of steps) assert.ok(module.kind === "bytes" && kept.coreModules.includes(module.bytes));
  });
}

test("an instance of a kept plan answers, and its resources are its own", async () => {
  const store = memoryStore();
  await openedBy(store, guests.counter);
  const kept = await openedBy(store, guests.counter);
  const { exports } = kept.instantiate({ engine: new PlainEngine() });
  // biome-ignore lint/suspicious/noExplicitAny: exports of types that only exist at run time
  const { counters } = exports as any;
  const counter = new counters.Counter(40);
  assert.equal(counter.increment(2), 42);
});

test("a plan that was cut or changed is made anew and never believed", async () => {
  const store = memoryStore();
  const { plan: expected } = await openedBy(store);
  const [[name, good] = ["", new Uint8Array(0)]] = store.files;
  for (const content of damaged(good)) {
    store.files.set(name, content);
    const writes = store.writes;
    const { plan } = await openedBy(store);
    assert.deepEqual(plan, expected);
    assert.equal(store.writes, writes + 1);
  }
});

test("a plan in the place of another's is made anew", async () => {
  const store = memoryStore();
  await openedBy(store, guests.counter);
  const [other = new Uint8Array(0)] = store.files.values();
  const { plan } = await openedBy(store, guests.lazy);
  for (const name of store.files.keys()) store.files.set(name, other);
  const again = await openedBy(store, guests.lazy);
  assert.deepEqual(again.plan, plan);
});

test("what is refused is refused again, and leaves no plan", async () => {
  const store = memoryStore();
  const bad = guests.filter.slice(0, -1);
  for (let time = 0; time < 2; time++) await assert.rejects(openedBy(store, bad));
  assert.equal(store.files.size, 0);
});

/**
 * The same plan gives the same text, which is not true of the bytes that V8 makes of it. How long the core modules of the
 * guests are, and where they lie, says nothing about plans.
 */
function textOf(bytes: Uint8Array): string {
  const { plan } = prepareComponent(decodeComponent(bytes));
  return JSON.stringify(plan, (key, value: unknown) => {
    if (value instanceof Map) return [...value];
    if (value instanceof Uint8Array) return "bytes";
    return key === "offset" ? undefined : value;
  });
}

test("a plan that says something else has another version", () => {
  const text = Object.values(guests).map(textOf).join();
  // When this fails, what plans say has changed: raise `planVersion`, and put the new digest here.
  assert.deepEqual(
    { planVersion, digest: digestOf(Buffer.from(text)).slice(0, 16) },
    {
      planVersion: 1,
      digest: "dd186c88318bc25a",
    },
  );
});
