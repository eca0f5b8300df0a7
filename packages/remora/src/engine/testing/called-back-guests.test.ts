/** A guest that reads and writes streams and futures by its callback alone: the form that most guests have. */

import { calledBack, componentOf, type Guest, memory } from "./async-guests.test.ts";

// Waiting is one function for all: each keeps its set in a global, and says in its callback what comes next.
const piping: Guest = {
  uses: [
    ...(["return", "return-bytes", "return-later", "set-new", "join"] as const),
    ...(["bytes-new", "bytes-write-async", "bytes-read-async", "bytes-close", "bytes-drop"] as const),
    ...(["later-new", "later-close"] as const),
  ],
  hostImports: {
    "later-read-async": { core: "(param i32 i32) (result i32)", canon: `future.read $later async ${memory}` },
    "later-write-async": {
      core: "(param i32 i32) (result i32)",
      canon: `future.write $later async ${memory}`,
    },
    "later-drop": { core: "(param i32)", canon: "future.drop-readable $later" },
  },
  code: `
    (global $end (mut i32) (i32.const 0))
    (global $set (mut i32) (i32.const 0))
    (global $sum (mut i32) (i32.const 0))
    (global $next (mut i32) (i32.const 0))
    (global $to (mut i32) (i32.const 0))
    (func $high (param i64) (result i32) (i32.wrap_i64 (i64.shr_u (local.get 0) (i64.const 32))))
    (func $begin (param $end i32)
      (global.set $end (local.get $end))
      (global.set $set (call $set-new))
      (call $join (local.get $end) (global.get $set)))
    (func $wait (result i32) (i32.or (i32.const 2) (i32.shl (global.get $set) (i32.const 4))))

    ;; sum: adds the bytes of a stream
    (func $add (param $packed i32) (local $at i32)
      (loop $each
        (if (i32.lt_u (local.get $at) (i32.shr_u (local.get $packed) (i32.const 4)))
          (then
            (global.set $sum (i32.add (global.get $sum) (i32.load8_u offset=512 (local.get $at))))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br $each)))))
    (func $sum-on (param $packed i32) (result i32)
      (loop $more
        (call $add (local.get $packed))
        (if (i32.and (local.get $packed) (i32.const 1))
          (then (call $bytes-drop (global.get $end)) (call $return (global.get $sum)) (return (i32.const 0))))
        (local.set $packed (call $bytes-read-async (global.get $end) (i32.const 512) (i32.const 3)))
        (br_if $more (i32.ne (local.get $packed) (i32.const -1))))
      (call $wait))
    (func (export "sum") (param $bytes i32) (result i32)
      (global.set $sum (i32.const 0))
      (call $begin (local.get $bytes))
      (call $sum-on (i32.const 0)))
    (func (export "sum-back") (param i32 i32 i32) (result i32) (call $sum-on (local.get 2)))

    ;; count: writes 0, 1, 2, … after its result
    (func $count-on (param $packed i32) (result i32)
      (loop $more
        (global.set $next (i32.add (global.get $next) (i32.shr_u (local.get $packed) (i32.const 4))))
        (if (i32.or (i32.and (local.get $packed) (i32.const 1)) (i32.ge_u (global.get $next) (global.get $to)))
          (then (call $bytes-close (global.get $end)) (return (i32.const 0))))
        (i32.store8 (i32.const 512) (global.get $next))
        (local.set $packed (call $bytes-write-async (global.get $end) (i32.const 512) (i32.const 1)))
        (br_if $more (i32.ne (local.get $packed) (i32.const -1))))
      (call $wait))
    (func (export "count") (param $to i32) (result i32) (local $ends i64)
      (global.set $next (i32.const 0))
      (global.set $to (local.get $to))
      (local.set $ends (call $bytes-new))
      (call $begin (call $high (local.get $ends)))
      (call $return-bytes (i32.wrap_i64 (local.get $ends)))
      (call $count-on (i32.const 0)))
    (func (export "count-back") (param i32 i32 i32) (result i32) (call $count-on (local.get 2)))

    ;; await: one more than the value of a future
    (func $await-on (param $packed i32) (result i32)
      (if (i32.eq (local.get $packed) (i32.const -1)) (then (return (call $wait))))
      (call $later-drop (global.get $end))
      (call $return (i32.add (i32.load (i32.const 512)) (i32.const 1)))
      (i32.const 0))
    (func (export "await") (param $later i32) (result i32)
      (call $begin (local.get $later))
      (call $await-on (call $later-read-async (local.get $later) (i32.const 512))))
    (func (export "await-back") (param i32 i32 i32) (result i32) (call $await-on (local.get 2)))

    ;; promise: a future that gets its value after the result
    (func $promise-on (param $packed i32) (result i32)
      (if (i32.eq (local.get $packed) (i32.const -1)) (then (return (call $wait))))
      (call $later-close (global.get $end))
      (i32.const 0))
    (func (export "promise") (param $value i32) (result i32) (local $ends i64)
      (local.set $ends (call $later-new))
      (call $begin (call $high (local.get $ends)))
      (call $return-later (i32.wrap_i64 (local.get $ends)))
      (i32.store (i32.const 512) (local.get $value))
      (call $promise-on (call $later-write-async (global.get $end) (i32.const 512))))
    (func (export "promise-back") (param i32 i32 i32) (result i32) (call $promise-on (local.get 2)))`,
  exports: `
    ${calledBack("sum", '(param "bytes" $bytes) (result u32)')}
    ${calledBack("count", '(param "to" u32) (result $bytes)')}
    ${calledBack("await", '(param "value" $later) (result u32)')}
    ${calledBack("promise", '(param "value" u32) (result $later)')}`,
};

export interface Piping {
  sum(bytes: AsyncIterable<Uint8Array>): Promise<number>;
  count(to: number): Promise<AsyncIterable<Uint8Array>>;
  await(value: Promise<number>): Promise<number>;
  promise(value: number): Promise<number>;
}

export const pipingBytes = await componentOf(piping);
