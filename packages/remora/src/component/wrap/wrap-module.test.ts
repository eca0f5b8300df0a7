import assert from "node:assert/strict";
import { test } from "node:test";
import { transpileBytes } from "@bytecodealliance/jco-transpile";
import {
  componentEmbed,
  componentNew,
  componentWit,
  parse,
} from "@bytecodealliance/jco-transpile/wasm-tools";
import { isRemoraError } from "../../base/index.ts";
import { decodeComponent } from "../binary/decode.ts";
import { load } from "../testing/harness.test.ts";
import { validateComponent } from "../validate/validate.ts";
import { parseWit } from "../wit/resolve.ts";
import { selectWorld } from "../wit/select-world.ts";
import { wrapModule } from "./wrap-module.ts";

interface Guest {
  readonly wit: string;
  readonly wat: string;
}

const worldOf = (wit: string) => selectWorld(parseWit([{ path: "guest.wit", text: wit }]), "guest");

async function wrap({ wit, wat }: Guest): Promise<Uint8Array> {
  return wrapModule(await parse(wat), worldOf(wit), { stringEncoding: "utf8" });
}

async function byWasmTools({ wit, wat }: Guest): Promise<Uint8Array> {
  const embedded = await componentEmbed({
    binary: await parse(wat),
    witSource: wit,
    world: "guest",
    stringEncoding: "utf8",
  });
  return componentNew(embedded);
}

const allocator = `
  (memory (export "memory") 1)
  (global $free (mut i32) (i32.const 1024))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get 3)))
    (local.get $at))`;

const guests: Readonly<Record<string, Guest>> = {
  "numbers, which need no memory": {
    wit: `package a:b@1.0.0;
      world guest { import twice: func(x: u32) -> u32; export run: func(x: u32) -> u32; }`,
    wat: `(module (import "$root" "twice" (func $twice (param i32) (result i32)))
      (func (export "run") (param i32) (result i32) (call $twice (local.get 0))))`,
  },
  "texts both ways, and what is called after a result was read": {
    wit: `package a:b@1.0.0;
      interface host { log: func(text: string); name: func() -> string; unused: func(x: other); record other { a: u8 } }
      interface api { greet: func(name: string) -> string; }
      world guest { import host; export api; }`,
    wat: `(module
      (import "a:b/host@1.0.0" "log" (func $log (param i32 i32)))
      (import "a:b/host@1.0.0" "name" (func $name (param i32)))
      ${allocator}
      (global $after (mut i32) (i32.const 0))
      (func (export "a:b/api@1.0.0#greet") (param i32 i32) (result i32)
        (call $log (local.get 0) (local.get 1))
        (call $name (i32.const 16))
        (i32.const 16))
      (func (export "cabi_post_a:b/api@1.0.0#greet") (param i32)
        (global.set $after (i32.add (global.get $after) (i32.const 1)))))`,
  },
  "every kind of type, in an order that is not that of need": {
    wit: `package a:b@1.0.0;
      interface types {
        record outer { kind: kind, inner: inner, more: list<option<inner>>, pair: tuple<u8, f64>, fixed: list<list<u8>> }
        enum kind { one, two }
        record inner { sets: rights, shape: shape }
        flags rights { read, write }
        variant shape { none, circle(f32), named(string) }
        type number = s64;
        type many = list<inner>;
      }
      interface api {
        use types.{outer, number, many, inner as core};
        record boxed { it: outer, again: outer, tag: tag }
        record tag { mood: mood }
        enum mood { good, bad }
        echo: func(value: boxed) -> boxed;
        check: func(a: number, b: char, c: bool, d: many) -> result<core, string>;
        none: func() -> result;
      }
      world guest { export api; }`,
    wat: `(module ${allocator}
      (func (export "a:b/api@1.0.0#echo") (param i32) (result i32) (local.get 0))
      (func (export "a:b/api@1.0.0#check") (param i64 i32 i32 i32 i32) (result i32)
        (i32.store8 (i32.const 32) (i32.const 1))
        (i32.store (i32.const 36) (i32.const 64)) (i32.store (i32.const 40) (i32.const 0)) (i32.const 32))
      (func (export "a:b/api@1.0.0#none") (result i32) (i32.const 1)))`,
  },
  "a resource that is lent, by an interface whose types are used": {
    wit: `package a:b@1.0.0;
      interface messages { resource message { constructor(x: u32); lat: func() -> f64; text: func() -> string; all: static func() -> u32; } }
      interface api { use messages.{message}; evaluate: func(it: borrow<message>) -> bool; keep: func(it: message); }
      world guest { import messages; export api; }`,
    wat: `(module
      (import "a:b/messages@1.0.0" "[method]message.lat" (func $lat (param i32) (result f64)))
      (import "a:b/messages@1.0.0" "[method]message.text" (func (param i32 i32)))
      (import "a:b/messages@1.0.0" "[constructor]message" (func (param i32) (result i32)))
      (import "a:b/messages@1.0.0" "[resource-drop]message" (func $drop (param i32)))
      ${allocator}
      (func (export "a:b/api@1.0.0#evaluate") (param i32) (result i32)
        (f64.gt (call $lat (local.get 0)) (f64.const 50)) (call $drop (local.get 0)))
      (func (export "a:b/api@1.0.0#keep") (param i32) (call $drop (local.get 0))))`,
  },
  "a resource of its own, with a destructor, and another interface that uses it": {
    wit: `package a:b@1.0.0;
      interface user { use store.{counter}; sum: func(all: list<borrow<counter>>) -> u32; first: func() -> counter; }
      interface store { resource counter { constructor(start: u32); next: func() -> u32; } }
      world guest { export user; export store; export gone: func() -> u32; }`,
    wat: `(module
      (import "[export]a:b/store@1.0.0" "[resource-new]counter" (func $new (param i32) (result i32)))
      (import "[export]a:b/store@1.0.0" "[resource-rep]counter" (func (param i32) (result i32)))
      (import "[export]a:b/store@1.0.0" "[resource-drop]counter" (func (param i32)))
      ${allocator}
      (global $gone (mut i32) (i32.const 0))
      (func (export "a:b/store@1.0.0#[constructor]counter") (param i32) (result i32) (call $new (local.get 0)))
      (func (export "a:b/store@1.0.0#[method]counter.next") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
      (func (export "a:b/store@1.0.0#[dtor]counter") (param i32) (global.set $gone (i32.add (global.get $gone) (local.get 0))))
      (func (export "a:b/user@1.0.0#sum") (param i32 i32) (result i32) (local.get 1))
      (func (export "a:b/user@1.0.0#first") (result i32) (call $new (i32.const 7)))
      (func (export "gone") (result i32) (global.get $gone)))`,
  },
  "types of the world itself, and an interface on both sides": {
    wit: `package a:b@1.0.0;
      interface both { record point { x: f64, y: f64 } move: func(by: point) -> point; }
      world guest {
        use both.{point};
        record line { start: point, end: point }
        import draw: func(it: line) -> string;
        import both;
        export both;
        export middle: func(it: line) -> point;
      }`,
    wat: `(module
      (import "$root" "draw" (func (param f64 f64 f64 f64 i32)))
      (import "a:b/both@1.0.0" "move" (func $move (param f64 f64 i32)))
      ${allocator}
      (func (export "a:b/both@1.0.0#move") (param f64 f64) (result i32)
        (call $move (local.get 0) (local.get 1) (i32.const 16)) (i32.const 16))
      (func (export "middle") (param f64 f64 f64 f64) (result i32)
        (f64.store (i32.const 16) (local.get 0)) (f64.store (i32.const 24) (local.get 3)) (i32.const 16)))`,
  },
};

