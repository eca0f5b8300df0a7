import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { isRemoraError, type RemoraError } from "../base/index.ts";
import { isBundle, readContainer, writeContainer } from "./container.ts";
import { nameKey, nameProblem } from "./entry-name.ts";
import { type BundleLimits, defaultBundleLimits } from "./limits.ts";

const utf8 = new TextEncoder();
const digestOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();

interface Row {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** What differs from a stored file. */
  readonly packed?: Uint8Array;
  readonly method?: number;
  readonly sizeBytes?: number;
  readonly sha256?: Uint8Array;
}

/** A bundle as somebody hostile writes it: every field as they like it. */
function forged(rows: readonly Row[], { count = rows.length, behind = [] as number[] } = {}): Uint8Array {
  const u16 = (value: number) => [value & 255, value >> 8];
  const u32 = (value: number) => [...u16(value & 0xffff), ...u16(value >>> 16)];
  const contents = [
    ...u32(count),
    ...rows.flatMap(({ name, bytes, sizeBytes = bytes.length, sha256 = digestOf(bytes) }) => [
      ...u32(sizeBytes),
      ...sha256,
      ...u16(utf8.encode(name).length),
      ...utf8.encode(name),
    ]),
  ];
  const packing = rows.flatMap(({ bytes, packed = bytes, method = 0 }) => [
    method,
    ...u32(packed.length),
    ...digestOf(packed),
  ]);
  const blocks = rows.flatMap(({ bytes, packed = bytes }) => [...packed]);
  const head = [...utf8.encode("remora"), 0, 1, ...u32(contents.length), ...u32(0)];
  return Uint8Array.from([...head, ...contents, ...packing, ...blocks, ...behind]);
}

function expectRefused(
  code: string,
  bytes: Uint8Array,
  limits: BundleLimits = defaultBundleLimits,
): RemoraError {
  try {
    const container = readContainer(bytes, limits);
    for (const entry of container.entries) container.unpack(entry);
  } catch (error) {
    assert.ok(isRemoraError(error, code), `expected ${code}: ${error}`);
    const { offset } = error.details as { offset: number };
    assert.ok(offset >= 0 && offset <= bytes.length, `offset ${offset} of ${bytes.length}`);
    return error;
  }
  assert.fail(`expected ${code}`);
}

const one = (name: string): Row => ({ name, bytes: utf8.encode(name) });

test("what is written is read again, file by file", () => {
  const name = fc
    .string({ unit: fc.constantFrom(..."abcXYZ019._-@+/"), minLength: 1, maxLength: 30 })
    .filter((text) => nameProblem(text) === undefined);
  const files = fc.uniqueArray(fc.tuple(name, fc.uint8Array({ maxLength: 300 })), {
    selector: ([text]) => nameKey(text),
    maxLength: 12,
  });
  fc.assert(
    fc.property(files, (list) => {
      const container = readContainer(writeContainer(new Map(list)), defaultBundleLimits);
      assert.equal(container.entries.length, list.length);
      for (const entry of container.entries) {
        const bytes = list.find(([text]) => text === entry.name)?.[1] ?? assert.fail(entry.name);
        assert.deepEqual([...container.unpack(entry)], [...bytes]);
        assert.equal(entry.sha256, digestOf(bytes).toString("hex"));
      }
    }),
  );
});

test("the order in which files come changes no byte", () => {
  const files = Object.entries({ b: "2".repeat(500), a: "1", "c/d": "3" }).map(
    ([name, text]) => [name, utf8.encode(text)] as const,
  );
  const written = writeContainer(new Map(files));
  assert.deepEqual(writeContainer(new Map(files.toReversed())), written);
});

test("the digest is about the files: it is the same on every machine and however they are packed", () => {
  const bytes = utf8.encode("x".repeat(10_000));
  const stored = readContainer(forged([{ name: "a.txt", bytes }]), defaultBundleLimits);
  const deflated = readContainer(writeContainer(new Map([["a.txt", bytes]])), defaultBundleLimits);
  assert.equal(deflated.digest, stored.digest);
  assert.equal(stored.digest, "6aa6dc0b4877ed37ea37a4145df4370466d56bc175c051bc4dda658d886e215f");
  assert.ok((deflated.entries[0]?.packedBytes ?? Infinity) < 100);
});

