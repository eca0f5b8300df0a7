/** Guests that several tests use: worlds as text and core modules as text. */

import { componentFromWit } from "./harness.test.ts";

/** An allocator that never frees, and pages for everything: the guests here are called a few times only. */
export const allocatorOf = (address: "i32" | "i64") => `
  (memory (export "memory") ${address === "i64" ? address : ""} 1)
  (global $top (mut ${address}) (${address}.const 4096))
  (func $realloc (export "cabi_realloc") (param ${address} ${address} ${address} ${address}) (result ${address})
    (local $p ${address})
    (local.set $p (${address}.and
      (${address}.add (global.get $top) (${address}.sub (local.get 2) (${address}.const 1)))
      (${address}.sub (${address}.const 0) (local.get 2))))
    (global.set $top (${address}.add (local.get $p) (local.get 3)))
    (block $roomy
      (br_if $roomy (${address}.le_u (global.get $top) (${address}.mul (memory.size) (${address}.const 65536))))
      (drop (memory.grow (${address}.add (${address}.const 1) (${address}.div_u (local.get 3) (${address}.const 65536))))))
    (if (${address}.ne (local.get 0) (${address}.const 0))
      (then (memory.copy (local.get $p) (local.get 0) (local.get 1))))
    (local.get $p))`;

export const allocator = allocatorOf("i32");

export const filterWit = `
package example:plugin@0.1.0;
interface host {
  enum level { trace, debug, info }
  log: func(level: level, message: string);
  get-current-time-ms: func() -> u64;
  query-elevation: func(lat: f64, lon: f64) -> option<f64>;
}
interface filter {
  record cot-message {
    cot-type: string, uid: string, callsign: option<string>, group: option<string>, team: option<string>,
    lat: f64, lon: f64, hae: option<f64>, time: string, xml-payload: option<string>,
  }
  enum filter-result { pass, block }
  evaluate: func(msg: cot-message) -> filter-result;
  describe: func() -> string;
  transform: func(data: list<u8>) -> result<list<u8>, string>;
}
world plugin { import host; export filter; }
`;

/** Logs the type, asks for elevation, and blocks what is north of 50 degrees. */
export function filterGuest(): Promise<Uint8Array> {
  return componentFromWit({
    wit: filterWit,
    world: "plugin",
    wat: `(module
      (import "example:plugin/host@0.1.0" "log" (func $log (param i32 i32 i32)))
      (import "example:plugin/host@0.1.0" "get-current-time-ms" (func $now (result i64)))
      (import "example:plugin/host@0.1.0" "query-elevation" (func $elevation (param f64 f64 i32)))
      ${allocator}
      (data (i32.const 16) "blocks the north")
      (data (i32.const 48) "no data")
      (func (export "example:plugin/filter@0.1.0#evaluate") (param $msg i32) (result i32)
        (call $log (i32.const 2) (i32.load (local.get $msg)) (i32.load offset=4 (local.get $msg)))
        (drop (call $now))
        (call $elevation (f64.load offset=56 (local.get $msg)) (f64.load offset=64 (local.get $msg)) (i32.const 512))
        (global.set $top (i32.const 4096))
        (f64.gt (f64.load offset=56 (local.get $msg)) (f64.const 50)))
      (func (export "example:plugin/filter@0.1.0#describe") (result i32)
        (i32.store (i32.const 0) (i32.const 16))
        (i32.store (i32.const 4) (i32.const 16))
        (i32.const 0))
      (func (export "cabi_post_example:plugin/filter@0.1.0#describe") (param i32)
        (i32.store (i32.const 8) (i32.add (i32.const 1) (i32.load (i32.const 8)))))
      (func (export "example:plugin/filter@0.1.0#transform") (param $at i32) (param $length i32) (result i32)
        (i32.store8 (i32.const 0) (i32.eqz (local.get $length)))
        (i32.store (i32.const 4) (select (i32.const 48) (local.get $at) (i32.eqz (local.get $length))))
        (i32.store (i32.const 8) (select (i32.const 7) (local.get $length) (i32.eqz (local.get $length))))
        (i32.const 0)))`,
  });
}

export const lazyWit = `
package example:lazy@0.1.0;
interface types {
  resource message { lat: func() -> f64; lon: func() -> f64; uid: func() -> string; }
}
interface filter {
  use types.{message};
  enum verdict { pass, block }
  evaluate: func(msg: borrow<message>) -> verdict;
  keep: func(msg: borrow<message>);
}
world plugin { import types; export filter; }
`;

/** Reads two fields of a message that stays with the host. `keep` breaks the rule: it does not drop its borrow. */
export function lazyGuest(): Promise<Uint8Array> {
  return componentFromWit({
    wit: lazyWit,
    world: "plugin",
    wat: `(module
      (import "example:lazy/types@0.1.0" "[method]message.lat" (func $lat (param i32) (result f64)))
      (import "example:lazy/types@0.1.0" "[method]message.lon" (func $lon (param i32) (result f64)))
      (import "example:lazy/types@0.1.0" "[resource-drop]message" (func $drop (param i32)))
      ${allocator}
      (func (export "example:lazy/filter@0.1.0#evaluate") (param $msg i32) (result i32)
        (f64.gt (call $lat (local.get $msg)) (call $lon (local.get $msg)))
        (call $drop (local.get $msg)))
      (func (export "example:lazy/filter@0.1.0#keep") (param $msg i32)))`,
  });
}

export const counterWit = `
package example:counters@1.2.0;
interface counters {
  resource counter {
    constructor(start: u32);
    increment: func(by: u32) -> u32;
    merge: static func(a: counter, b: borrow<counter>) -> counter;
  }
  live: func() -> u32;
  take: func(c: counter);
}
world plugin { export counters; }
`;

/** Counters at even addresses from 64 on; \`live\` counts those whose destructor has not run. */
export function counterGuest(): Promise<Uint8Array> {
  const name = "example:counters/counters@1.2.0";
  return componentFromWit({
    wit: counterWit,
    world: "plugin",
    wat: `(module
      (import "[export]${name}" "[resource-new]counter" (func $new (param i32) (result i32)))
      (import "[export]${name}" "[resource-rep]counter" (func $rep (param i32) (result i32)))
      (import "[export]${name}" "[resource-drop]counter" (func $drop (param i32)))
      ${allocator}
      (global $next (mut i32) (i32.const 64))
      (global $live (mut i32) (i32.const 0))
      (func $make (param $start i32) (result i32)
        (i32.store (global.get $next) (local.get $start))
        (global.set $live (i32.add (global.get $live) (i32.const 1)))
        (call $new (global.get $next))
        (global.set $next (i32.add (global.get $next) (i32.const 4))))
      (func (export "${name}#[constructor]counter") (param i32) (result i32) (call $make (local.get 0)))
      (func (export "${name}#[method]counter.increment") (param $self i32) (param $by i32) (result i32)
        (i32.store (local.get $self) (i32.add (i32.load (local.get $self)) (local.get $by)))
        (i32.load (local.get $self)))
      (func (export "${name}#[static]counter.merge") (param $a i32) (param $b i32) (result i32)
        (call $make (i32.add (i32.load (call $rep (local.get $a))) (i32.load (local.get $b))))
        (call $drop (local.get $a)))
      (func (export "${name}#live") (result i32) (global.get $live))
      (func (export "${name}#take") (param i32) (call $drop (local.get 0)))
      (func (export "${name}#[dtor]counter") (param i32)
        (global.set $live (i32.sub (global.get $live) (i32.const 1)))))`,
  });
}
