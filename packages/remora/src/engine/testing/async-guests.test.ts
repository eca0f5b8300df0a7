/** Guests of the asynchronous ABI, put together from what each is about. */

import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { allocator } from "../../component/testing/guests.test.ts";

export const memory = '(memory (core memory $l "memory"))';
export const realloc = '(realloc (core func $l "cabi_realloc"))';

interface Import {
  /** As core code imports it. */
  readonly core: string;
  /** The canonical function. */
  readonly canon: string;
}

/** Canonical functions that the guests below use, by the name under which they import them. */
const builtins: Readonly<Record<string, Import>> = {
  return: { core: "(param i32)", canon: "task.return (result u32)" },
  "return-none": { core: "", canon: "task.return" },
  cancel: { core: "", canon: "task.cancel" },
  "subtask-drop": { core: "(param i32)", canon: "subtask.drop" },
  "subtask-cancel": { core: "(param i32) (result i32)", canon: "subtask.cancel" },
  "set-new": { core: "(result i32)", canon: "waitable-set.new" },
  "set-wait": { core: "(param i32 i32) (result i32)", canon: `waitable-set.wait ${memory}` },
  "set-drop": { core: "(param i32)", canon: "waitable-set.drop" },
  join: { core: "(param i32 i32)", canon: "waitable.join" },
  yield: { core: "(result i32)", canon: "thread.yield" },
  "return-bytes": { core: "(param i32)", canon: "task.return (result $bytes)" },
  "bytes-new": { core: "(result i64)", canon: "stream.new $bytes" },
  "bytes-write": { core: "(param i32 i32 i32) (result i32)", canon: `stream.write $bytes ${memory}` },
  "bytes-write-async": {
    core: "(param i32 i32 i32) (result i32)",
    canon: `stream.write $bytes async ${memory}`,
  },
  "bytes-read": { core: "(param i32 i32 i32) (result i32)", canon: `stream.read $bytes ${memory}` },
  "bytes-read-async": {
    core: "(param i32 i32 i32) (result i32)",
    canon: `stream.read $bytes async ${memory}`,
  },
  "bytes-close": { core: "(param i32)", canon: "stream.drop-writable $bytes" },
  "bytes-drop": { core: "(param i32)", canon: "stream.drop-readable $bytes" },
  "return-texts": { core: "(param i32)", canon: "task.return (result $texts)" },
  "texts-new": { core: "(result i64)", canon: "stream.new $texts" },
  "texts-write": { core: "(param i32 i32 i32) (result i32)", canon: `stream.write $texts ${memory}` },
  "texts-read": {
    core: "(param i32 i32 i32) (result i32)",
    canon: `stream.read $texts ${memory} ${realloc}`,
  },
  "texts-close": { core: "(param i32)", canon: "stream.drop-writable $texts" },
  "texts-drop": { core: "(param i32)", canon: "stream.drop-readable $texts" },
  "return-later": { core: "(param i32)", canon: "task.return (result $later)" },
  "later-new": { core: "(result i64)", canon: "future.new $later" },
  "later-write": { core: "(param i32 i32) (result i32)", canon: `future.write $later ${memory}` },
  "later-read": { core: "(param i32 i32) (result i32)", canon: `future.read $later ${memory}` },
  "later-close": { core: "(param i32)", canon: "future.drop-writable $later" },
};

export interface Guest {
  readonly uses: readonly (keyof typeof builtins)[];
  /** Functions and globals of the core module; the memory is at hand. */
  readonly code: string;
  /** The functions that the component exports, with `$i` the core instance. */
  readonly exports: string;
  /** What it imports from the host, and the core functions made of that. */
  readonly imports?: string;
  readonly hostImports?: Readonly<Record<string, Import>>;
}

/** The component of one core module, beside one with memory and allocator. */
export function componentOf({
  uses,
  code,
  exports,
  imports = "",
  hostImports = {},
}: Guest): Promise<Uint8Array> {
  const all = Object.entries({
    ...Object.fromEntries(uses.map((name) => [name, builtins[name] as Import])),
    ...hostImports,
  });
  return parse(`(component
    (type $bytes (stream u8)) (type $texts (stream string)) (type $later (future u32))
    ${imports}
    (core module $libc ${allocator})
    (core instance $l (instantiate $libc))
    ${all.map(([name, { canon }]) => `(core func $${name} (canon ${canon}))`).join("\n")}
    (core module $m
      (import "l" "memory" (memory 1))
      ${all.map(([name, { core }]) => `(import "h" "${name}" (func $${name} ${core}))`).join("\n")}
      ${code})
    (core instance $i (instantiate $m (with "l" (instance $l))
      (with "h" (instance ${all.map(([name]) => `(export "${name}" (func $${name}))`).join(" ")}))))
    ${exports})`);
}

