import assert from "node:assert/strict";
import { test } from "node:test";
import { isRemoraError } from "../base/index.ts";
import { decodeComponent } from "./binary/decode.ts";
import { prepareComponent } from "./prepare.ts";
import { allocator } from "./testing/guests.test.ts";
import { codeOf, componentFromWat, type Loaded, load } from "./testing/harness.test.ts";

/** A component around one core module, whose functions are lifted under their own names. */
async function guest(options: {
  readonly core: string;
  readonly funcs: Readonly<Record<string, string>>;
  readonly before?: string;
  readonly args?: string;
  readonly options?: string;
}): Promise<Uint8Array> {
  const lifts = Object.entries(options.funcs).map(
    ([name, type]) =>
      `(func (export "${name}") ${type} (canon lift (core func $i "${name}")
        (memory (core memory $i "memory")) (realloc (core func $i "cabi_realloc")) ${options.options ?? ""}))`,
  );
  return componentFromWat(`(component
    ${options.before ?? ""}
    (core module $m ${options.core})
    (core instance $i (instantiate $m ${options.args ?? ""}))
    ${lifts.join("\n")})`);
}

/** The call traps, and the instance is not to be used again. */
function expectTrap(loaded: Loaded, run: () => unknown): void {
  assert.equal(codeOf(run), "component/trap");
  assert.equal(loaded.engine.state, "poisoned");
}

const handles = await guest({
  before: `
    (core module $t (table (export "t") 1 funcref))
    (type $r (resource (rep i32)))
    (core func $new (canon resource.new $r))
    (core func $drop (canon resource.drop $r))
    (core func $rep (canon resource.rep $r))
    (type $other (resource (rep i32)))
    (core func $new-other (canon resource.new $other))`,
  core: `
    (import "" "new" (func $new (param i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (import "" "rep" (func $rep (param i32) (result i32)))
    (import "" "new-other" (func $new-other (param i32) (result i32)))
    ${allocator}
    (func (export "forge") (param i32) (result i32) (call $rep (local.get 0)))
    (func (export "drop-twice") (local $h i32)
      (local.set $h (call $new (i32.const 1)))
      (call $drop (local.get $h))
      (call $drop (local.get $h)))
    (func (export "wrong-type") (result i32) (call $rep (call $new-other (i32.const 1))))
    (func (export "many") (loop $again (drop (call $new (i32.const 1))) (br $again)))`,
  args: `(with "" (instance (export "new" (func $new)) (export "drop" (func $drop)) (export "rep" (func $rep))
    (export "new-other" (func $new-other))))`,
  funcs: {
    forge: '(param "handle" u32) (result u32)',
    "drop-twice": "",
    "wrong-type": "(result u32)",
    many: "",
  },
});

for (const handle of [0, 1, 77, 0x7fff_ffff, 0xffff_ffff]) {
  test(`a forged handle ${handle} is a trap`, () => {
    const loaded = load(handles);
    expectTrap(loaded, () => loaded.exports.forge(handle));
  });
}

test("a handle that was dropped is a trap, and so is one of another type", () => {
  const first = load(handles);
  expectTrap(first, () => first.exports.dropTwice());
  const second = load(handles);
  expectTrap(second, () => second.exports.wrongType());
});

test("a guest that hoards handles is stopped before the host's memory is", () => {
  const loaded = load(handles);
  expectTrap(loaded, () => loaded.exports.many());
});

