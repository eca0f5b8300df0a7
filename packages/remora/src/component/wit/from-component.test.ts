import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  componentEmbed,
  componentNew,
  componentWit,
  parse,
} from "@bytecodealliance/jco-transpile/wasm-tools";
import fc from "fast-check";
import { isRemoraError } from "../../base/index.ts";
import { decodeComponent } from "../binary/decode.ts";
import { printWit, witOf } from "./from-component.ts";
import type { World } from "./model.ts";
import { printPackages } from "./print.ts";
import { parseWit } from "./resolve.ts";
import { generateTypes } from "./typescript.ts";

const demo = `package local:demo@1.2.0;

interface shapes {
  record person { age: u8, full-name: option<string>, friends: list<string> }
  variant human { baby, child(u64), adult(person) }
  enum errno { too-big, too-small }
  flags permissions { read, %write }
  type point = tuple<f32, f64>;
  type points = list<point>;
  type names = list<string>;
}

interface store {
  use shapes.{person, human as kind, errno};
  resource bucket {
    constructor(name: string);
    get: func(key: string) -> option<person>;
    put: func(key: string, value: borrow<bucket>) -> result<_, errno>;
    merge: static func(a: bucket, b: bucket) -> bucket;
  }
  record pair { a: bucket, b: bucket }
  open: func(name: string) -> result<pair, errno>;
  look: func(k: kind, p: tuple<u8, option<list<char>>>) -> result;
}

interface late { use store.{bucket}; use shapes.{names}; keep: func(b: bucket, n: names) -> bool; }

world both {
  import store;
  import print: func(text: string) -> u32;
  import logger: interface { enum level { low, high } log: func(at: level); }
  export late;
  export run: func(args: list<string>) -> result<u32, string>;
}

world guest { export store; export late; export shapes; }
`;

/** Types of an imported interface that nothing names are not in the component. */
const unusedBy: Readonly<Record<string, readonly string[]>> = {
  both: [
    "export interface Permissions {",
    "read?: boolean;",
    "write?: boolean;",
    "export type Point = [number, number];",
    "export type Points = readonly Point[];",
  ],
  guest: [],
};

describe("the world of a component", () => {
  for (const name of ["both", "guest"]) {
    test(`has the types of the world "${name}" that it was built for, and uses`, async () => {
      const world = worldOf(demo, name);
      const found = comparable(rootOf(witOf(decodeComponent(await emptyComponent(demo, world.id)))));
      const built = comparable(world).filter((line) => !unusedBy[name]?.includes(line));
      assert.deepEqual(found, built);
    });

    test(`is printed so that it reads back as the same, for "${name}"`, async () => {
      const component = decodeComponent(await emptyComponent(demo, worldOf(demo, name).id));
      const read = parseWit([{ path: "printed.wit", text: printWit(component) }]);
      assert.deepEqual(comparable(rootOf(read)), comparable(rootOf(witOf(component))));
    });

    test(`imports and exports what wasm-tools says, for "${name}"`, async () => {
      const bytes = await emptyComponent(demo, worldOf(demo, name).id);
      const found = rootOf(witOf(decodeComponent(bytes)));
      const interfaces = (text: string, kind: string) =>
        [...text.matchAll(new RegExp(`${kind} ([^;]+);`, "g"))]
          .map((match) => match[1])
          .filter((id) => id?.includes("/"));
      const theirs = await componentWit(bytes);
      const ours = (items: World["imports"]) => [...items.keys()].filter((key) => key.includes("/"));
      assert.deepEqual(ours(found.imports).sort(), interfaces(theirs, "import").sort());
      assert.deepEqual(ours(found.exports).sort(), interfaces(theirs, "export").sort());
    });
  }
});