test("names that leave the bundle, or are no file's name somewhere, are refused", () => {
  for (const name of [
    "/etc/passwd",
    "../evil",
    "a/../../evil",
    "a/./b",
    "..",
    ".",
    "a//b",
    "a/",
    "",
    "a\\..\\evil",
    "C:evil",
    "nul",
    "sub/COM1.txt",
    "a.",
    "a\0b",
    "a\nb",
    "ä",
    "n".repeat(201),
  ]) {
    expectRefused(name.length > 200 ? "bundle/limit" : "bundle/bad-name", forged([one(name)]));
  }
});

test("a name that is there twice is refused, also when only case tells the two apart", () => {
  expectRefused("bundle/duplicate-name", forged([one("a"), one("a")]));
  expectRefused("bundle/duplicate-name", forged([one("README.md"), one("readme.md")]));
});

test("files stand in one order, so that one set of files has one digest", () => {
  expectRefused("bundle/malformed", forged([one("b"), one("a")]));
});

test("10,000 files are refused before any of them is looked at", () => {
  const rows = Array.from({ length: 10_000 }, (_, at) => one(`f${String(at).padStart(5, "0")}`));
  expectRefused("bundle/limit", forged(rows));
  expectRefused("bundle/limit", forged([], { count: 10_000 }));
  expectRefused("bundle/limit", forged([], { count: 0xffff_ffff }));
});

test("a bomb of compression stops at the size that it declares, and that is bounded", () => {
  const bomb = deflateRawSync(new Uint8Array(50_000_000), { level: 9 });
  const small = { ...one("bomb"), packed: bomb, method: 1 };
  expectRefused("bundle/malformed", forged([{ ...small, sizeBytes: 60_000 }]));
  expectRefused("bundle/limit", forged([{ ...small, sizeBytes: 0xffff_ffff }]));
  const half = { ...small, sizeBytes: 6_000_000 };
  expectRefused("bundle/limit", forged([half, { ...half, name: "second" }]), {
    ...defaultBundleLimits,
    bytesMax: 10_000_000,
  });
});

test("a file whose digest is wrong, packed or unpacked, is not given out", () => {
  const bytes = utf8.encode("x".repeat(1_000));
  const packed = deflateRawSync(bytes);
  const other = digestOf(utf8.encode("other"));
  expectRefused("bundle/malformed", forged([{ name: "a", bytes, sha256: other }]));
  expectRefused("bundle/wrong-digest", forged([{ name: "a", bytes, packed, method: 1, sha256: other }]));
  const whole = forged([{ name: "a", bytes }]);
  whole[whole.length - 1] = 0x79;
  expectRefused("bundle/wrong-digest", whole);
});

test("packed bytes end where the file ends, and a method is one of two", () => {
  const bytes = utf8.encode("x".repeat(1_000));
  const packed = deflateRawSync(bytes);
  const longer = Uint8Array.from([...packed, 0, 0]);
  expectRefused("bundle/malformed", forged([{ name: "a", bytes, packed: longer, method: 1 }]));
  expectRefused("bundle/malformed", forged([{ name: "a", bytes, packed: packed.subarray(2), method: 1 }]));
  expectRefused("bundle/malformed", forged([{ name: "a", bytes, packed, method: 1, sizeBytes: 1_001 }]));
  expectRefused("bundle/malformed", forged([{ name: "a", bytes, packed, method: 2 }]));
  expectRefused("bundle/malformed", forged([{ name: "a", bytes, packed, method: 0 }]));
});

test("nothing is left over, at the end or between the parts", () => {
  expectRefused("bundle/malformed", forged([one("a")], { behind: [0] }));
  expectRefused("bundle/unexpected-end", forged([one("a")]).subarray(0, -1));
  expectRefused("bundle/malformed", forged([one("a")], { count: 0 }));
});

test("another format, another version and nothing are no bundle, and say what they start with", () => {
  for (const bytes of [[], [0x50, 0x4b, 3, 4], [...utf8.encode("remora"), 0, 2, 0, 0, 0, 0, 0, 0, 0, 0]]) {
    expectRefused("bundle/not-a-bundle", Uint8Array.from(bytes));
    assert.equal(isBundle(Uint8Array.from(bytes)), false);
  }
});

test("whatever follows the first bytes is a container or a coded error", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const whole = Uint8Array.from([...utf8.encode("remora"), 0, 1, ...bytes]);
      try {
        readContainer(whole, defaultBundleLimits);
      } catch (error) {
        assert.ok(isRemoraError(error), String(error));
      }
    }),
    { numRuns: 2_000 },
  );
});