const results = await guest({
  core: `
    ${allocator}
    (func $pair (param $pointer i32) (param $length i32) (result i32)
      (i32.store (i32.const 8) (local.get $pointer))
      (i32.store (i32.const 12) (local.get $length))
      (i32.const 8))
    (func (export "text") (param i32 i32) (result i32) (call $pair (local.get 0) (local.get 1)))
    (func (export "words") (param i32 i32) (result i32) (call $pair (local.get 0) (local.get 1)))
    (func (export "records") (param i32 i32) (result i32) (call $pair (local.get 0) (local.get 1)))
    (func (export "far") (param i32) (result i32) (local.get 0))
    (func (export "code") (param i32) (result i32) (local.get 0))
    (func (export "choice") (param i32) (result i32) (local.get 0))
    (data (i32.const 64) "\\c3\\28\\ed\\a0\\80\\f5\\80\\80\\80ok")`,
  funcs: {
    text: '(param "at" u32) (param "length" u32) (result string)',
    words: '(param "at" u32) (param "length" u32) (result (list u32))',
    records: '(param "at" u32) (param "length" u32) (result (list (tuple u64 u64)))',
    far: '(param "at" u32) (result (tuple u32 u32))',
    code: '(param "code" u32) (result char)',
    choice: '(param "index" u32) (result (option (tuple)))'.replace("(option (tuple))", "(result)"),
  },
});

const badResults: readonly (readonly [string, string, readonly number[]])[] = [
  ["a string out of bounds", "text", [65_530, 10]],
  ["a string whose end overflows 32 bits", "text", [0xffff_fff0, 0x20]],
  ["a string of 2^31 bytes", "text", [0, 2 ** 31]],
  ["a string that is not UTF-8", "text", [64, 2]],
  ["a string with a surrogate in UTF-8", "text", [66, 3]],
  ["a string beyond the last character", "text", [69, 4]],
  ["a list of 2^31 elements", "words", [0, 2 ** 31]],
  ["a list whose size overflows 32 bits", "words", [0, 2 ** 30 + 1]],
  ["a list out of bounds", "words", [65_532, 2]],
  ["a misaligned list", "words", [2, 1]],
  ["a misaligned empty list", "words", [1, 0]],
  ["records whose size overflows 32 bits", "records", [0, 2 ** 28]],
  ["a result at a misaligned place", "far", [2]],
  ["a result out of bounds", "far", [0xffff_fffc]],
  ["a surrogate as a character", "code", [0xd800]],
  ["a character beyond Unicode", "code", [0x11_0000]],
  ["a case that there is not", "choice", [2]],
];

for (const [what, name, args] of badResults) {
  test(`${what} is a trap`, () => {
    const loaded = load(results);
    expectTrap(loaded, () => loaded.exports[name](...args));
  });
}

test("what is in bounds to its last byte is lifted", () => {
  const { exports } = load(results);
  assert.equal(exports.text(73, 2), "ok");
  assert.equal(exports.text(65_536, 0), "");
  assert.deepEqual(exports.words(65_532, 1), Uint32Array.of(0));
  assert.equal(exports.code(0x10_ffff), "\u{10ffff}");
});

test("lists that share memory are counted as often as they are handed over", async () => {
  const bytes = await guest({
    core: `(memory (export "memory") 32)
      (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
      (func (export "bomb") (param $count i32) (result i32) (local $at i32)
        (local.set $at (i32.const 65536))
        (loop $again
          (i32.store (local.get $at) (i32.const 0))
          (i32.store offset=4 (local.get $at) (i32.const 1048576))
          (local.set $at (i32.add (local.get $at) (i32.const 8)))
          (br_if $again (i32.lt_u (local.get $at) (i32.const 131072))))
        (i32.store (i32.const 0) (i32.const 65536))
        (i32.store (i32.const 4) (local.get $count))
        (i32.const 0))`,
    funcs: { bomb: '(param "count" u32) (result (list (list u8)))' },
  });
  assert.equal(load(bytes).exports.bomb(10).length, 10);
  const loaded = load(bytes);
  expectTrap(loaded, () => loaded.exports.bomb(8_000));
});

const reallocs: readonly (readonly [string, string])[] = [
  ["misaligned", "(i32.const 2)"],
  ["out of bounds", "(i32.const 65536)"],
  ["at the end of the address space", "(i32.const -4)"],
  ["which traps", "unreachable"],
];

