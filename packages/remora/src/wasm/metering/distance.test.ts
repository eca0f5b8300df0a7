/** How much a guest can run between two checks, on any way through its code: metering specification 4.7. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { assemble, meter, outcome } from "./rig.test.ts";

/** Ten operators, of which one can be seen from outside. */
const step = `(global.set $n (i32.add (global.get $n) (i32.const 1))) ${"(drop (i32.const 0))".repeat(3)}`;

/** Steps that are run behind the place where the host stops the guest, with this body and argument. */
async function stepsBehind(body: string, argument = 0, more = ""): Promise<number> {
  const bytes = await assemble(`(module (import "host" "stop" (func $stop))
    (global $n (export "n") (mut i32) (i32.const 0)) ${more}
    (func (export "run") (param i32) (call $stop) ${body}))`);
  const stop = () => metered.exports[metered.injected.swapFuel](-(2 ** 30));
  const metered = meter(bytes, { fuel: 2 ** 29, imports: { host: { stop } } });
  assert.match(`${outcome(() => metered.exports.run(argument))}`, /^trap: unreachable/);
  return metered.exports.n.value;
}

test("many calls in a row of functions that do not check are checked between", async () => {
  const line = "(drop (i32.div_s (i32.const 1) (global.get $g)))".repeat(300);
  const bytes =
    await assemble(`(module (global $g (export "g") (mut i32) (i32.const 1)) (global $n (export "n") (mut i32) (i32.const 0))
    (func $f (if (global.get $g) (then ${line} (global.set $n (i32.add (global.get $n) (i32.const 1))))))
    (func (export "run") ${"(call $f)".repeat(1_500)}))`);
  const { exports } = meter(bytes, { fuel: 3_000 });
  assert.match(`${outcome(() => exports.run())}`, /^trap: unreachable/);
  assert.ok(exports.n.value < 30, `${exports.n.value}`);
});

test("straight code is checked every 2,000 operators", async () => {
  const line = "(drop (i32.div_s (i32.const 1) (global.get $g)))".repeat(20_000);
  const bytes =
    await assemble(`(module (global $g (export "g") (mut i32) (i32.const 1)) (global $n (export "n") (mut i32) (i32.const 0))
    (func (export "run") (call $f)) (func $f ${line} (global.set $n (i32.const 1))))`);
  const { exports } = meter(bytes, { fuel: 1_000 });
  assert.match(`${outcome(() => exports.run())}`, /^trap: unreachable/);
  assert.equal(exports.n.value, 0);
});

test("a check in an arm that is not run does not count for the way around it", async () => {
  const steps = step.repeat(90);
  const parts: [part: string, argument: number][] = [
    [`${steps} (if (local.get 0) (then ${step.repeat(120)}))`, 0],
    [`${steps} (if (local.get 0) (then ${step.repeat(120)}) (else))`, 0],
    [`${steps} (if (local.get 0) (then) (else ${step.repeat(120)}))`, 1],
    [
      `${steps} (block $out (br_if $out (i32.eqz (local.get 0)))
         (loop $again (br_if $again (i32.eqz (local.get 0)))))`,
      0,
    ],
    [`${steps} (block $b (block $a (br_table $a $b (local.get 0))) ${step.repeat(120)})`, 1],
  ];
  for (const [part, argument] of parts) {
    const found = await stepsBehind(part.repeat(40), argument);
    assert.ok(found <= 200, `${found}: ${part.slice(-90)}`);
  }
});

