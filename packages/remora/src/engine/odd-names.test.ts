/** Names that JavaScript gives a meaning of its own: a guest that exports them is called like any other. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { openArtifact } from "./artifact.ts";
import { openIsolation } from "./isolation/open.ts";
import { defaultLimits } from "./limits.ts";
import { load } from "./load.ts";

/** A resource with one more function, `[method]t.…` or `[static]t.…`. */
function resourceWith(name: string): Promise<Uint8Array> {
  const isMethod = name.startsWith("[method]");
  return parse(`(component
    (core module $m
      (import "h" "new" (func $new (param i32) (result i32)))
      (func (export "make") (result i32) (call $new (i32.const 5)))
      (func (export "f") ${isMethod ? "(param i32)" : ""} (result i32) (i32.const 9)))
    (type $t' (resource (rep i32)))
    (core func $new (canon resource.new $t'))
    (core instance $i (instantiate $m (with "h" (instance (export "new" (func $new))))))
    (export $t "t" (type $t'))
    (func (export "make") (result (own $t)) (canon lift (core func $i "make")))
    (func (export "[constructor]t") (result (own $t)) (canon lift (core func $i "make")))
    (func (export "${name}") ${isMethod ? '(param "self" (borrow $t))' : ""} (result u32)
      (canon lift (core func $i "f"))))`);
}

/** By what the test asks for. */
type Members = Readonly<Record<string, () => unknown>>;

test("whatever a guest calls a function of a resource, it loads, makes objects and is called", async () => {
  for (const label of [
    "prototype",
    "name",
    "length",
    "constructor",
    "then",
    "to-string",
    "to-json",
    "apply",
  ]) {
    for (const kind of ["static", "method"] as const) {
      const name = label.replace(/-(.)/, (_, letter: string) => letter.toUpperCase());
      const key = label === "then" || label === "prototype" ? `${label}_` : name;
      const { exports } = await load<{ T: (new () => Members) & Members }>(
        await resourceWith(`[${kind}]t.${label}`),
      );
      const made = new exports.T();
      assert.ok(made instanceof exports.T, label);
      assert.equal((kind === "method" ? made : exports.T)[key]?.(), 9, label);
    }
  }
});

for (const level of ["inline", "worker", "process"] as const) {
  test(`${level}: an object with a method called then is a result, and nothing that is waited for`, async () => {
    await using isolation = openIsolation(level);
    const artifact = openArtifact(await resourceWith("[method]t.then"));
    const guest = await isolation.instantiate(artifact, { limits: defaultLimits, imports: {} });
    const { result } = await guest.call("make", []);
    assert.equal(await (result as Members).then_?.(), 9);
  });
}

test("an interface with a function called then is an object, and nothing that is waited for", async () => {
  const bytes = await parse(`(component
    (core module $m (func (export "f") (result i32) (i32.const 7)))
    (core instance $i (instantiate $m))
    (func $f (result u32) (canon lift (core func $i "f")))
    (instance $filter (export "then" (func $f)) (export "evaluate" (func $f)))
    (export "test:odd/filter" (instance $filter)))`);
  const { exports } = await load<{ filter: Members }>(bytes);
  assert.deepEqual(Object.keys(await exports.filter), ["then_", "evaluate"]);
});

test("a core module's exports are looked up by their names, whatever those are", async () => {
  const names = ["__proto__", "then", "constructor", "toString"];
  const functions = names.map((name, index) => `(func (export "${name}") (result i32) (i32.const ${index}))`);
  const instance = await load(await parse(`(module ${functions.join(" ")})`));
  for (const [index, name] of names.entries()) assert.equal(instance.call(name, []).result, index);
});

test("what every object has is no host function: an import of that name is missing", async () => {
  for (const name of ["toString", "constructor", "__proto__", "hasOwnProperty"]) {
    const bytes = await parse(`(module (import "env" "${name}" (func)) (import "${name}" "name" (func)))`);
    await assert.rejects(load(bytes, { imports: { env: {} } }), { code: "policy/imports-refused" });
  }
});

