/**
 * The worlds of the benchmark and their guests. The guests of the calls are WebAssembly text that does next to
 * nothing, with an arena that is reset by each call: what is left is the price of crossing.
 */

export const callsWit = `
package bench:calls@0.1.0;
interface calls {
  record cot-message {
    cot-type: string, uid: string, callsign: option<string>, group: option<string>, team: option<string>,
    lat: f64, lon: f64, hae: option<f64>, time: string, xml-payload: option<string>,
  }
  record point { x: f64, y: f64 }
  enum verdict { pass, block }
  add: func(a: u32, b: u32) -> u32;
  evaluate: func(msg: cot-message) -> verdict;
  evaluate-batch: func(msgs: list<cot-message>) -> list<verdict>;
  bytes: func(data: list<u8>) -> list<u8>;
  text: func(text: string) -> string;
  points: func(points: list<point>) -> list<point>;
}
world plugin { export calls; }
`;

/** Blocks what is north of 50 degrees. */
export const callsWat = `(module
  (memory (export "memory") 1)
  (global $top (mut i32) (i32.const 4096))
  (func $realloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $p i32)
    (local.set $p (i32.and
      (i32.add (global.get $top) (i32.sub (local.get 2) (i32.const 1)))
      (i32.sub (i32.const 0) (local.get 2))))
    (global.set $top (i32.add (local.get $p) (local.get 3)))
    (block $roomy
      (br_if $roomy (i32.le_u (global.get $top) (i32.mul (memory.size) (i32.const 65536))))
      (drop (memory.grow (i32.add (i32.const 1) (i32.div_u (local.get 3) (i32.const 65536))))))
    (if (local.get 0) (then (memory.copy (local.get $p) (local.get 0) (local.get 1))))
    (local.get $p))
  (func $reset (param i32) (global.set $top (i32.const 4096)))
  (func $give (param $at i32) (param $length i32) (result i32)
    (i32.store (i32.const 16) (local.get $at))
    (i32.store (i32.const 20) (local.get $length))
    (i32.const 16))
  (func $copy (param $at i32) (param $length i32) (param $size i32) (param $align i32) (result i32) (local $to i32)
    (local.set $to (call $realloc (i32.const 0) (i32.const 0) (local.get $align) (local.get $size)))
    (memory.copy (local.get $to) (local.get $at) (local.get $size))
    (call $give (local.get $to) (local.get $length)))
  (func (export "bench:calls/calls@0.1.0#add") (param i32 i32) (result i32)
    (i32.add (local.get 0) (local.get 1)))
  (func (export "bench:calls/calls@0.1.0#evaluate") (param $msg i32) (result i32)
    (global.set $top (i32.const 4096))
    (f64.gt (f64.load offset=56 (local.get $msg)) (f64.const 50)))
  (func (export "bench:calls/calls@0.1.0#evaluate-batch") (param $at i32) (param $length i32) (result i32)
    (local $to i32) (local $next i32) (local $end i32)
    (local.set $to (call $realloc (i32.const 0) (i32.const 0) (i32.const 1) (local.get $length)))
    (local.set $next (local.get $to))
    (local.set $end (i32.add (local.get $to) (local.get $length)))
    (block $done (loop $each
      (br_if $done (i32.eq (local.get $next) (local.get $end)))
      (i32.store8 (local.get $next) (f64.gt (f64.load offset=56 (local.get $at)) (f64.const 50)))
      (local.set $at (i32.add (local.get $at) (i32.const 112)))
      (local.set $next (i32.add (local.get $next) (i32.const 1)))
      (br $each)))
    (call $give (local.get $to) (local.get $length)))
  (func (export "bench:calls/calls@0.1.0#bytes") (param $at i32) (param $length i32) (result i32)
    (call $copy (local.get $at) (local.get $length) (local.get $length) (i32.const 1)))
  (func (export "bench:calls/calls@0.1.0#text") (param $at i32) (param $length i32) (result i32)
    (call $copy (local.get $at) (local.get $length) (local.get $length) (i32.const 1)))
  (func (export "bench:calls/calls@0.1.0#points") (param $at i32) (param $length i32) (result i32)
    (call $copy (local.get $at) (local.get $length) (i32.shl (local.get $length) (i32.const 4)) (i32.const 8)))
  (export "cabi_post_bench:calls/calls@0.1.0#evaluate-batch" (func $reset))
  (export "cabi_post_bench:calls/calls@0.1.0#bytes" (func $reset))
  (export "cabi_post_bench:calls/calls@0.1.0#text" (func $reset))
  (export "cabi_post_bench:calls/calls@0.1.0#points" (func $reset)))`;

export const lazyWit = `
package bench:lazy@0.1.0;
interface types {
  resource message { lat: func() -> f64; lon: func() -> f64; }
}
interface lazy {
  use types.{message};
  enum verdict { pass, block }
  evaluate: func(msg: borrow<message>) -> verdict;
}
world plugin { import types; export lazy; }
`;

/** Reads two fields of a message that stays with the host. */
export const lazyWat = `(module
  (import "bench:lazy/types@0.1.0" "[method]message.lat" (func $lat (param i32) (result f64)))
  (import "bench:lazy/types@0.1.0" "[method]message.lon" (func $lon (param i32) (result f64)))
  (import "bench:lazy/types@0.1.0" "[resource-drop]message" (func $drop (param i32)))
  (memory (export "memory") 1)
  (func (export "bench:lazy/lazy@0.1.0#evaluate") (param $msg i32) (result i32)
    (f64.gt (call $lat (local.get $msg)) (call $lon (local.get $msg)))
    (call $drop (local.get $msg))))`;

export const programWit = `
package bench:program@0.1.0;
world program { export run: func(text: string) -> string; }
`;

export const scriptWit = `
package bench:script@0.1.0;
interface script {
  record position { uid: string, callsign: string, lat: f64, lon: f64 }
  evaluate: func(at: position) -> bool;
  add: func(a: u32, b: u32) -> u32;
}
world plugin { export script; }
`;
