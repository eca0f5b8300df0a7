/** Modules by which a publisher would hold V8 for minutes, or make it end the process: while it judges, compiles, links or runs. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { isRemoraError } from "../base/index.ts";
import type { CoreFunction } from "../component/core.ts";
import { ByteWriter } from "../wasm/byte-writer.ts";
import { engineWith } from "./testing/limited-engine.test.ts";

const times = (count: number, text: string) => text.repeat(count);
const each = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => text(index)).join(" ");

/** Of this thread, and generous: what these would take otherwise is seconds to minutes, or all of the memory. */
const refusalMsMax = 2_000;

async function expectRefused(code: string, what: string, fields: string): Promise<void> {
  const module = await parse(`(module ${fields})`);
  const start = process.threadCpuUsage();
  assert.throws(
    () => engineWith().instantiate(module, {}),
    (error) => {
      assert.ok(isRemoraError(error, code), `${what}: ${String(error)}`);
      return true;
    },
  );
  const { user, system } = process.threadCpuUsage(start);
  assert.ok((user + system) / 1_000 < refusalMsMax, what);
}

test("code that takes V8's compilers long, or gigabytes, is refused by what it would take them", async () => {
  const thousand = `(type $t (func (param ${times(1_000, "i64 ")}) (result ${times(1_000, "i64 ")})))`;
  const all = each(9_000, (local) => `(local.set ${local} (i64.add (local.get ${local}) (i64.const 1)))`);
  const locals = `(local ${times(9_000, "i64 ")})`;
  for (const [what, fields] of Object.entries({
    "calls of a thousand values each": `${thousand} (func $f (type $t)
      ${each(1_000, (index) => `(local.get ${index})`)} ${times(4_000, "(call $f)")})`,
    "the same through a table": `${thousand} (table 1 funcref) (func $f (type $t)
      ${each(1_000, (index) => `(local.get ${index})`)} ${times(4_000, "(call_indirect (type $t) (i32.const 0))")})`,
    "blocks of a thousand values each": `${thousand} (func $f (type $t)
      ${each(1_000, (index) => `(local.get ${index})`)} ${times(4_000, "(block (type $t))")})`,
    "blocks among nine thousand locals": `(func ${locals} ${times(5_000, "(block (br_if 0 (i32.const 0)))")})`,
    "loops among nine thousand locals": `(func ${locals} ${times(5_000, "(loop (br_if 0 (i32.const 0)))")})`,
    "nested loops that write nine thousand locals": `(func ${locals} ${times(500, "(loop ")} ${all} ${times(500, "(br_if 0 (i32.const 0)))")})`,
    "blocks under a thousand operands": `(func (result i64) ${times(1_000, "(i64.load (i32.const 0))")}
      ${times(5_000, "(block (br_if 0 (i32.const 0)))")} ${times(999, "(i64.add)")}) (memory 1)`,
  })) {
    await expectRefused("wasm/limit", what, fields);
  }
});

test("more types than V8 has room for in a process never reach it", () => {
  const types = new ByteWriter(1 << 20).u32(60_000);
  for (let index = 0; index < 60_000; index++) {
    types.byte(0x60).u32(8);
    for (let digit = 0; digit < 8; digit++) types.byte(0x7c + ((index >> (2 * digit)) & 3));
    types.u32(0);
  }
  const header = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1);
  const module = new ByteWriter(1 << 20).raw(header).sized(types.finish()).finish();
  assert.throws(() => engineWith().instantiate(module, {}), { code: "wasm/limit" });
});

test("counts that cost the process memory or addresses are bounded", async () => {
  await expectRefused("wasm/limit", "memories", times(17, "(memory 0)"));
  await expectRefused("wasm/limit", "tables", times(1_001, "(table 0 funcref)"));
  await expectRefused("wasm/limit", "tags", times(1_001, "(tag)"));
  await expectRefused(
    "wasm/limit",
    "exports",
    `(func $f) ${each(50_001, (index) => `(export "${index}" (func $f))`)}`,
  );
  await expectRefused("wasm/limit", "types of a group", `(rec ${times(10_001, "(type (func))")})`);
  await expectRefused(
    "wasm/over-cap",
    "elements of a passive segment",
    `(elem funcref ${times(20_001, "(ref.null func)")})`,
  );
  await expectRefused(
    "wasm/over-cap",
    "elements of active segments",
    `(table 100 funcref) (func $f) ${times(201, `(elem (i32.const 0) func ${times(100, "$f ")})`)}`,
  );
});

