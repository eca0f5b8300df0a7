import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { isRemoraError } from "../../base/index.ts";
import type { FuncItem, InterfaceItem } from "./ast.ts";
import { parseFile } from "./parse-file.ts";

describe("the grammar", () => {
  test("every type of the specification is read", () => {
    const [, ...functions] = itemsOf(`interface i {
      resource r;
      a: func(x: list<u8>, y: list<string, 4>, z: tuple<u8, f64,>) -> option<char>;
      b: func() -> result;
      c: func() -> result<u8>;
      d: func() -> result<_, string>;
      e: func(x: map<string, list<bool>>, y: borrow<r>, z: own<r>,) -> result<r, string>;
      f: async func(x: stream<u8>, y: future, z: stream, w: future<r>);
    }`);
    const kinds = functions.map((item) => [
      item.func.params.map((param) => param.type.kind),
      item.func.result?.kind,
    ]);
    assert.deepEqual(kinds, [
      [["list", "list", "tuple"], "option"],
      [[], "result"],
      [[], "result"],
      [[], "result"],
      [["map", "borrow", "own"], "result"],
      [["stream", "future", "stream", "future"], undefined],
    ]);
    assert.equal(functions.at(-1)?.func.isAsync, true);
  });

  test("keywords are names behind a percent sign", () => {
    const [item] = itemsOf("interface i { %func: func(%type: %list); }");
    assert.equal(item?.name.text, "func");
    assert.equal(item.func.params[0]?.type.kind, "name");
  });

  test("a:b is one name, and a: b a name and what it stands for", () => {
    const kinds = (text: string) => {
      const [item] = parseFile({ path: "a.wit", text: `world w { ${text} }` }).own.items;
      return item?.kind === "world"
        ? item.items.map((each) => (each.kind === "import" ? each.extern.kind : each.kind))
        : [];
    };
    assert.deepEqual(
      kinds("import a:b/c; import a: b; import a: b:c/d; import a:func(); import a:interface {}"),
      ["path", "named-path", "named-path", "func", "inline"],
    );
    refused("world w { import a:b; }", 1, 18);
  });

  test("comments nest, and those that document belong to what follows", () => {
    const [item] = itemsOf(`interface i {
      // not this
      /* nor /* this */ here */
      /// Says hello
      ///   twice.
      //// nor this
      /**
       * And again.
       */
      f: func();
    }`);
    assert.equal(item?.attributes.docs, "Says hello\n  twice.\nAnd again.");
  });

  test("documentation stands before gates", () => {
    const [item] = itemsOf("interface i {\n/// docs\n@since(version = 1.0.0-rc.1+build)\nf: func(); }");
    assert.equal(item?.attributes.docs, "docs");
    assert.deepEqual(
      item?.attributes.gates.map((gate) => gate.kind),
      ["since"],
    );
  });

  test("a version ends where the names of use begin", () => {
    const [item] = parseFile({ path: "a.wit", text: "interface i { use a:b/c@1.2.3-x.y.{d}; }" }).own.items;
    const [use] = item?.kind === "interface" ? item.items : [];
    assert.equal(use?.kind === "use" && use.path.package?.version, "1.2.3-x.y");
  });
});

describe("what is no WIT is refused where it stands", () => {
  const cases: [text: string, line: number, column: number][] = [
    ["interface i {", 1, 14],
    ["interface i { f: func() }", 1, 25],
    ["interface i { f: func(a u32); }", 1, 25],
    ["interface i { f: func(a: u32 b: u32); }", 1, 30],
    ["interface i { func: func(); }", 1, 15],
    ["interface i { record r { a u8 } }", 1, 28],
    ["interfaze i {}", 1, 1],
    ["world w { improt a; }", 1, 11],
    ["interface a--b {}", 1, 11],
    ["interface a- {}", 1, 11],
    ["interface aB {}", 1, 11],
    ["interface 1a {}", 1, 11],
    ["package a;", 1, 10],
    ["package a:b@1;", 1, 13],
    ["package a:b@1.0.0 interface", 1, 19],
    ["package a:b:c;", 1, 1],
    ["interface i {}\npackage a:b;", 2, 12],
    ["/* no end", 1, 1],
    ["interface i { @sinse(version = 1.0.0) f: func(); }", 1, 15],
    ["interface i { @since(version = 1.0) f: func(); }", 1, 32],
    ['world w { @external-id("no end) import a: func(); }', 1, 24],
    ["interface i { f: func() -> list<u8, 0>; }", 1, 37],
    ["interface \u202ei {}", 1, 11],
    ["interface i { # }", 1, 15],
    ["interface i { f: func() -> result<_>; }", 1, 36],
  ];
  for (const [text, line, column] of cases) {
    test(JSON.stringify(text), () => refused(text, line, column));
  }

  test("types a thousand deep are refused and not followed to the end of the stack", () => {
    const text = `interface i { type a = ${"list<".repeat(100_000)}u8${">".repeat(100_000)}; }`;
    assert.throws(
      () => parseFile({ path: "a.wit", text }),
      (error) => isRemoraError(error, "component/wit-limit"),
    );
  });

  test("the message shows the line, with a caret below what is wrong", () => {
    assert.throws(() => parseFile({ path: "wit/a.wit", text: "interface i {\n\tf: fun();\n}" }), {
      message: 'wit/a.wit:2:5: expected "func", found "fun"\n2 |  f: fun();\n  |     ^^^',
    });
  });

  test("whatever the text, it is read or refused with a place", () => {
    const words = [
      "interface",
      "world",
      "i",
      "{",
      "}",
      "func",
      "(",
      ")",
      ":",
      ";",
      "use",
      ".",
      ",",
      "->",
      "list",
      "<",
      ">",
    ];
    const anything = fc.oneof(
      fc.string({ unit: "binary" }),
      fc
        .array(fc.constantFrom(...words, "/// d\n", "@since(version = 1.0.0)", "%a", "a:b/c@1.0.0"))
        .map((parts) => parts.join(" ")),
    );
    fc.assert(
      fc.property(anything, (text) => {
        try {
          parseFile({ path: "a.wit", text });
        } catch (error) {
          assert.ok(isRemoraError(error), String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });
});

function itemsOf(text: string): FuncItem[] {
  const [item] = parseFile({ path: "a.wit", text }).own.items;
  assert.equal(item?.kind, "interface");
  // The tests that use this have functions, behind at most one resource whose `func` nobody reads.
  return (item as InterfaceItem).items as FuncItem[];
}

function refused(text: string, line: number, column: number): void {
  assert.throws(
    () => parseFile({ path: "a.wit", text }),
    (error) => {
      assert.ok(isRemoraError(error), String(error));
      const place = error.details as { line: number; column: number };
      assert.deepEqual(
        [error.code, place.line, place.column],
        ["component/wit-syntax", line, column],
        error.message,
      );
      return true;
    },
  );
}
