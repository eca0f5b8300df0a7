import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isRemoraError } from "../../base/index.ts";
import { definitionOf, type World } from "./model.ts";
import { parseWit, type WitOptions } from "./resolve.ts";

describe("what a package is made of", () => {
  test("files of one folder share a package, and find each other's interfaces", () => {
    const { root } = parseWit([
      {
        path: "host.wit",
        text: "package local:demo;\ninterface host { use types.{size}; f: func() -> size; }",
      },
      { path: "types.wit", text: "interface types { type size = u32; }" },
    ]);
    assert.deepEqual([...root.interfaces.keys()], ["host", "types"]);
    const size = root.interfaces.get("host")?.types.get("size");
    assert.ok(size !== undefined);
    assert.equal(definitionOf(size).owner, root.interfaces.get("types"));
  });

  test("each entry of deps is a package of its own", () => {
    const { packages } = parseWit([
      { path: "deps/clocks.wit", text: "package wasi:clocks@0.2.0; interface wall { now: func() -> u64; }" },
      { path: "world.wit", text: "package local:demo; world w { import wasi:clocks/wall@0.2.0; }" },
    ]);
    assert.deepEqual([...packages.keys()], ["wasi:clocks@0.2.0", "local:demo"]);
  });

  test("braces hold further packages", () => {
    const { packages, root } = one(`package local:root;
      package local:a { interface foo { f: func(); } }
      package local:b { world w { import local:a/foo; } }`);
    assert.deepEqual([...packages.keys()].sort(), ["local:a", "local:b", "local:root"]);
    assert.equal(root.name.name, "root");
  });

  test("the same package twice is one when its text is the same, and refused when it differs", () => {
    const dependency = "package a:b; interface i { f: func(); }";
    const files = [
      { path: "root.wit", text: "package local:demo;" },
      { path: "deps/one.wit", text: dependency },
      { path: "deps/two.wit", text: dependency },
    ];
    assert.equal(parseWit(files).packages.size, 2);
    files.push({ path: "deps/three.wit", text: "package a:b; interface j { f: func(); }" });
    assertCode(() => parseWit(files), "component/wit-invalid");
  });

  test("files that disagree about the package are refused", () => {
    const files = [
      { path: "a.wit", text: "package local:a;" },
      { path: "b.wit", text: "package local:b;" },
    ];
    assertCode(() => parseWit(files), "component/wit-invalid");
  });

  test("no files, and files that say no package, are refused", () => {
    assertCode(() => parseWit([]), "component/wit-no-package");
    assertCode(() => parseWit([{ path: "a.wit", text: "interface i {}" }]), "component/wit-no-package");
  });
});

describe("what a world imports and exports", () => {
  test("an interface whose types are used is imported before the one that uses them", () => {
    const world = worldOf(`
      interface shared { record metadata { a: u32 } }
      interface host { use shared.{metadata}; get: func() -> metadata; }
      world w { import host; }`);
    assert.deepEqual([...world.imports.keys()], ["local:demo/shared", "local:demo/host"]);
    assert.equal(isImplied(world, "local:demo/shared"), true);
    assert.equal(isImplied(world, "local:demo/host"), false);
  });

  test("an export's types come from an import, unless their interface is exported as well", () => {
    const interfaces = `
      interface a { resource r; }
      interface b { use a.{r}; foo: func() -> r; }`;
    const implied = worldOf(`${interfaces} world w { export b; }`);
    assert.deepEqual([...implied.imports.keys()], ["local:demo/a"]);
    const exported = worldOf(`${interfaces} world w { export b; export a; }`);
    assert.deepEqual([...exported.imports.keys()], []);
    assert.deepEqual([...exported.exports.keys()].sort(), ["local:demo/a", "local:demo/b"]);
  });

  test("functions, inline interfaces and types have plain names", () => {
    const world = worldOf(`
      world w {
        type size = u32;
        import print: func(text: string) -> size;
        import host: interface { log: func(); }
        export run: async func();
      }`);
    assert.deepEqual([...world.types.keys()], ["size"]);
    assert.deepEqual([...world.imports.keys()], ["print", "host"]);
    const run = world.exports.get("run");
    assert.ok(run?.kind === "func" && run.func.isAsync);
  });

  test("an interface may be imported under several names of one's own", () => {
    const world = worldOf(`
      interface store { get: func(); }
      world w { import one: store; @external-id("//Two") import two: store; }`);
    assert.deepEqual([...world.imports.keys()], ["one", "two"]);
    assert.equal(world.imports.get("two")?.externalId, "//Two");
  });

  test("include joins worlds; the same interface stands there once", () => {
    const world = worldOf(`
      interface a {} interface b {} interface c {}
      world one { import a; import b; export c; }
      world two { import a; export run: func(); }
      world w { include one; include two; }`);
    assert.deepEqual([...world.imports.keys()], ["local:demo/a", "local:demo/b"]);
    assert.deepEqual([...world.exports.keys()], ["local:demo/c", "run"]);
  });

  test("plain names that meet in an include are refused, or renamed by with", () => {
    const worlds = "world one { import a: func(); } world two { import a: func(); }";
    refused(`${worlds} world w { include one; include two; }`, "wit-duplicate-name", 2, 96);
    const world = worldOf(`${worlds} world w { include one; include two with { a as b } }`);
    assert.deepEqual([...world.imports.keys()], ["a", "b"]);
  });

  test("with renames no interface, and no name that is not there", () => {
    const worlds = "interface a {} world one { import a; import f: func(); }";
    refused(`${worlds} world w { include one with { a as b } }`, "wit-invalid", 2, 87);
    refused(`${worlds} world w { include one with { g as b } }`, "wit-unknown-name", 2, 87);
  });

  test("use at the top of a file renames for that file alone", () => {
    const files = (second: string) => [
      { path: "a.wit", text: "package local:demo; use types as t; interface i { use t.{size}; }" },
      { path: "b.wit", text: `interface types { type size = u32; } interface j { use ${second}.{size}; }` },
    ];
    assert.equal(parseWit(files("types")).root.interfaces.size, 3);
    assertCode(() => parseWit(files("t")), "component/wit-unknown-name");
  });
});

