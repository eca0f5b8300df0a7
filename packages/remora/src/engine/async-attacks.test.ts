/** What guests of the asynchronous ABI may not do, and what they may not make the host hold. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { isRemoraError } from "../base/index.ts";
import { load } from "./load.ts";

/** One function, `attack`, of a guest that has these builtins; `[name, core type, canonical function]`. */
const builtins = [
  ["return", "(param i32)", "task.return (result u32)"],
  ["return-none", "", "task.return"],
  ["cancel", "", "task.cancel"],
  ["subtask-drop", "(param i32)", "subtask.drop"],
  ["subtask-cancel", "(param i32) (result i32)", "subtask.cancel async"],
  ["set-new", "(result i32)", "waitable-set.new"],
  ["set-poll", "(param i32 i32) (result i32)", 'waitable-set.poll (memory (core memory $l "m"))'],
  ["set-drop", "(param i32)", "waitable-set.drop"],
  ["join", "(param i32 i32)", "waitable.join"],
  ["new", "(result i64)", "stream.new $s"],
  ["read", "(param i32 i32 i32) (result i32)", 'stream.read $s async (memory (core memory $l "m"))'],
  ["write", "(param i32 i32 i32) (result i32)", 'stream.write $s async (memory (core memory $l "m"))'],
  ["read-wide", "(param i32 i32 i32) (result i32)", 'stream.read $w async (memory (core memory $l "m"))'],
  ["cancel-read", "(param i32) (result i32)", "stream.cancel-read $s"],
  ["drop-readable", "(param i32)", "stream.drop-readable $s"],
  ["drop-writable", "(param i32)", "stream.drop-writable $s"],
  ["future-new", "(result i64)", "future.new $f"],
  ["future-read", "(param i32 i32) (result i32)", 'future.read $f async (memory (core memory $l "m"))'],
  ["future-write", "(param i32 i32) (result i32)", 'future.write $f async (memory (core memory $l "m"))'],
  ["future-drop-writable", "(param i32)", "future.drop-writable $f"],
  ["error-new", "(param i32 i32) (result i32)", 'error-context.new (memory (core memory $l "m"))'],
  ["error-drop", "(param i32)", "error-context.drop"],
  ["thread-new", "(param i32 i32) (result i32)", "thread.new-indirect $start (core table $t)"],
  ["thread-resume", "(param i32)", "thread.resume-later"],
  ["yield", "(result i32)", "thread.yield"],
  ["ask", "(param i32) (result i32)", 'lower (func $ask) async (memory (core memory $l "m"))'],
  ["take", "(param i32)", "lower (func $take)"],
] as const;

function guestOf(attack: string): Promise<Uint8Array> {
  return parse(`(component
    (import "ask" (func $ask async (result u32)))
    (type $s (stream u8)) (type $w (stream u64)) (type $f (future u8))
    (import "take" (func $take (param "stream" $s)))
    (core type $start (func (param i32)))
    (core module $libc (memory (export "m") 1) (table (export "t") 4 funcref))
    (core instance $l (instantiate $libc))
    (alias core export $l "t" (core table $t))
    ${builtins.map(([name, , canon]) => `(core func $${name} (canon ${canon}))`).join("\n")}
    (core module $m
      (import "l" "m" (memory 1))
      (import "l" "t" (table 4 funcref))
      ${builtins.map(([name, core]) => `(import "h" "${name}" (func $${name} ${core}))`).join("\n")}
      (func $high (param i64) (result i32) (i32.wrap_i64 (i64.shr_u (local.get 0) (i64.const 32))))
      (func $low (param i64) (result i32) (i32.wrap_i64 (local.get 0)))
      (func $idle (param i32) (drop (call $yield)))
      (func $other (param i64))
      (elem (i32.const 0) func $idle $other)
      (func (export "attack") (local $a i32) (local $b i32) (local $ends i64) ${attack})
      (func (export "back") (param i32 i32 i32) (result i32) (i32.const 1))
      (func (export "forever") (result i32) (i32.const 1))
      (func (export "forever-after") (result i32) (call $return (i32.const 1)) (i32.const 1)))
    (core instance $i (instantiate $m (with "l" (instance $l))
      (with "h" (instance ${builtins.map(([name]) => `(export "${name}" (func $${name}))`).join(" ")}))))
    (func (export "attack") async (result u32) (canon lift (core func $i "attack") async))
    (func (export "forever") async (result u32)
      (canon lift (core func $i "forever") async (callback (core func $i "back"))))
    (func (export "forever-after") async (result u32)
      (canon lift (core func $i "forever-after") async (callback (core func $i "back")))))`);
}