export const stackful = (name: string, type: string) =>
  `(func (export "${name}") async ${type} (canon lift (core func $i "${name}") async ${memory}))`;
export const calledBack = (name: string, type: string) =>
  `(func (export "${name}") async ${type} (canon lift (core func $i "${name}") async ${memory}
    (callback (core func $i "${name}-back"))))`;

export const neverSettles = () => new Promise<never>(() => {});

// Two questions to the host at once: the guest waits for both and gives the sum.
const asking: Guest = {
  uses: ["return", "set-new", "set-wait", "join", "subtask-drop"],
  imports: '(import "ask" (func $ask-host async (param "of" u32) (result u32)))',
  hostImports: {
    ask: { core: "(param i32 i32) (result i32)", canon: `lower (func $ask-host) async ${memory}` },
    "ask-and-wait": { core: "(param i32) (result i32)", canon: "lower (func $ask-host)" },
  },
  code: `
    (global $set (mut i32) (i32.const 0))
    (global $left (mut i32) (i32.const 2))
    (func $begin (param $of i32) (param $at i32) (local $packed i32)
      (local.set $packed (call $ask (local.get $of) (local.get $at)))
      (if (i32.eq (local.get $packed) (i32.const 2))
        (then (global.set $left (i32.sub (global.get $left) (i32.const 1))) return))
      (call $join (i32.shr_u (local.get $packed) (i32.const 4)) (global.get $set)))
    (func $begin-both (param $of i32)
      (global.set $left (i32.const 2))
      (global.set $set (call $set-new))
      (call $begin (local.get $of) (i32.const 16))
      (call $begin (i32.add (local.get $of) (i32.const 1)) (i32.const 20)))
    (func $sum (result i32) (i32.add (i32.load (i32.const 16)) (i32.load (i32.const 20))))
    (func $next (result i32)
      (if (result i32) (global.get $left)
        (then (i32.or (i32.const 2) (i32.shl (global.get $set) (i32.const 4))))
        (else (call $return (call $sum)) (i32.const 0))))
    (func (export "both") (param i32) (result i32) (call $begin-both (local.get 0)) (call $next))
    (func (export "both-back") (param $event i32) (param $index i32) (param $state i32) (result i32)
      (if (i32.eq (local.get $state) (i32.const 2))
        (then
          (call $subtask-drop (local.get $index))
          (global.set $left (i32.sub (global.get $left) (i32.const 1)))))
      (call $next))
    (func (export "both-stackful") (param i32)
      (call $begin-both (local.get 0))
      (loop $l
        (if (global.get $left)
          (then
            (drop (call $set-wait (global.get $set) (i32.const 24)))
            (call $subtask-drop (i32.load (i32.const 24)))
            (global.set $left (i32.sub (global.get $left) (i32.const 1)))
            (br $l))))
      (call $return (call $sum)))
    (func (export "one") (param i32) (result i32) (call $ask-and-wait (local.get 0)))
    (func (export "plain") (result i32) (i32.const 7))`,
  exports: `
    ${calledBack("both", '(param "of" u32) (result u32)')}
    ${stackful("both-stackful", '(param "of" u32) (result u32)')}
    (func (export "one") async (param "of" u32) (result u32) (canon lift (core func $i "one")))
    (func (export "plain") (result u32) (canon lift (core func $i "plain")))`,
};

export interface Asking {
  both(of: number): Promise<number>;
  bothStackful(of: number): Promise<number>;
  one(of: number): Promise<number>;
  plain(): number;
}

export const askingBytes = await componentOf(asking);