describe("gates", () => {
  const gated = `interface i {
    a: func();
    @since(version = 1.0.1) b: func();
    @unstable(feature = fancier) c: func();
    @since(version = 1.0.0) @deprecated(version = 1.0.1) d: func();
  }`;

  test("what is unstable is there only for who asks for it", () => {
    assert.deepEqual(functionsOf(gated), ["a", "b", "d"]);
    assert.deepEqual(functionsOf(gated, { features: ["fancier"] }), ["a", "b", "c", "d"]);
    assert.deepEqual(functionsOf(gated, { features: "all" }), ["a", "b", "c", "d"]);
    assert.deepEqual(functionsOf(gated, { features: ["other"] }), ["a", "b", "d"]);
  });

  test("what they say is kept", () => {
    const functions = versioned(gated).root.interfaces.get("i")?.functions;
    assert.deepEqual(functions?.get("b")?.stability, { since: "1.0.1" });
    assert.deepEqual(functions?.get("d")?.stability, { since: "1.0.0", deprecated: "1.0.1" });
  });

  test("a name behind a closed gate is refused by its feature", () => {
    const text = "interface i { @unstable(feature = x) type t = u32; f: func() -> t; }";
    assertCode(() => versioned(text), "component/wit-gate");
    assertCode(
      () => versioned("@unstable(feature = x) interface i {} world w { import i; }"),
      "component/wit-gate",
    );
    const use = "interface i { @unstable(feature = x) type t = u32; } interface j { use i.{t}; }";
    assertCode(() => versioned(use), "component/wit-gate");
    assert.equal(versioned(text, { features: ["x"] }).root.interfaces.size, 1);
  });

  const contradictions = [
    "@since(version = 1.0.0) @unstable(feature = x) f: func();",
    "@deprecated(version = 1.0.0) f: func();",
    "@since(version = 9.0.0) f: func();",
    "@since(version = 1.0.0) @since(version = 1.0.0) f: func();",
  ];
  for (const text of contradictions) {
    test(`${text} is refused`, () => {
      assertCode(() => versioned(`interface i { ${text} }`), "component/wit-gate");
    });
  }

  test("a gate with a version needs a package with one", () => {
    refused("interface i { @since(version = 1.0.0) f: func(); }", "wit-gate", 2, 15);
    assert.equal(
      one("package a:b; interface i { @unstable(feature = x) f: func(); }").root.interfaces.size,
      1,
    );
  });

  test("what is inside something unstable is unstable, and says so", () => {
    refused("@unstable(feature = x) interface i { f: func(); }", "wit-gate", 2, 38);
    refused("@unstable(feature = x) world w { import f: func(); }", "wit-gate", 2, 41);
    refused("interface i { @unstable(feature = x) resource r { f: func(); } }", "wit-gate", 2, 51);
  });
});