for (const [what, body] of reallocs) {
  test(`an allocator that gives memory ${what} fails the call and poisons the instance`, async () => {
    const bytes = await guest({
      core: `(memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) ${body})
        (func (export "take") (param i32 i32))`,
      funcs: { take: '(param "words" (list u32))' },
    });
    const { exports, engine } = load(bytes);
    assert.throws(() => exports.take([1, 2]));
    assert.equal(engine.state, "poisoned");
  });
}

test("an allocator may not call out of the component", async () => {
  const bytes = await guest({
    before: `(import "host" (func $host)) (core func $h (canon lower (func $host)))`,
    core: `(import "" "host" (func $host))
      (memory (export "memory") 1)
      (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (call $host) (i32.const 64))
      (func (export "take") (param i32 i32))`,
    args: '(with "" (instance (export "host" (func $h))))',
    funcs: { take: '(param "bytes" (list u8))' },
  });
  const called: string[] = [];
  const loaded = load(bytes, { host: () => called.push("host") });
  expectTrap(loaded, () => loaded.exports.take([1]));
  assert.deepEqual(called, []);
});

test("lone surrogates of the host become U+FFFD, whatever the encoding", async () => {
  for (const encoding of ["utf8", "utf16", "latin1+utf16"]) {
    const bytes = await guest({
      core: `${allocator}
        (func (export "echo") (param i32 i32) (result i32)
          (i32.store (i32.const 8) (local.get 0)) (i32.store (i32.const 12) (local.get 1)) (i32.const 8))`,
      funcs: { echo: '(param "text" string) (result string)' },
      options: `string-encoding=${encoding}`,
    });
    const { exports } = load(bytes);
    for (const text of [
      "",
      "plain",
      "Å",
      "snowman ☃",
      "𐍈".repeat(50),
      "ÿ".repeat(80),
      `${"x".repeat(60)}☃`,
    ]) {
      assert.equal(exports.echo(text), text, encoding);
    }
    assert.equal(exports.echo("a\ud800b"), "a\ufffdb", encoding);
    assert.equal(exports.echo(`${"a".repeat(50)}\udc00`), `${"a".repeat(50)}\ufffd`, encoding);
  }
});

/** Header of a component and its sections. */
function component(...sections: readonly (readonly number[])[]): Uint8Array {
  return Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0, ...sections.flat());
}

function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}

/** An index where a type may stand: signed, and here never negative. */
function typeIndex(value: number): number[] {
  return value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...typeIndex(value >>> 7)];
}

function section(id: number, ...content: number[]): number[] {
  return [id, ...leb(content.length), ...content];
}

function prepareCode(bytes: Uint8Array): string {
  return codeOf(() => prepareComponent(decodeComponent(bytes)));
}

test("types inside types inside types end at a limit", () => {
  const depth = 5_000;
  // Each is a list of the one before.
  const types = [
    0x70,
    0x7d,
    ...Array.from({ length: depth }, (_, index) => [0x70, ...typeIndex(index)]).flat(),
  ];
  assert.equal(prepareCode(component(section(7, ...leb(depth + 1), ...types))), "component/limit");
});

test("types that double with each definition end at the size that values may have", () => {
  const depth = 90;
  const types = [
    0x6f,
    1,
    0x77,
    ...Array.from({ length: depth }, (_, index) => [
      0x6f,
      2,
      ...typeIndex(index),
      ...typeIndex(index),
    ]).flat(),
  ];
  assert.equal(prepareCode(component(section(7, ...leb(depth + 1), ...types))), "component/invalid");
});

test("variants that double with each definition are measured in time", () => {
  const depth = 90;
  const same = (index: number) => [0x6a, 1, ...typeIndex(index), 1, ...typeIndex(index)];
  const types = [0x6a, 1, 0x77, 1, 0x77, ...Array.from({ length: depth }, (_, index) => same(index)).flat()];
  const bytes = component(section(7, ...leb(depth + 1), ...types));
  assert.equal(prepareCode(bytes), "nothing thrown");
});