test("loops that nothing goes back to do not put off a check, however deep they are", async () => {
  const found = await stepsBehind(`${`(loop ${step.repeat(90)}`.repeat(60)} ${")".repeat(60)}`);
  assert.ok(found <= 200, `${found}`);
});

test("calls of functions that do not check are bounded on every way", async () => {
  const part = `${"(call $f)".repeat(14)} (if (local.get 0) (then (call $f)))`;
  for (const steps of [1, 120, 195]) {
    const found = await stepsBehind(part.repeat(500), 0, `(func $f ${step.repeat(steps)})`);
    assert.ok(found <= 22 * steps, `${found} steps in functions of ${steps}`);
  }
});

test("constant lengths count for what they take", async () => {
  const table = `${step} (table.fill (i32.const 0) (ref.null func) (i32.const 1000))`;
  const memory = `${step} (memory.fill (i32.const 0) (i32.const 0) (i32.const 4096))`;
  for (const part of [table, memory]) {
    const found = await stepsBehind(part.repeat(400), 0, "(table 1000 funcref) (memory 1)");
    assert.ok(found <= 10, `${found}`);
  }
});

test("handlers count what was run on the way to them", async () => {
  const part = `(block $caught (try_table (catch_all $caught) ${step.repeat(90)} (throw $t)))`;
  const found = await stepsBehind(part.repeat(60), 0, "(tag $t)");
  assert.ok(found <= 400, `${found}`);
});

test("a body that was tried counts behind its handlers, whatever they do", async () => {
  for (const handler of ["unreachable", ""]) {
    const part = `try ${step.repeat(150)} catch_all ${handler} end `;
    const found = await stepsBehind(part.repeat(60));
    assert.ok(found <= 400, `${found} with ${handler}`);
  }
});

test("handlers around one another count all that was run on the way to them, just below a check and above", async () => {
  const throwers = ["(throw $t)", "(call $f)"];
  for (const steps of [1, 50, 99, 100, 101, 199, 201]) {
    for (const thrower of throwers) {
      const part = `${step.repeat(steps)} ${thrower}`;
      let older = part;
      let newer = part;
      let handedOn = part;
      for (let depth = 0; depth < 20; depth++) {
        older = `try ${older} catch_all ${part} end`;
        newer = `(block $out${depth} (try_table (catch_all $out${depth}) ${newer})) ${part}`;
        handedOn = `try try ${handedOn} delegate 0 catch $t ${part} catch_all ${part} end`;
      }
      for (const body of [older, newer, handedOn]) {
        // What it throws in the end is caught, so that what follows is run as well.
        const whole = `try ${body} catch_all end (loop (br 0))`;
        const mixed =
          body === newer ? `(block $all (try_table (catch_all $all) ${body})) (loop (br 0))` : whole;
        const found = await stepsBehind(mixed, 0, "(tag $t) (func $f (throw $t))");
        assert.ok(found <= 400, `${found} in parts of ${steps} with ${thrower}`);
      }
    }
  }
});

test("without exact fuel a call that doubles in every function is checked as well", async () => {
  const doubling = Array.from({ length: 20 }, (_, at) => `(func $f${at + 1} (call $f${at}) (call $f${at}))`);
  const text = `(module (global $n (mut i32) (i32.const 0))
    (func $f0 (global.set $n (i32.add (global.get $n) (i32.const 1))))
    ${doubling.join("")} (func (export "run") (result i32) (call $f20) (global.get $n)))`;
  const { exports, consumed } = meter(await assemble(text), { slice: 0, options: { mode: "deadline" } });
  assert.equal(exports.run(), 2 ** 20);
  // By estimates, but for no more than a few thousand operators each.
  assert.ok(consumed() > 2 ** 20 / 100, `${consumed()}`);
});

test("without exact fuel functions that go in a circle through the host are checked as well", async () => {
  const text = `(module (import "host" "again" (func $again (param i32)))
    (func (export "run") (param i32)
      (if (local.get 0) (then
        (call $again (i32.sub (local.get 0) (i32.const 1)))
        (call $again (i32.sub (local.get 0) (i32.const 1)))))))`;
  const again = (depth: number) => metered.exports.run(depth);
  const metered = meter(await assemble(text), {
    slice: 0,
    options: { mode: "deadline" },
    imports: { host: { again } },
  });
  metered.exports.run(10);
  const found = metered.longest();
  assert.ok(found > 0 && found <= 200, `${found}`);
});