describe("what does not hold together", () => {
  const cases: { name: string; text: string; code: string; line: number; column: number }[] = [
    {
      name: "an unknown type",
      text: "interface i { type a = strin; }",
      code: "wit-unknown-name",
      line: 2,
      column: 24,
    },
    {
      name: "an unknown interface",
      text: "world w { import hots; } interface host {}",
      code: "wit-unknown-name",
      line: 2,
      column: 18,
    },
    {
      name: "an unknown package",
      text: "world w { import a:b/c; }",
      code: "wit-unknown-name",
      line: 2,
      column: 18,
    },
    {
      name: "an unknown name in use",
      text: "interface a {} interface b { use a.{c}; }",
      code: "wit-unknown-name",
      line: 2,
      column: 37,
    },
    {
      name: "a world where an interface belongs",
      text: "world a {} world b { import a; }",
      code: "wit-invalid",
      line: 2,
      column: 29,
    },
    {
      name: "an interface where a world belongs",
      text: "interface a {} world b { include a; }",
      code: "wit-invalid",
      line: 2,
      column: 34,
    },
    {
      name: "a type that is itself",
      text: "interface i { type a = a; }",
      code: "wit-cycle",
      line: 2,
      column: 24,
    },
    {
      name: "records that contain each other",
      text: "interface i { record a { b: b }\nrecord b { a: option<a> } }",
      code: "wit-cycle",
      line: 3,
      column: 22,
    },
    {
      name: "interfaces that use each other",
      text: "interface a { use b.{t}; }\ninterface b { use a.{t}; }",
      code: "wit-cycle",
      line: 2,
      column: 11,
    },
    {
      name: "a world that includes itself",
      text: "world a { include b; } world b { include a; }",
      code: "wit-cycle",
      line: 2,
      column: 7,
    },
    {
      name: "a name that is there twice",
      text: "interface i { f: func();\n  F: func(); }",
      code: "wit-duplicate-name",
      line: 3,
      column: 3,
    },
    {
      name: "a field that is there twice",
      text: "interface i { record r { a: u8, a: u8 } }",
      code: "wit-duplicate-name",
      line: 2,
      column: 33,
    },
    {
      name: "an import that is there twice",
      text: "interface i {} world w { import i; import i; }",
      code: "wit-duplicate-name",
      line: 2,
      column: 43,
    },
    {
      name: "a record without fields",
      text: "interface i { record r {} }",
      code: "wit-invalid",
      line: 2,
      column: 22,
    },
    {
      name: "a borrow of what is no resource",
      text: "interface i { type t = u32; f: func(a: borrow<t>); }",
      code: "wit-invalid",
      line: 2,
      column: 47,
    },
    {
      name: "a result that is borrowed",
      text: "interface i { resource r; f: func() -> option<borrow<r>>; }",
      code: "wit-invalid",
      line: 2,
      column: 40,
    },
    {
      name: "a map with records as keys",
      text: "interface i { type t = map<f32, u8>; }",
      code: "wit-invalid",
      line: 2,
      column: 28,
    },
    {
      name: "a constructor of something else",
      text: "interface i { resource r { constructor() -> u32; } }",
      code: "wit-invalid",
      line: 2,
      column: 45,
    },
    {
      name: "an export that has one type from an import and from an export",
      text: `interface a { resource r; } interface b { use a.{r}; type t = r; } interface c { use b.{t}; }
world w { export c; export a; }`,
      code: "wit-invalid",
      line: 3,
      column: 7,
    },
    {
      name: "flags that do not fit",
      text: `interface i { flags f { ${Array.from({ length: 33 }, (_, i) => `a${i}`).join(", ")} } }`,
      code: "wit-invalid",
      line: 2,
      column: 21,
    },
  ];
  for (const { name, text, code, line, column } of cases) {
    test(`${name} is refused where it stands`, () => refused(text, code, line, column));
  }

  test("a resource may name types that name it", () => {
    const { root } = one(`package local:demo;
      interface i { record pair { a: r } resource r { constructor() -> result<r>; swap: func(other: pair) -> pair; } }`);
    const resource = root.interfaces.get("i")?.types.get("r");
    assert.ok(resource?.body.kind === "resource");
    assert.deepEqual(
      resource.body.functions.map((func) => [func.role, func.name]),
      [
        ["constructor", "constructor"],
        ["method", "swap"],
      ],
    );
  });

  test("a chain of a thousand types, or of interfaces, is refused and not followed to the end of the stack", () => {
    const types = Array.from({ length: 1000 }, (_, index) => `type t${index} = t${index + 1};`).join("\n");
    assertCode(() => one(`package a:b; interface i { ${types} }`), "component/wit-limit");
    const interfaces = Array.from(
      { length: 1000 },
      (_, index) => `interface i${index} { use i${index + 1}.{t}; }`,
    );
    assertCode(() => one(`package a:b; ${interfaces.join("\n")}`), "component/wit-limit");
  });
});

function one(text: string, options?: WitOptions) {
  return parseWit([{ path: "demo.wit", text }], options);
}

/** Behind a first line that names the package, so that the text starts on the second. */
function worldOf(text: string): World {
  const world = one(`package local:demo;\n${text}`).root.worlds.get("w");
  assert.ok(world !== undefined);
  return world;
}

function versioned(text: string, options?: WitOptions) {
  return one(`package local:demo@1.0.1;\n${text}`, options);
}

function functionsOf(text: string, options?: WitOptions): string[] {
  return [...(versioned(text, options).root.interfaces.get("i")?.functions.keys() ?? [])];
}

function isImplied(world: World, name: string): boolean | undefined {
  const item = world.imports.get(name);
  return item?.kind === "interface" ? item.isImplied : undefined;
}

function refused(text: string, code: string, line: number, column: number): void {
  assert.throws(
    () => one(`package local:demo;\n${text}`),
    (error) => {
      assert.ok(isRemoraError(error), String(error));
      const { line: foundLine, column: foundColumn } = error.details as { line: number; column: number };
      assert.deepEqual(
        [error.code, foundLine, foundColumn],
        [`component/${code}`, line, column],
        error.message,
      );
      return true;
    },
  );
}

function assertCode(run: () => unknown, code: string): void {
  assert.throws(run, (error) => isRemoraError(error, code) || assert.fail(String(error)));
}
