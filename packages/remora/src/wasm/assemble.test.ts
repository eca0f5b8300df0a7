import assert from "node:assert/strict";
import { test } from "node:test";
import { assembleBody, ownOperators } from "./assemble.ts";
import { firstPrefix, operatorIndexes, prefixPages } from "./opcodes.ts";

test("a body is its locals, its operators and an end", () => {
  const body = assembleBody(
    ["i32", "f64"],
    `
    local.get 0
    if
      i32.const -1
      i32.store8 0 300
    else
      i64.const 128
      drop
    end
    memory.copy 0 0`,
  );
  assert.deepEqual(
    Buffer.from(body).toString("hex"),
    "02017f017c" + "2000" + "0440" + "417f" + "3a00ac02" + "05" + "428001" + "1a" + "0b" + "fc0a0000" + "0b",
  );
});

test("what is no operator is a mistake of ours", () => {
  assert.throws(() => assembleBody([], "i32.konst 1"), /Invariant/);
});

test("the operators of our own code are those of the table of all", () => {
  for (const [name, opcode] of Object.entries(ownOperators)) {
    const page = prefixPages[(opcode >> 8) - firstPrefix] ?? 0;
    assert.equal(operatorIndexes.get(name), page + (opcode & 0xff), name);
  }
});