for (const [what, guest] of Object.entries(guests)) {
  test(`a component has ${what}: it is valid, and of the world that wasm-tools would give it`, async () => {
    const component = await wrap(guest);
    validateComponent(decodeComponent(component));
    assert.equal(await componentWit(component), await componentWit(await byWasmTools(guest)));
    // Validates as wasmtime does.
    await transpileBytes(component, { name: "guest" });
  });
}

test("texts go both ways, through memory that the host's functions only have once the module is there", async () => {
  const logged: string[] = [];
  const host = { log: (text: string) => void logged.push(text), name: () => "remora" };
  const { exports } = load(await wrap(guestOf("texts")), { "a:b/host@1.0.0": host });
  assert.equal(exports.api.greet("höst"), "remora");
  assert.deepEqual(logged, ["höst"]);
});

test("a resource of the guest's own is made, used by another interface, and its destructor called", async () => {
  const { exports } = load(await wrap(guestOf("a resource of its own")));
  const counter = new exports.store.Counter(41);
  assert.equal(counter.next(), 42);
  assert.equal(exports.user.sum([counter, counter]), 2);
  assert.equal(exports.user.first().next(), 8);
  counter[Symbol.dispose]();
  assert.equal(exports.gone(), 41);
});

test("a resource of the host's is lent and given back", async () => {
  class Message {
    readonly #lat: number;
    constructor(lat: number) {
      this.#lat = lat;
    }
    lat() {
      return this.#lat;
    }
    text() {
      return "";
    }
    static all() {
      return 0;
    }
  }
  const { exports } = load(await wrap(guestOf("a resource that is lent")), {
    "a:b/messages@1.0.0": { Message },
  });
  assert.equal(exports.api.evaluate(new Message(52)), true);
  assert.equal(exports.api.evaluate(new Message(12)), false);
});

