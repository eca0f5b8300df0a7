import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { parseWit } from "./resolve.ts";
import { generateTypes, type TypesOptions } from "./typescript.ts";

const everything = `package local:demo@1.2.0;

/// Types that others use.
interface shapes {
  /// A record.
  record person {
    /// Years.
    age: u8,
    full-name: option<string>,
    nested: option<option<u32>>,
  }
  /// One of them. It does not end here: */
  variant human {
    baby,
    /// With its age.
    child(u64),
    adult(person),
    maybe(option<string>),
  }
  enum errno { too-big, too-small }
  flags permissions { read, read-write }
  type point = tuple<f32, f64>;
  type maybe = option<string>;
  type outcome = result<u32, errno>;
  type %map = u32;
  record lists {
    a: list<u8>, b: list<s8>, c: list<u16>, d: list<s16>, e: list<u32>, f: list<s32>, g: list<u64>, h: list<s64>,
    i: list<f32>, j: list<f64>, k: list<bool>, l: list<char>, m: list<string>, n: list<list<u8>>,
    o: list<option<u8>>, p: list<person>, q: list<u8, 4>, r: list<point>, s: list<%map>,
  }
}

interface store {
  use shapes.{person, human as kind, errno, outcome, maybe};

  /// A bucket of things.
  resource bucket {
    /// Opens one.
    constructor(name: string);
    @since(version = 1.1.0)
    get: func(key: string) -> option<person>;
    put: func(key: string, value: borrow<bucket>) -> result<_, errno>;
    merge: static func(a: bucket, b: bucket) -> bucket;
  }
  resource lent { size: func() -> u64; }
  resource made { same: static func(a: borrow<made>, b: borrow<made>) -> bool; }

  open: func(default: string) -> result<bucket, errno>;
  lend: func() -> lent;
  new: func(k: kind) -> outcome;
  old: func(n: maybe) -> result;
  @since(version = 1.0.0) @deprecated(version = 1.1.0)
  gone: func();
}

/// All of it.
world everything {
  use shapes.{permissions};
  type size = u32;
  import store;
  import print: func(text: string, rights: permissions) -> size;
  import logger: interface { enum level { low, high } log: func(at: level); }
  export store;
  export run: async func(args: list<string>) -> result<map<string, u32>, string>;
  export shapes;
}
`;

const consumer = `
import type { Everything, EverythingImports, Store, Shapes } from "./everything.d.ts";

declare const guest: Everything;
const bucket: Store.Bucket = new guest.store.Bucket("a");
const person: Shapes.Person | undefined = bucket.get("key");
const age: number | undefined = person?.age;
const name: string | undefined = person?.fullName;
bucket.put("key", bucket);
bucket[Symbol.dispose]();
const merged: Store.Bucket = guest.store.Bucket.merge(bucket, bucket);
const opened: Store.Bucket = guest["local:demo/store@1.2.0"].open("x");
const size: bigint = guest.store.lend().size();
const outcome: number = guest.store.new({ tag: "child", val: 3n });
guest.store.new({ tag: "baby" });
guest.store.new({ tag: "maybe" });
guest.store.old(undefined);
const result: Promise<Map<string, number>> = guest.run(["a", "b"]);

export const imports: EverythingImports = {
  print: (text, rights) => (rights.readWrite ? text.length : 0),
  logger: { log: (level) => void (level === "low") },
  "local:demo/store@1.2.0": {
    Bucket: class {
      constructor(name: string) { void name; }
      get() { return { age: 1, nested: { tag: "none" as const } }; }
      put(key: string, value: { get(key: string): unknown }) { value.get(key); }
      static merge<B>(a: B, b: B) { void b; return a; }
    },
    Lent: { size: () => 3n },
    Made: class { readonly id = 1; static same(a: unknown, b: unknown) { return a === b; } },
    open() { throw new Error(); },
    lend: () => ({ size: () => 1n }),
    new: (kind) => (kind.tag === "child" ? Number(kind.val) : 0),
    old() {},
    gone() {},
  },
};
const anyNames: Readonly<Record<string, unknown>> = imports;
const lists: Pick<Shapes.Lists, "a" | "g" | "j" | "k" | "n" | "q" | "s"> = {
  a: new Uint8Array(), g: new BigUint64Array(), j: new Float64Array(), k: [true], n: [new Uint8Array()], q: new Uint8Array(4), s: new Uint32Array(),
};
// @ts-expect-error an enum has no other case
const wrong: Shapes.Errno = "too-large";
// @ts-expect-error a u64 is a bigint
guest.store.new({ tag: "child", val: 3 });
export { anyNames, age, name, merged, opened, size, outcome, result, lists, wrong };
`;

