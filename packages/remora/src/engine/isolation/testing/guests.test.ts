/** Guests for the table of levels: a core module and a component, each with one export for each thing that can happen. */

import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { allocator } from "../../../component/testing/guests.test.ts";
import { openArtifact } from "../../artifact.ts";

const module = `(module
  (import "env" "note" (func $note (param i32) (result i32)))
  (import "env" "shout" (func $shout (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 100) "hello")
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "wide") (param i64) (result i64) (local.get 0))
  (func (export "half") (param f64) (result f64) (f64.div (local.get 0) (f64.const 2)))
  (func (export "pair") (param i32) (result i32 i64) (local.get 0) (i64.extend_i32_s (local.get 0)))
  (func (export "note") (param i32) (result i32) (call $note (local.get 0)))
  (func (export "notes") (param i32) (loop
    (drop (call $note (local.get 0)))
    (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
  (func (export "shout") (result i32) (call $shout (i32.const 100) (i32.const 5)) (i32.load8_u (i32.const 100)))
  (func (export "peek") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func $recurse (export "recurse") (result i32) (i32.add (i32.const 1) (call $recurse)))
  (func (export "spin") (loop (br 0)))
  (func (export "trap") unreachable))`;

const options = '(memory (core memory $l "memory")) (realloc (core func $l "cabi_realloc"))';

/** `ask` passes a text to the host and gives its result back; `use` opens a resource of the host, asks it, drops it. */
const component = `(component
  (import "test:level/host" (instance $host
    (export "ask" (func (param "text" string) (result (result string (error string)))))
    (export "thing" (type $thing (sub resource)))
    (export "open" (func (param "name" string) (result (own $thing))))
    (export "[method]thing.size" (func (param "self" (borrow $thing)) (result u32)))))
  (alias export $host "thing" (type $thing))
  (core module $libc ${allocator})
  (core instance $l (instantiate $libc))
  (core func $ask (canon lower (func $host "ask") ${options}))
  (core func $open (canon lower (func $host "open") ${options}))
  (core func $size (canon lower (func $host "[method]thing.size")))
  (core func $drop (canon resource.drop $thing))
  (core module $m
    (import "l" "memory" (memory 1))
    (import "h" "ask" (func $ask (param i32 i32 i32)))
    (import "h" "open" (func $open (param i32 i32) (result i32)))
    (import "h" "size" (func $size (param i32) (result i32)))
    (import "h" "drop" (func $drop (param i32)))
    (func (export "ask") (param i32 i32) (result i32)
      (call $ask (local.get 0) (local.get 1) (i32.const 16)) (i32.const 16))
    (func (export "use") (param i32 i32) (result i32) (local i32 i32)
      (local.set 2 (call $open (local.get 0) (local.get 1)))
      (local.set 3 (call $size (local.get 2)))
      (call $drop (local.get 2))
      (local.get 3))
    (func (export "lent") (param i32) (result i32) (local i32)
      (local.set 1 (call $size (local.get 0)))
      (call $drop (local.get 0))
      (local.get 1))
    (func (export "forge") (result i32) (call $size (i32.const 77)))
    (func (export "echo") (param i32 i32) (result i32)
      (i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.const 16))
    (func (export "spin") (loop (br 0)))
    (func (export "trap") unreachable))
  (core instance $i (instantiate $m (with "l" (instance $l)) (with "h" (instance
    (export "ask" (func $ask)) (export "open" (func $open)) (export "size" (func $size)) (export "drop" (func $drop))))))
  (func $askf (param "text" string) (result (result string (error string)))
    (canon lift (core func $i "ask") ${options}))
  (func $usef (param "name" string) (result u32) (canon lift (core func $i "use") ${options}))
  (func $lentf (param "thing" (borrow $thing)) (result u32) (canon lift (core func $i "lent") ${options}))
  (func $forgef (result u32) (canon lift (core func $i "forge")))
  (func $echof (param "bytes" (list u8)) (result (list u8)) (canon lift (core func $i "echo") ${options}))
  (func $spinf (canon lift (core func $i "spin")))
  (func $trapf (canon lift (core func $i "trap")))
  (instance $e (export "ask" (func $askf)) (export "use" (func $usef)) (export "lent" (func $lentf))
    (export "forge" (func $forgef)) (export "echo" (func $echof)) (export "spin" (func $spinf))
    (export "trap" (func $trapf)))
  (export "test:level/guest" (instance $e)))`;

export const moduleBytes = await parse(module);
export const componentBytes = await parse(component);

export const moduleArtifact = () => openArtifact(moduleBytes, { plugin: "table" });
export const componentArtifact = () => openArtifact(componentBytes, { plugin: "table" });