test("of a component that is given instances of another one's instance, only what is exported is shown", async () => {
  const component = decodeComponent(
    await parse(`(component
      (component $wasi
        (type (func (result u8)))
        (core module $m (func (export "f") (result i32) (i32.const 7)))
        (core instance $i (instantiate $m))
        (func $f (type 0) (canon lift (core func $i "f")))
        (instance $cli (export "f" (func $f)))
        (export "wasi:cli/exit@0.2.0" (instance $cli)))
      (instance $made (instantiate $wasi))
      (alias export $made "wasi:cli/exit@0.2.0" (instance $exit))
      (component $guest
        (import "wasi:cli/exit@0.2.0" (instance $exit (export "f" (func (result u8)))))
        (instance $own (export "g" (func $exit "f")))
        (export "a:b/own@1.0.0" (instance $own)))
      (instance $plugin (instantiate $guest (with "wasi:cli/exit@0.2.0" (instance $exit))))
      (alias export $plugin "a:b/own@1.0.0" (instance $own))
      (export "a:b/own@1.0.0" (instance $own)))`),
  );
  const root = rootOf(witOf(component));
  assert.deepEqual([...root.imports.keys()], []);
  assert.deepEqual([...root.exports.keys()], ["a:b/own@1.0.0"]);
  assert.match(printWit(component), /g: func\(\) -> u8;/);
});

describe("a component that means harm", () => {
  test("types that unfold to more than anyone can read are refused", async () => {
    const tuples = Array.from(
      { length: 40 },
      (_, index) => `(type $t${index + 1} (tuple $t${index} $t${index}))`,
    );
    const text = `(component (type $t0 (list u8)) ${tuples.join("\n")}
      (import "f" (func (param "a" $t40))))`;
    await refused(text, "component/limit");
  });

  test("components that instantiate the one before twice are refused before they are all walked", async () => {
    const levels = Array.from(
      { length: 30 },
      (_, index) => `(component $c${index + 1}
        (alias outer 1 $c${index} (component $c))
        (instance (instantiate $c)) (instance (instantiate $c)))`,
    );
    await refused(
      `(component (component $c0) ${levels.join("\n")} (instance (instantiate $c30)))`,
      "component/limit",
    );
  });

  test("whatever is changed in its bytes, it is read or refused with a code", async () => {
    const bytes = await emptyComponent(demo, worldOf(demo, "both").id);
    const change = fc.record({ at: fc.nat(bytes.length - 1), value: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const changed = bytes.slice();
        for (const { at, value } of changes) changed[at] = value;
        try {
          parseWit([{ path: "printed.wit", text: printWit(decodeComponent(changed)) }]);
        } catch (error) {
          assert.ok(isRemoraError(error), String(error));
        }
      }),
      { numRuns: 500 },
    );
  });

  async function refused(text: string, code: string): Promise<void> {
    const component = decodeComponent(await parse(text));
    assert.throws(
      () => printWit(component),
      (error) => isRemoraError(error, code) || assert.fail(String(error)),
    );
  }
});

function worldOf(text: string, name: string): World {
  const world = parseWit([{ path: "demo.wit", text }]).root.worlds.get(name);
  assert.ok(world !== undefined);
  return world;
}

function rootOf(packages: ReturnType<typeof parseWit>): World {
  const world = packages.root.worlds.get("root");
  assert.ok(world !== undefined);
  return world;
}

/** A component that traps in every function, from the text that our own printer gives. */
async function emptyComponent(text: string, world: string): Promise<Uint8Array> {
  const { root } = parseWit([{ path: "demo.wit", text }]);
  return componentNew(await componentEmbed({ witSource: printPackages([root]), world, dummy: true }));
}

/** The types, without documentation and order, and with the world's own name taken out. */
function comparable(world: World): string[] {
  const own = world.name.slice(0, 1).toUpperCase() + world.name.slice(1);
  return generateTypes(world)
    .replace(/\/\*\*[\s\S]*?\*\/|\/\/.*/g, "")
    .replaceAll(new RegExp(`\\b${own}(Imports)?\\b`, "g"), "World$1")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && line !== "}")
    .sort();
}