const inherited = ["constructor", "to-string", "value-of", "has-own-property", "is-prototype-of"];
const camel = (name: string) => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

/** A component whose export gives back what it is given, through memory or as core values. */
function echoOf(type: string, core: readonly string[], size: number): Promise<Uint8Array> {
  const stores = core.map(
    (kind, index) => `(${kind}.store offset=${index * 4} (i32.const 0) (local.get ${index}))`,
  );
  return parse(`(component
    (core module $m (memory (export "m") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
      (func (export "f") (param ${core.join(" ")}) (result i32) ${size > 4 ? `${stores.join(" ")} (i32.const 0)` : "(local.get 0)"}))
    (core instance $i (instantiate $m))
    (alias core export $i "m" (core memory $memory))
    (type $t' ${type}) (export $t "t" (type $t'))
    (func (export "f") (param "of" $t) (result $t)
      (canon lift (core func $i "f") (memory $memory) (realloc (core func $i "realloc")))))`);
}

type Echo = { f(of: unknown): unknown };

class Plain {
  toString(): string {
    return "of the class";
  }
}

test("a field that is named like what every object has is a field: given when it is the object's own, else left out", async () => {
  for (const name of inherited) {
    const key = camel(name);
    const record = (type: string) => `(record (field "other" u32) (field "${name}" ${type}))`;
    const needed = (await load<Echo>(await echoOf(record("u32"), ["i32", "i32"], 8))).exports;
    const text = (await load<Echo>(await echoOf(record("string"), ["i32", "i32", "i32"], 12))).exports;
    const core = ["i32", "i32", "i32"];
    const optional = (await load<Echo>(await echoOf(record("(option u32)"), core, 12))).exports;
    // Often enough that objects are read at places of their own.
    for (let times = 0; times < 300; times++) {
      const given = needed.f({ other: 1, [key]: 7 }) as Record<string, unknown>;
      assert.deepEqual(
        [Object.entries(given), Object.getPrototypeOf(given)],
        [
          [
            ["other", 1],
            [key, 7],
          ],
          Object.prototype,
        ],
      );
      for (const left of [{ other: 1 }, Object.assign(new Plain(), { other: 1 })]) {
        assert.throws(() => needed.f(left), { code: "component/type-mismatch" }, name);
        assert.throws(() => text.f(left), { code: "component/type-mismatch" }, name);
        assert.deepEqual(Object.entries(optional.f(left) as object), [
          ["other", 1],
          [key, undefined],
        ]);
      }
    }
    assert.equal(Object.hasOwn({}, key), false);
  }
});

test("cases and flags that are named like what every object has are taken for themselves alone", async () => {
  const cases = inherited.map((name) => `(case "${name}" u32)`).join(" ");
  const variant = (await load<Echo>(await echoOf(`(variant ${cases})`, ["i32", "i32"], 8))).exports;
  const quoted = inherited.map((name) => `"${name}"`).join(" ");
  const choice = (await load<Echo>(await echoOf(`(enum ${quoted})`, ["i32"], 4))).exports;
  const flags = (await load<Echo>(await echoOf(`(flags ${quoted})`, ["i32"], 4))).exports;
  for (const name of inherited) {
    assert.deepEqual(variant.f({ tag: name, val: 7 }), { tag: name, val: 7 });
    assert.equal(choice.f(name), name);
    const set = flags.f({ [camel(name)]: true }) as object;
    assert.deepEqual(
      Object.entries(set),
      inherited.map((each) => [camel(each), each === name]),
    );
  }
  assert.deepEqual(
    Object.values(flags.f({}) as object),
    inherited.map(() => false),
  );
  assert.deepEqual(
    Object.values(flags.f(new Plain()) as object),
    inherited.map(() => false),
  );
  for (const other of ["__proto__", "propertyIsEnumerable", "toString"]) {
    assert.throws(() => variant.f({ tag: other, val: 7 }), { code: "component/type-mismatch" });
    assert.throws(() => choice.f(other), { code: "component/type-mismatch" });
  }
  assert.throws(() => variant.f({}), { code: "component/type-mismatch" });
});
