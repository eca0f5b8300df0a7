import assert from "node:assert/strict";
import { test } from "node:test";
import { readExpressions, stringBytes } from "./s-expression.ts";
import { readScript } from "./script.ts";

test("comments, strings and parentheses inside of them do not confuse the reader", () => {
  const source = `(a "(;" ;; ) "
    (; (; nested ;) ) ;) b) (c)`;
  const shape = readExpressions(source).map((node) =>
    node.kind === "list" ? node.items.map((item) => source.slice(item.start, item.end)) : node.kind,
  );
  assert.deepEqual(shape, [["a", '"(;"', "b"], ["c"]]);
});

test("what does not nest is refused with its place", () => {
  for (const source of ["(a", "a)", "(; b", '(a "b)'])
    assert.throws(() => readExpressions(source), SyntaxError);
});

test("a string literal spells bytes", () => {
  assert.deepEqual(Array.from(stringBytes('"a\\00\\ff\\n\\u{20ac}\\"é"')), [
    ...[0x61, 0, 0xff, 0x0a, 0xe2, 0x82, 0xac, 0x22],
    ...[0xc3, 0xa9],
  ]);
});

test("each form of a module and of an assertion is a command with its line", () => {
  const commands = readScript(`(module $m (func))
    (module binary "\\00asm" "\\01\\00\\00\\00")
    (module quote "(func)")
    (module definition $d (func (export "f")))
    (module instance $i $d)
    (register "other" $m)
    (assert_return (invoke $m "f" (i32.const 1)) (i32.const 2))
    (assert_trap (module (func) (start 0)) "unreachable")
    (assert_invalid (module (func (result i32))) "type mismatch")
    (get "g")`);
  assert.deepEqual(
    commands.map(({ kind, line }) => [kind, line]),
    [
      ["module", 1],
      ["module", 2],
      ["module", 3],
      ["definition", 4],
      ["instance", 5],
      ["register", 6],
      ["action", 7],
      ["fail", 8],
      ["reject", 9],
      ["action", 10],
    ],
  );
  const [, binary, quote, definition, , , invoke] = commands;
  assert.ok(binary?.kind === "module" && "bytes" in binary.module && binary.module.bytes.length === 8);
  assert.ok(quote?.kind === "module" && "text" in quote.module && quote.module.text === "(func)");
  assert.ok(definition?.kind === "definition" && "text" in definition.module);
  assert.equal(definition.module.text, '(module $d (func (export "f")))');
  assert.ok(invoke?.kind === "action");
  assert.deepEqual(invoke.action, { kind: "invoke", instance: "$m", field: '"f"', args: ["(i32.const 1)"] });
});