test("components inside components end at a limit", () => {
  let bytes = component();
  for (let depth = 0; depth < 200; depth++) bytes = component([4, ...leb(bytes.length), ...bytes]);
  assert.equal(prepareCode(bytes), "component/limit");
});

test("a component that instantiates a million instances is refused before it makes one", async () => {
  let text = "(component $c0)";
  for (let level = 1; level <= 6; level++) {
    const instances = `(instance (instantiate $c${level - 1}))`.repeat(10);
    text = `(component $c${level} ${text} ${instances})`;
  }
  assert.equal(prepareCode(await componentFromWat(text)), "component/limit");
});

test("types copied by instantiation after instantiation end at a limit", async () => {
  const exportsOf = (level: number) =>
    Array.from({ length: 10 }, (_, index) => `(export "e${index}" (instance $i${level}-${index}))`).join("");
  let text = `(component $c0 (type $r (resource (rep i32))) (export "r" (type $r)))`;
  for (let level = 1; level <= 3; level++) {
    const instances = Array.from(
      { length: 10 },
      (_, index) => `(instance $i${level}-${index} (instantiate $c${level - 1}))`,
    ).join("");
    text = `(component $c${level} ${text} ${instances} ${exportsOf(level)})`;
  }
  assert.equal(prepareCode(await componentFromWat(text)), "component/limit");
});

test("large things looked at over and over end at a limit", async () => {
  const exports = Array.from({ length: 1_000 }, (_, index) => `(export "e${index}" (type $t))`).join("");
  const instances = "(instance (instantiate $c))".repeat(4_000);
  const text = `(component (component $c (type $t (list u8)) ${exports}) ${instances})`;
  assert.equal(prepareCode(await componentFromWat(text)), "component/limit");
});

test("functions of a thousand parameters and records of ten thousand fields are the most there are", () => {
  const params = (count: number) =>
    component(
      section(
        7,
        1,
        0x40,
        ...leb(count),
        ...Array.from({ length: count }, (_, index) => [5, ...Buffer.from(`p${1000 + index}`), 0x7d]).flat(),
        1,
        0,
      ),
    );
  assert.equal(prepareCode(params(1_000)), "nothing thrown");
  assert.equal(prepareCode(params(1_001)), "component/limit");
});

test("vectors that claim more than there is are refused before anything is kept for them", () => {
  for (const id of [2, 3, 5, 6, 7, 8, 10, 11]) {
    assert.equal(
      prepareCode(component(section(id, 0xff, 0xff, 0xff, 0xff, 0x0f))),
      "component/malformed",
      `${id}`,
    );
  }
});

test("what is malformed names the byte", () => {
  assert.throws(
    () => decodeComponent(component([99, 0])),
    (error) =>
      isRemoraError(error, "component/malformed") && (error.details as { offset: number }).offset === 8,
  );
});

test("more fields and names than allowed are a limit, however few definitions there are", () => {
  const names = Array.from({ length: 30 }, (_, index) => [2, 0x61, 0x61 + (index % 26)]).flat();
  const bytes = component(section(7, 1, 0x6d, 30, ...names));
  assert.equal(
    codeOf(() => decodeComponent(bytes, { itemsMax: 29 })),
    "component/limit",
  );
  assert.equal(
    codeOf(() => decodeComponent(bytes, { itemsMax: 30 })),
    "nothing thrown",
  );
});

test("more definitions than allowed are a limit", () => {
  const bytes = component(section(7, 3, 0x7f, 0x7f, 0x7f));
  assert.equal(
    codeOf(() => decodeComponent(bytes, { definitionsMax: 2 })),
    "component/limit",
  );
  assert.equal(
    codeOf(() => decodeComponent(bytes, { definitionsMax: 3 })),
    "nothing thrown",
  );
});