test("exceptions, which are on the heap of the process, cannot be hoarded", async () => {
  await expectRefused("wasm/refused-feature", "in a global", `(global (mut exnref) (ref.null exn))`);
  await expectRefused("wasm/refused-feature", "in a table", `(table 10 exnref)`);
  await expectRefused("wasm/refused-feature", "in one another", `(tag (param exnref))`);
  await expectRefused("wasm/over-cap", "with a thousand values", `(tag (param ${times(1_000, "v128 ")}))`);
  // In locals they are bounded by the stack: five thousand of the largest.
  const module = await parse(`(module (tag $t (param ${times(16, "v128 ")}))
    (func $hold (export "run") (local exnref)
      (block $c (result exnref) (try_table (result exnref) (catch_all_ref $c)
        ${times(16, "(v128.const i64x2 1 1)")} (throw $t)))
      (local.set 0) (call $hold) (throw_ref (local.get 0))))`);
  const engine = engineWith({ fuelMax: 1e9, deadlineMs: 10_000 });
  const { exports } = engine.instantiate(module, {});
  engine.enter();
  const heapBefore = process.memoryUsage().heapUsed;
  assert.throws(
    () => {
      try {
        (exports.run as CoreFunction)();
      } catch (error) {
        throw engine.fail(error);
      }
    },
    { code: "engine/stack" },
  );
  assert.ok(process.memoryUsage().heapUsed - heapBefore < 100e6);
});

/** Once in some tries, and in time of this thread, since the machine is busy; what is met is in `bench/meter`. */
async function expectDeadline(what: string, fields: (attempt: number) => string): Promise<void> {
  const [deadlineMs, lateMsMax, tries] = [1, 20, 5];
  let late = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < tries && late > lateMsMax; attempt++) {
    const engine = engineWith({ fuelMax: Infinity, deadlineMs });
    const { exports } = engine.instantiate(await parse(`(module ${fields(attempt)})`), {});
    engine.enter();
    const start = process.threadCpuUsage();
    assert.throws(
      () => {
        try {
          (exports.run as CoreFunction)();
        } catch (error) {
          throw engine.fail(error);
        }
      },
      { code: "engine/deadline" },
    );
    const { user, system } = process.threadCpuUsage(start);
    late = Math.min(late, (user + system) / 1_000 - deadlineMs);
    engine.close();
  }
  assert.ok(late <= lateMsMax, `${what}: ${late} ms late`);
}

test("hundreds of functions that are called for the first time do not outlast a deadline", async () => {
  const unused = times(1_000, "(drop (memory.grow (i32.const 0)))");
  await expectDeadline(
    "400 functions",
    (attempt) => `(memory 1) (global $attempt i32 (i32.const ${attempt}))
      ${each(400, (index) => `(func $f${index} (param i32) (if (i32.eqz (local.get 0)) (then (return))) ${unused})`)}
      (func (export "run") ${each(400, (index) => `(call $f${index} (i32.const 0))`)} (loop $l (br $l)))`,
  );
});

test("a long segment that is copied again and again does not outlast a deadline", async () => {
  const data = times(8_000_000, "x");
  await expectDeadline(
    "memory.init",
    () => `(memory 200) (data $d "${data}") (func (export "run")
      (loop $l (memory.init $d (i32.const 0) (i32.const 0) (i32.const 8000000)) (br $l)))`,
  );
});

test("a loop that goes back by an exception alone ends like any other", async () => {
  for (const body of [
    "(loop $l (try_table (catch_all $l) (throw $t)))",
    "(loop $l (try_table (catch $t $l) (call $throw)))",
    "(loop $l (block $b (try_table (catch_all $b) (call $throw))) (br $l))",
    "loop try call $throw catch_all br 1 end end",
    "loop try try call $throw delegate 0 catch $t br 1 end end",
  ]) {
    const engine = engineWith({ fuelMax: 10_000, deadlineMs: 10_000 });
    const fields = `(tag $t) (func $throw (throw $t)) (func (export "run") ${body})`;
    const { exports } = engine.instantiate(await parse(`(module ${fields})`), {});
    engine.enter();
    assert.throws(() => (exports.run as CoreFunction)());
    assert.equal(engine.fail(undefined).code, "engine/out-of-fuel", body);
  }
});