interface Exports {
  attack(): Promise<number>;
  forever(): Promise<number>;
  foreverAfter(): Promise<number>;
}

const imports = { ask: () => new Promise(() => {}), take: () => {} };

async function attacked(attack: string, limits = {}) {
  return load<Exports>(await guestOf(attack), { imports, limits: { deadlineMs: 2_000, ...limits } });
}

const makeEnds = "(local.set $ends (call $new))";
const readable = "(call $low (local.get $ends))";
const writable = "(call $high (local.get $ends))";
const done = "(call $return (i32.const 7))";
const drop = (call: string) => `(drop ${call})`;
const startRead = drop(`(call $read ${readable} (i32.const 0) (i32.const 4))`);

test("the guest that the attacks below are made of is otherwise in order", async () => {
  const { exports } = await attacked(
    `${makeEnds} (call $drop-readable ${readable}) (call $drop-writable ${writable})
     (local.set $a (call $set-new)) (call $set-drop (local.get $a))
     (call $error-drop (call $error-new (i32.const 0) (i32.const 0)))
     (call $thread-resume (call $thread-new (i32.const 0) (i32.const 0))) ${done}`,
  );
  assert.equal(await exports.attack(), 7);
});

const traps: Readonly<Record<string, string>> = {
  "gives its result twice": `${done} ${done}`,
  "gives none": "",
  "gives a result of another type": "(call $return-none)",
  "cancels itself unasked": "(call $cancel)",
  "waits for a forged set": drop("(call $set-poll (i32.const 99) (i32.const 0))"),
  "waits for what is no set": `${makeEnds} ${drop(`(call $set-poll ${readable} (i32.const 0))`)}`,
  "wants an event written out of bounds": drop("(call $set-poll (call $set-new) (i32.const 65532))"),
  "wants an event written askew": drop("(call $set-poll (call $set-new) (i32.const 2))"),
  "joins a forged waitable": "(call $join (i32.const 99) (call $set-new))",
  "joins a set to a set": "(call $join (call $set-new) (call $set-new))",
  "joins a stream to a stream": `${makeEnds} (call $join ${readable} ${writable})`,
  "drops a set with members": `${makeEnds} (local.set $a (call $set-new))
    (call $join ${readable} (local.get $a)) (call $set-drop (local.get $a))`,
  "uses a set after its drop": `(local.set $a (call $set-new)) (call $set-drop (local.get $a))
    (call $set-drop (local.get $a))`,
  "drops a subtask that is not over":
    "(call $subtask-drop (i32.shr_u (call $ask (i32.const 8)) (i32.const 4)))",
  "cancels a forged subtask": drop("(call $subtask-cancel (i32.const 99))"),
  "cancels a subtask twice": `(local.set $a (i32.shr_u (call $ask (i32.const 8)) (i32.const 4)))
    ${drop("(call $subtask-cancel (local.get $a))")} ${drop("(call $subtask-cancel (local.get $a))")}`,
  "reads while it reads": `${makeEnds} ${startRead} ${startRead}`,
  "reads from the end for writing": `${makeEnds} ${drop(`(call $read ${writable} (i32.const 0) (i32.const 4))`)}`,
  "reads a stream of another type": `${makeEnds} ${drop(`(call $read-wide ${readable} (i32.const 0) (i32.const 1))`)}`,
  "reads to where no memory is": `${makeEnds} ${drop(`(call $read ${readable} (i32.const 65535) (i32.const 4))`)}`,
  "reads more than a copy may have": `${makeEnds} ${drop(`(call $read ${readable} (i32.const 0) (i32.const -1))`)}`,
  "drops an end that is reading": `${makeEnds} ${startRead} (call $drop-readable ${readable})`,
  "drops an end twice": `${makeEnds} (call $drop-readable ${readable}) (call $drop-readable ${readable})`,
  "cancels what it did not begin": `${makeEnds} ${drop(`(call $cancel-read ${readable})`)}`,
  "hands over an end that is reading": `${makeEnds} ${startRead} (call $take ${readable})`,
  "hands over the end for writing": `${makeEnds} (call $take ${writable})`,
  "hands over an end in a set": `${makeEnds} (call $join ${readable} (call $set-new)) (call $take ${readable})`,
  "drops a future without a value":
    "(local.set $ends (call $future-new)) (call $future-drop-writable (call $high (local.get $ends)))",
  "takes a future for a stream":
    "(local.set $ends (call $future-new)) (call $drop-readable (call $low (local.get $ends)))",
  "uses an error context after its drop": `(local.set $a (call $error-new (i32.const 0) (i32.const 0)))
    (call $error-drop (local.get $a)) (call $error-drop (local.get $a))`,
  "reads an error's words out of bounds": drop("(call $error-new (i32.const 65530) (i32.const 100))"),
  "starts a thread of no function": drop("(call $thread-new (i32.const 3) (i32.const 0))"),
  "starts a thread beyond the table": drop("(call $thread-new (i32.const 99) (i32.const 0))"),
  "starts a thread of a function of another type": drop("(call $thread-new (i32.const 1) (i32.const 0))"),
  "resumes a forged thread": "(call $thread-resume (i32.const 99))",
  "resumes itself": "(call $thread-resume (i32.const 1))",
  // Bounds on what the host has to hold.
  "makes sets without end": "(loop $l (drop (call $set-new)) (br $l))",
  "makes streams without end": "(loop $l (drop (call $new)) (br $l))",
  "makes error contexts without end":
    "(loop $l (drop (call $error-new (i32.const 0) (i32.const 16))) (br $l))",
  "makes threads without end": "(loop $l (drop (call $thread-new (i32.const 0) (i32.const 0))) (br $l))",
  "asks the host without end": "(loop $l (drop (call $ask (i32.const 8))) (br $l))",
  "gives the host streams without end": `(loop $l ${makeEnds} (call $take ${readable}) (br $l))`,
};