/** The same world for a host whose functions take time. */
const asyncConsumer = `
import type { Everything, EverythingImports, Store } from "./everything.d.ts";

declare const guest: Everything;
const bucket: Store.Bucket = await new guest.store.Bucket("a");
const age: number | undefined = (await bucket.get("key"))?.age;
const done: Promise<void> = bucket.put("key", bucket);
bucket[Symbol.dispose]();
const merged: Store.Bucket = await guest.store.Bucket.merge(bucket, bucket);
const size: bigint = await (await guest.store.lend()).size();
const result: Map<string, number> = await guest.run(["a", "b"]);

export const imports: EverythingImports = {
  print: async (text) => text.length,
  logger: { log: async () => {} },
  "local:demo/store@1.2.0": {
    Bucket: class {
      constructor(name: string) { void name; }
      async get() { return { age: 1, nested: { tag: "none" as const } }; }
      async put(key: string, value: { get(key: string): unknown }) { value.get(key); }
      static merge<B>(a: B, b: B) { void b; return a; }
    },
    Lent: { size: async () => 3n },
    Made: class { readonly id = 1; static same(a: unknown, b: unknown) { return a === b; } },
    open: async () => { throw new Error(); },
    lend: () => ({ size: () => 1n }),
    new: async () => 0,
    old() {},
    async gone() {},
  },
};
// @ts-expect-error a call gives a promise
const tooEarly: bigint = guest.store.lend().size();
// @ts-expect-error the promise is of another type
const wrong: Pick<EverythingImports, "print"> = { print: async () => "text" };
export { age, done, merged, size, result, tooEarly, wrong };
`;

describe("types of a world", () => {
  test("compile under strict, and fit how guests are called and hosts written", () => {
    const folder = mkdtempSync(join(tmpdir(), "remora-types-"));
    try {
      writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
      writeFileSync(join(folder, "everything.d.ts"), typesOf(everything, "everything"));
      writeFileSync(join(folder, "consumer.ts"), consumer);
      assert.equal(compile(folder, "consumer.ts"), "");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("where all calls give promises, compile under strict, and fit such guests and hosts", () => {
    const folder = mkdtempSync(join(tmpdir(), "remora-types-"));
    try {
      writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
      writeFileSync(join(folder, "everything.d.ts"), typesOf(everything, "everything", { allAsync: true }));
      writeFileSync(join(folder, "consumer.ts"), asyncConsumer);
      assert.equal(compile(folder, "consumer.ts"), "");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  const types = typesOf(everything, "everything");

  test("carry the documentation, and what gates say", () => {
    assert.match(types, /\/\*\* All of it\. \*\/\nexport type Everything = \{/);
    assert.match(types, /\/\*\* Years\. \*\/\n {4}age: number;/);
    assert.match(
      types,
      /\/\*\* @deprecated since 1\.1\.0 \*\/|@since 1\.0\.0\n {3}\* @deprecated since 1\.1\.0/,
    );
    assert.match(types, /@throws \{ComponentError\} with the payload `Store\.Errno`/);
  });

  test("documentation does not end its comment early", () => {
    assert.match(types, /It does not end here: \*\\\//);
  });

  test("results at the top level return or throw; elsewhere they are tagged", () => {
    assert.match(types, /"new"\(k: \w+\.Kind\): number;/);
    assert.match(
      types,
      /export type Outcome = \{ tag: "ok"; val: number \} \| \{ tag: "err"; val: Errno \};/,
    );
  });

  test("an option of an option tells its two absences apart", () => {
    assert.match(types, /nested: \{ tag: "none" \} \| \{ tag: "some"; val: number \| undefined \};/);
  });

  test("asynchronous functions give promises; streams, futures and error contexts are the platform's own", () => {
    const text = `package local:flow;
      interface flow {
        pour: async func(bytes: stream<u8>, lines: stream<string>) -> future<u32>;
        fail: async func() -> result<stream<u8>, error-context>;
      }
      world w { import flow; export flow; }`;
    const flow = typesOf(text, "w");
    assert.match(
      flow,
      /pour\(bytes: AsyncIterable<Uint8Array>, lines: AsyncIterable<string>\): Promise<Promise<number>>;/,
    );
    assert.match(flow, /fail\(\): Promise<AsyncIterable<Uint8Array>>;/);
    const folder = mkdtempSync(join(tmpdir(), "remora-types-"));
    try {
      writeFileSync(join(folder, "flow.d.ts"), flow);
      assert.equal(compile(folder, "flow.d.ts"), "");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("two interfaces of one name get names of their own", () => {
    const text = `package local:demo;
      package a:one { interface types { f: func(); } }
      package a:two { interface types { g: func(); } }
      world w { import a:one/types; import a:two/types; }`;
    const both = typesOf(text, "w");
    assert.match(both, /"a:one\/types": Types;/);
    assert.match(both, /"a:two\/types": ATwoTypes;/);
  });
});

function typesOf(text: string, name: string, options: TypesOptions = {}): string {
  const world = parseWit([{ path: "a.wit", text }]).root.worlds.get(name);
  assert.ok(world !== undefined);
  return generateTypes(world, options);
}

/** What the compiler complains about, under stricter options than `strict`. */
function compile(folder: string, file: string): string {
  const compiler = join(
    dirname(createRequire(import.meta.url).resolve("typescript/package.json")),
    "bin/tsc",
  );
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      compiler,
      ...["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess"],
      ...["--verbatimModuleSyntax", "--isolatedModules", "--allowImportingTsExtensions"],
      ...[
        "--target",
        "es2024",
        "--lib",
        "es2024,esnext.disposable",
        "--types",
        "",
        "--module",
        "nodenext",
        file,
      ],
    ],
    { cwd: folder, encoding: "utf8" },
  );
  return stdout + stderr;
}
