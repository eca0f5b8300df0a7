import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { decodeComponent, prepareComponent } from "remora/component";
import { witLines } from "./wit-text.ts";

const linesOf = async (text: string) => witLines(prepareComponent(decodeComponent(await parse(text))));

test("an interface is written with its types by name, its resources with their methods", async () => {
  const lines = await linesOf(`(component
    (import "acme:door/control@1.2.0" (instance
      (type $point' (record (field "x" f64) (field "y" f64)))
      (export "point" (type $point (eq $point')))
      (type $reason' (variant (case "locked") (case "stuck" string)))
      (export "reason" (type $reason (eq $reason')))
      (export "door" (type $door (sub resource)))
      (export "[constructor]door" (func (param "at" $point) (result (own $door))))
      (export "[method]door.open" (func (param "self" (borrow $door)) (result (result bool (error $reason)))))
      (export "[static]door.all" (func (result (list (own $door)))))
      (export "wait" (func (param "many" (tuple u8 char)) (param "maybe" (option (list u8)))))
    ))
    (import "plain" (func (result (result))))
  )`);
  assert.deepEqual(lines, [
    "import acme:door/control@1.2.0 {",
    "  record point { x: f64, y: f64 }",
    "  variant reason { locked, stuck(string) }",
    "  resource door {",
    "    constructor(at: point);",
    "    open: func() -> result<bool, reason>;",
    "    all: static func() -> list<door>;",
    "  }",
    "  wait: func(many: tuple<u8, char>, maybe: option<list<u8>>);",
    "}",
    "import plain: func() -> result;",
  ]);
});

test("a long definition is a line a part", async () => {
  const names = Array.from({ length: 12 }, (_, at) => `"permitted-${at}"`).join(" ");
  const lines = await linesOf(`(component
    (type $flags (flags ${names}))
    (import "capabilities" (type (eq $flags)))
  )`);
  assert.equal(lines[0], "flags capabilities {");
  assert.equal(lines[1], "  permitted-0,");
  assert.equal(lines.at(-1), "}");
});

test("types that unfold without end are cut, and nothing hangs", async () => {
  const depth = 40;
  const doubled = Array.from(
    { length: depth },
    (_, at) => `(type $t${at + 1} (tuple ${at === 0 ? "u8 u8" : `$t${at} $t${at}`}))`,
  );
  const [line = ""] = await linesOf(`(component
    ${doubled.join("\n")}
    (import "f" (func (param "x" $t${depth})))
  )`);
  assert.ok(line.startsWith("import f: func(x: tuple<tuple<"));
  assert.ok(line.includes("…") && line.length < 2_000_000, `${line.length} characters`);
});