test("what an initializer does is done before the first call", async () => {
  const component = await wrap({
    wit: "package a:b; world guest { export ready: func() -> bool; }",
    wat: `(module (global $is (mut i32) (i32.const 0))
      (func (export "_initialize") (global.set $is (i32.const 1)))
      (func (export "ready") (result i32) (global.get $is)))`,
  });
  assert.equal(load(component).exports.ready(), true);
});

test("exports may have names that are identifiers", async () => {
  const { wit, wat } = guestOf("a resource of its own");
  const written = [
    ["a:b/store@1.0.0#[constructor]counter", "store_counter_constructor"],
    ["a:b/store@1.0.0#[method]counter.next", "store_counter_next"],
    ["a:b/user@1.0.0#sum", "user_sum"],
  ] as const;
  const renamed = written.reduce((text, [canonical, name]) => text.replace(canonical, name), wat);
  assert.notEqual(renamed, wat);
  assert.deepEqual(await wrap({ wit, wat: renamed }), await wrap({ wit, wat }));
});

test("all that does not fit is told at once: unknown imports, other types, missing exports and memory", async () => {
  const wit = guestOf("texts").wit;
  const wat = `(module
    (import "a:b/hosts@1.0.0" "log" (func (param i32 i32)))
    (import "a:b/host@1.0.0" "log" (func (param i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
    (import "env" "memory" (memory 1))
    (import "a:b/host@1.0.0" "name" (func (param i32)))
    (import "a:b/host@1.0.0" "name" (func (param i32)))
    (import "a:b/host@1.0.0" "unused" (func (param funcref))))`;
  await assert.rejects(wrap({ wit, wat }), (error) => {
    assert.deepEqual(problemsOf(error), [
      'it imports "a:b/hosts@1.0.0" "log", which is no function of the world; did you mean "a:b/host@1.0.0"?',
      'it imports "a:b/host@1.0.0" "log" as (i32) -> (); the world\'s is (i32 i32) -> ()',
      'it imports "wasi_snapshot_preview1" "fd_write", which is no function of the world',
      'it imports "env" "memory", which is no function of the world',
      'it imports "a:b/host@1.0.0" "name" twice, which a component\'s module may not',
      'it imports "a:b/host@1.0.0" "unused" as (funcref) -> (); the world\'s is (i32) -> ()',
      'it does not export "a:b/api@1.0.0#greet", (i32 i32) -> (i32)',
      'it does not export its memory as "memory"',
      'it does not export "cabi_realloc", (i32 i32 i32 i32) -> (i32)',
    ]);
    return true;
  });
});

test("what a module exports for itself has its type, or is refused by name", async () => {
  const { wit, wat } = guestOf("a resource of its own");
  const wrong = wat
    .replace('#[dtor]counter") (param i32)', '#[dtor]counter") (param i64)')
    .replace("(i32.add (global.get $gone) (local.get 0))", "(i32.const 0)")
    .replace(
      "(global $gone",
      `(func (export "_initialize") (param i32))
      (func (export "cabi_post_a:b/user@1.0.0#sum") (param i64)) (global $gone`,
    );
  await assert.rejects(wrap({ wit, wat: wrong }), (error) => {
    assert.deepEqual(problemsOf(error), [
      'it exports "cabi_post_a:b/user@1.0.0#sum" as (i64) -> (); the world\'s is (i32) -> ()',
      'it exports "_initialize" as (i32) -> (); the world\'s is () -> ()',
      'it exports "a:b/store@1.0.0#[dtor]counter" as (i64) -> (); the world\'s is (i32) -> ()',
    ]);
    return true;
  });
});

test("functions that are asynchronous, and values that come later, are refused by name", async () => {
  const wit = `package a:b; interface types { record held { it: stream<u8> } }
    world guest { use types.{held}; export slow: async func(); export give: func(it: list<held>); }`;
  await assert.rejects(wrap({ wit, wat: "(module)" }), (error) => {
    assert.deepEqual(problemsOf(error), [
      '"slow" of the world is asynchronous, which is not wrapped here',
      '"give" of the world has a stream, which is not wrapped here',
    ]);
    return true;
  });
});

function guestOf(beginning: string): Guest {
  const found = Object.entries(guests).find(([what]) => what.startsWith(beginning));
  assert.ok(found);
  return found[1];
}

function problemsOf(error: unknown): unknown {
  assert.ok(isRemoraError(error));
  assert.equal(error.code, "component/cannot-wrap");
  return (error.details as { problems: unknown }).problems;
}