for (const [what, attack] of Object.entries(traps)) {
  test(`a guest that ${what} traps, and takes no further call`, async () => {
    const instance = await attacked(`${attack} (unreachable)`.replace(/^\s*\(unreachable\)$/, ""));
    await assert.rejects(instance.exports.attack(), { code: "component/trap", fault: "guest" });
    await assert.rejects(instance.exports.attack(), { code: "engine/poisoned" });
  });
}

test("a guest that waits for what cannot happen is told apart from one that takes long", async () => {
  const instance = await attacked("(drop (call $yield)) (loop $l (br_if $l (i32.eqz (call $yield))))", {
    fuelMax: 10_000,
  });
  await assert.rejects(instance.exports.attack(), { code: "engine/out-of-fuel" });
});

test("a guest that yields for ever ends at its deadline, and lets the host do other things", async () => {
  // Long enough for some turns of the loop on a machine that does other things as well.
  const instance = await attacked("", { fuelMax: Number.POSITIVE_INFINITY, deadlineMs: 200 });
  let turns = 0;
  let isOver = false;
  const count = () => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  count();
  await assert.rejects(instance.exports.forever(), { code: "engine/deadline" });
  isOver = true;
  assert.ok(turns > 2);
});

test("a guest that goes on for ever after its result spends the fuel of that call", async () => {
  const instance = await attacked("", { fuelMax: 100_000 });
  assert.equal(await instance.exports.foreverAfter(), 1);
  while (!instance.isPoisoned) await new Promise((resolve) => setImmediate(resolve));
  await assert.rejects(instance.exports.foreverAfter(), { code: "engine/poisoned" });
});

test("a guest that asks a large set for events without end is stopped at its deadline", async () => {
  const instance = await attacked(
    `(local.set $a (call $set-new))
    (loop $l
      (call $join (call $low (call $new)) (local.get $a))
      (br_if $l (i32.lt_u (local.tee $b (i32.add (local.get $b) (i32.const 1))) (i32.const 45000))))
    (loop $l (drop (call $set-poll (local.get $a) (i32.const 0))) (br $l))`,
    { fuelMax: Number.POSITIVE_INFINITY, deadlineMs: 500 },
  );
  const startedAt = process.threadCpuUsage();
  await assert.rejects(instance.exports.attack(), { code: "engine/deadline" });
  const { user } = process.threadCpuUsage(startedAt);
  assert.ok(user < 2_000_000, `it took ${user} us of this thread`);
});