// Bytes: `count` gives 0, 1, 2, … after its result; `sum` adds what it is given. Texts: in and out the same way.
const streaming: Guest = {
  uses: [
    ...([
      "return",
      "return-bytes",
      "bytes-new",
      "bytes-write",
      "bytes-read",
      "bytes-close",
      "bytes-drop",
    ] as const),
    ...(["return-texts", "texts-new", "texts-write", "texts-read", "texts-close", "texts-drop"] as const),
    ...(["return-later", "later-new", "later-write", "later-read", "later-close"] as const),
  ],
  code: `
    (data (i32.const 64) "alphabeta")
    (func $high (param i64) (result i32) (i32.wrap_i64 (i64.shr_u (local.get 0) (i64.const 32))))
    (func (export "count") (param $to i32) (local $ends i64) (local $next i32) (local $result i32)
      (local.set $ends (call $bytes-new))
      (call $return-bytes (i32.wrap_i64 (local.get $ends)))
      (loop $l
        (if (i32.lt_u (local.get $next) (local.get $to))
          (then
            (i32.store8 (i32.const 512) (local.get $next))
            (local.set $result (call $bytes-write (call $high (local.get $ends)) (i32.const 512) (i32.const 1)))
            (local.set $next (i32.add (local.get $next) (i32.const 1)))
            (br_if $l (i32.eqz (i32.and (local.get $result) (i32.const 1)))))))
      (call $bytes-close (call $high (local.get $ends))))
    (func (export "sum") (param $stream i32) (local $packed i32) (local $at i32) (local $sum i32)
      (loop $more
        (local.set $packed (call $bytes-read (local.get $stream) (i32.const 512) (i32.const 3)))
        (local.set $at (i32.const 0))
        (loop $each
          (if (i32.lt_u (local.get $at) (i32.shr_u (local.get $packed) (i32.const 4)))
            (then
              (local.set $sum (i32.add (local.get $sum) (i32.load8_u offset=512 (local.get $at))))
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (br $each))))
        (br_if $more (i32.eqz (i32.and (local.get $packed) (i32.const 1)))))
      (call $bytes-drop (local.get $stream))
      (call $return (local.get $sum)))
    (func (export "texts") (local $ends i64)
      (local.set $ends (call $texts-new))
      (call $return-texts (i32.wrap_i64 (local.get $ends)))
      (i32.store (i32.const 512) (i32.const 64)) (i32.store (i32.const 516) (i32.const 5))
      (i32.store (i32.const 520) (i32.const 69)) (i32.store (i32.const 524) (i32.const 4))
      (drop (call $texts-write (call $high (local.get $ends)) (i32.const 512) (i32.const 2)))
      (call $texts-close (call $high (local.get $ends))))
    (func (export "lengths") (param $stream i32) (local $packed i32) (local $sum i32)
      (loop $more
        (local.set $packed (call $texts-read (local.get $stream) (i32.const 512) (i32.const 1)))
        (if (i32.shr_u (local.get $packed) (i32.const 4))
          (then (local.set $sum (i32.add (local.get $sum) (i32.load (i32.const 516))))))
        (br_if $more (i32.eqz (i32.and (local.get $packed) (i32.const 1)))))
      (call $texts-drop (local.get $stream))
      (call $return (local.get $sum)))
    (func (export "promise") (param $value i32) (local $ends i64)
      (local.set $ends (call $later-new))
      (call $return-later (i32.wrap_i64 (local.get $ends)))
      (i32.store (i32.const 512) (local.get $value))
      (drop (call $later-write (call $high (local.get $ends)) (i32.const 512)))
      (call $later-close (call $high (local.get $ends))))
    (func (export "await") (param $future i32)
      (drop (call $later-read (local.get $future) (i32.const 512)))
      (call $return (i32.load (i32.const 512))))
    (func (export "echo") (param i32) (call $return-bytes (local.get 0)))`,
  exports: `
    ${stackful("count", '(param "to" u32) (result $bytes)')}
    ${stackful("sum", '(param "bytes" $bytes) (result u32)')}
    ${stackful("texts", "(result $texts)")}
    (func (export "lengths") async (param "texts" $texts) (result u32)
      (canon lift (core func $i "lengths") async ${memory} ${realloc}))
    ${stackful("promise", '(param "value" u32) (result $later)')}
    ${stackful("await", '(param "value" $later) (result u32)')}
    ${stackful("echo", '(param "bytes" $bytes) (result $bytes)')}`,
};

export interface Streaming {
  count(to: number): Promise<AsyncIterable<Uint8Array>>;
  sum(bytes: AsyncIterable<Uint8Array>): Promise<number>;
  texts(): Promise<AsyncIterable<string>>;
  lengths(texts: AsyncIterable<string>): Promise<number>;
  promise(value: number): Promise<number>;
  await(value: Promise<number>): Promise<number>;
  echo(bytes: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>>;
}

export const streamingBytes = await componentOf(streaming);

export async function* chunks(...all: Uint8Array[]) {
  yield* all;
}
