import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { ComponentError } from "../../component/index.ts";
import type { Grant } from "../../policy/index.ts";
import type { keyvalueStore } from "../preview2/keyvalue.ts";
import type { logging } from "../preview2/logging.ts";
import type { SandboxOptions } from "../sandbox-imports.ts";
import { expectEnded, interfaceOf, testSandbox } from "../testing/sandboxes.ts";
import { KeyValueStore } from "./store.ts";

const bytes = (content: string) => new TextEncoder().encode(content);
const bounds = { kvKeysMax: 1_000, kvValueBytesMax: 1_000_000, kvBytesMax: 100_000 };

/** In memory, and in a file. */
function withStores(
  visit: (open: (limits?: Partial<typeof bounds>) => KeyValueStore, kind: string) => void,
): void {
  visit((limits) => new KeyValueStore({ ...bounds, ...limits }), "memory");
  const folder = mkdtempSync(join(tmpdir(), "remora-kv-"));
  try {
    visit((limits) => new KeyValueStore({ ...bounds, ...limits }, join(folder, "pairs")), "file");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("what is set is got again, until it is deleted", () => {
  withStores((open, kind) => {
    const store = open();
    const value = bytes("1");
    assert.equal(store.set("a", value), undefined);
    value[0] = 0;
    assert.deepEqual([...(store.get("a") ?? [])], [49], "a copy was kept");
    store.set("a", bytes("22"));
    store.set("", bytes("empty"));
    for (const key of ["__proto__", "é", "a\0b", "'; DROP TABLE pairs; --"]) {
      store.set(key, bytes(key));
      assert.deepEqual([...(store.get(key) ?? [])], [...bytes(key)], `${kind} ${key}`);
    }
    store.delete("a");
    store.delete("none");
    assert.equal(store.get("a"), undefined);
    assert.equal(store.keysUsed, 5);
    store.close();
  });
});

test("keys are listed in pages, each once", () => {
  withStores((open) => {
    const store = open();
    const all = Array.from({ length: 600 }, (_, index) => `k${String(index).padStart(3, "0")}`);
    for (const key of [...all].reverse()) store.set(key, bytes("x"));
    const found: string[] = [];
    let cursor: string | undefined;
    do {
      const page = store.list(cursor);
      assert.ok(page.keys.length <= 256);
      found.push(...page.keys);
      cursor = page.cursor;
    } while (cursor !== undefined);
    assert.deepEqual(found, all);
    store.close();
  });
});

test("keys, bytes and the length of a key are bounded, and what goes makes room", () => {
  withStores((open) => {
    const store = open({ kvKeysMax: 2, kvValueBytesMax: 1_000_000, kvBytesMax: 10 });
    assert.equal(store.set("a", bytes("12345678")), undefined);
    assert.equal(store.bytesUsed, 9);
    assert.equal(store.set("b", bytes("1")), "quota");
    assert.equal(store.set("a", bytes("1234567890")), "quota");
    assert.equal(store.set("a", bytes("1")), undefined);
    assert.equal(store.set("b", bytes("")), undefined);
    assert.equal(store.set("c", bytes("")), "quota");
    store.delete("b");
    assert.equal(store.set("c", bytes("")), undefined);
    assert.equal(store.set("é".repeat(513), bytes("")), "key-too-long");
    store.close();
  });
});

test("a store in a file is there again, with what it holds counted", () => {
  const folder = mkdtempSync(join(tmpdir(), "remora-kv-"));
  try {
    const file = join(folder, "pairs");
    const first = new KeyValueStore(bounds, file);
    first.set("é", bytes("123"));
    first.close();
    const again = new KeyValueStore(bounds, file);
    assert.deepEqual([again.keysUsed, again.bytesUsed], [1, 5]);
    assert.deepEqual([...(again.get("é") ?? [])], [...bytes("123")]);
    again.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const kv: Grant = { capability: "kv.store" };

function openGuest(options: Partial<SandboxOptions> = {}) {
  const tested = testSandbox({ grants: [kv], ...options });
  const store = interfaceOf<ReturnType<typeof keyvalueStore>>(
    tested.instance,
    "wasi:keyvalue/store@0.2.0-draft2",
  );
  return { ...tested, store };
}

function payloadOf(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    assert.ok(error instanceof ComponentError, String(error));
    return error.payload;
  }
  return assert.fail("expected an error result");
}

test("threads that fill one store together get no more than its quota", async () => {
  const folder = mkdtempSync(join(tmpdir(), "remora-kv-"));
  try {
    const file = join(folder, "pairs");
    const small = { kvKeysMax: 150, kvValueBytesMax: 1_000_000, kvBytesMax: 100_000 };
    const url = new URL("./store.ts", import.meta.url).href;
    const racer = `
      const { workerData, parentPort, threadId } = require("node:worker_threads");
      import(workerData.url).then(({ KeyValueStore }) => {
        const store = new KeyValueStore(workerData.small, workerData.file);
        let kept = 0;
        for (let index = 0; index < 100; index++) {
          if (store.set(threadId + ":" + index, new Uint8Array(10)) === undefined) kept++;
        }
        store.close();
        parentPort.postMessage(kept);
      });`;
    const kept = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const worker = new Worker(racer, { eval: true, workerData: { url, file, small } });
        const [count] = (await once(worker, "message")) as [number]; // what the racer posts
        return count;
      }),
    );
    const store = new KeyValueStore(small, file);
    assert.deepEqual([kept.reduce((sum, count) => sum + count, 0), store.keysUsed], [150, 150]);
    store.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a file from before its usage was kept is counted when it is opened", () => {
  const folder = mkdtempSync(join(tmpdir(), "remora-kv-"));
  try {
    const file = join(folder, "pairs");
    const database = new DatabaseSync(file);
    database.exec("CREATE TABLE pairs (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID");
    database.exec("INSERT INTO pairs VALUES ('é', x'010203')");
    database.close();
    const store = new KeyValueStore(bounds, file);
    assert.deepEqual([store.keysUsed, store.bytesUsed], [1, 5]);
    store.set("é", bytes("1"));
    store.delete("none");
    assert.deepEqual([store.keysUsed, store.bytesUsed], [1, 3]);
    store.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a guest opens its own store and no other, when that is granted", () => {
  const { store, audit } = openGuest({ limits: { kvBytesMax: 10 } });
  const bucket = store.open("default");
  bucket.set("a", bytes("1"));
  assert.ok(store.open("").exists("a"));
  assert.deepEqual(bucket.listKeys(undefined), { keys: ["a"], cursor: undefined });
  assert.deepEqual(
    payloadOf(() => bucket.set("b", new Uint8Array(20))),
    { tag: "other", val: "quota" },
  );
  assert.deepEqual(
    payloadOf(() => store.open("other-plugin")),
    { tag: "no-such-store" },
  );
  assert.equal(audit.entries()[0]?.capability, "kv.store");
  const denied = openGuest({ grants: [] });
  assert.deepEqual(
    payloadOf(() => denied.store.open("default")),
    { tag: "access-denied" },
  );
  assert.ok(!openGuest().store.open("default").exists("a"), "another plugin has another store");
});

test("buckets are bounded like other handles", () => {
  const { store } = openGuest({ limits: { handlesMax: 2 } });
  const first = store.open("");
  store.open("");
  expectEnded("sandbox/limit-exceeded", () => store.open(""));
  first[Symbol.dispose]();
  store.open("");
});

test("a log line keeps its level and context, loses its escapes, and needs the capability", () => {
  const { instance, lines } = testSandbox({ grants: [{ capability: "log.write" }] });
  const found = interfaceOf<ReturnType<typeof logging>>(instance, "wasi:logging/logging@0.1.0-draft");
  found.log("error", "nav", "lost\u001b[2J\nfix");
  found.log("debug", "", "plain");
  assert.deepEqual(
    lines.map((line) => [line.from, line.level, line.text]),
    [
      ["log", "error", "nav: lost\\u{1b}[2J\\u{a}fix"],
      ["log", "debug", "plain"],
    ],
  );
  const denied = testSandbox();
  interfaceOf<ReturnType<typeof logging>>(denied.instance, "wasi:logging/logging@0.1.0-draft").log(
    "info",
    "",
    "x",
  );
  assert.deepEqual(denied.lines, []);
  assert.equal(denied.audit.entries()[0]?.answer, "denied");
  assert.equal(denied.instance.component("wasi:logging/logging@0.1.0"), undefined);
});