test("a guest that has types of ten thousand parts compared without end is stopped at its deadline", async () => {
  const field = (name: string, type: string) => `(field "${name}" ${type})`;
  const many = (count: number, of: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => of(index));
  // By structure the same twice over.
  const types = (name: string) => `
    ${many(40, (at) => `(type $${name}${at} (record ${field(`n${at}`, "u8")} ${many(200, (index) => field(`f${index}`, "u8")).join(" ")}))`).join(" ")}
    (type $${name} (stream (list (record ${many(40, (at) => field(`g${at}`, `$${name}${at}`)).join(" ")}))))`;
  const bytes = await parse(`(component
    ${types("one")} ${types("other")}
    (core module $libc (memory (export "m") 1))
    (core instance $l (instantiate $libc))
    (core func $new (canon stream.new $one))
    (core func $write (canon stream.write $other async (memory (core memory $l "m"))))
    (core func $cancel (canon stream.cancel-write $other))
    (core module $m
      (import "h" "new" (func $new (result i64)))
      (import "h" "write" (func $write (param i32 i32 i32) (result i32)))
      (import "h" "cancel" (func $cancel (param i32) (result i32)))
      (func (export "attack") (local $end i32)
        (local.set $end (i32.wrap_i64 (i64.shr_u (call $new) (i64.const 32))))
        (loop $l
          (drop (call $write (local.get $end) (i32.const 0) (i32.const 1)))
          (drop (call $cancel (local.get $end)))
          (br $l))))
    (core instance $i (instantiate $m (with "h" (instance
      (export "new" (func $new)) (export "write" (func $write)) (export "cancel" (func $cancel))))))
    (func (export "attack") async (result u32) (canon lift (core func $i "attack") async)))`);
  const limits = { fuelMax: Number.POSITIVE_INFINITY, deadlineMs: 500 };
  const { exports } = await load<Pick<Exports, "attack">>(bytes, { imports: {}, limits });
  const startedAt = process.threadCpuUsage();
  await assert.rejects(exports.attack(), { code: "engine/deadline" });
  const { user } = process.threadCpuUsage(startedAt);
  assert.ok(user < 5_000_000, `it took ${user} us of this thread`);
});

test("values that are copied from guest to guest are bounded as those of a list are", async () => {
  const copying = (count: number) => `(component
    (type $s (stream bool))
    (component $giver
      (type $s (stream bool))
      (core module $libc (memory (export "m") 100))
      (core instance $l (instantiate $libc))
      (core func $new (canon stream.new $s))
      (core func $write (canon stream.write $s (memory (core memory $l "m"))))
      (core func $return (canon task.return (result $s)))
      (core module $m
        (import "h" "new" (func $new (result i64)))
        (import "h" "write" (func $write (param i32 i32 i32) (result i32)))
        (import "h" "return" (func $return (param i32)))
        (func (export "give") (local $ends i64)
          (local.set $ends (call $new))
          (call $return (i32.wrap_i64 (local.get $ends)))
          (drop (call $write (i32.wrap_i64 (i64.shr_u (local.get $ends) (i64.const 32)))
            (i32.const 0) (i32.const ${count})))))
      (core instance $i (instantiate $m (with "h" (instance
        (export "new" (func $new)) (export "write" (func $write)) (export "return" (func $return))))))
      (func (export "give") async (result $s) (canon lift (core func $i "give") async)))
    (instance $g (instantiate $giver))
    (alias export $g "give" (func $give))
    (core module $libc (memory (export "m") 100))
    (core instance $l (instantiate $libc))
    (core func $give-core (canon lower (func $give)))
    (core func $read (canon stream.read $s (memory (core memory $l "m"))))
    (core func $return (canon task.return (result u32)))
    (core module $m
      (import "h" "give" (func $give (result i32)))
      (import "h" "read" (func $read (param i32 i32 i32) (result i32)))
      (import "h" "return" (func $return (param i32)))
      (func (export "take")
        (call $return (call $read (call $give) (i32.const 0) (i32.const ${count})))))
    (core instance $i (instantiate $m (with "h" (instance
      (export "give" (func $give-core)) (export "read" (func $read)) (export "return" (func $return))))))
    (func (export "take") async (result u32) (canon lift (core func $i "take") async)))`;
  const take = async (count: number) => {
    const limits = { deadlineMs: 20_000 };
    const { exports } = await load<{ take(): Promise<number> }>(await parse(copying(count)), { limits });
    return exports.take();
  };
  assert.equal((await take(100_000)) >>> 4, 100_000);
  await assert.rejects(take(4_300_000), { code: "component/trap", fault: "guest" });
});

test("components with single bytes changed are refused, trap or work, and always end", async () => {
  const bytes =
    await guestOf(`${makeEnds} ${startRead} ${drop(`(call $write ${writable} (i32.const 8) (i32.const 4))`)}
    (drop (call $yield)) ${done}`);
  let seed = 1;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % below;
  };
  for (let round = 0; round < 400; round++) {
    const mutated = bytes.slice();
    mutated[random(mutated.length)] = random(256);
    try {
      const limits = { deadlineMs: 50, fuelMax: 100_000 };
      const instance = await load<Exports>(mutated, { imports, limits });
      await instance.exports.attack?.();
      instance.close();
    } catch (error) {
      assert.ok(isRemoraError(error), `round ${round}: ${String(error)}`);
    }
  }
});
