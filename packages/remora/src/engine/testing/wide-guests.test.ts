/** A guest with a 64-bit memory, beside one that only allocates. */

import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { allocatorOf } from "../../component/testing/guests.test.ts";

export const allocator = allocatorOf("i64");

export const memory = '(memory (core memory $l "memory"))';
export const realloc = '(realloc (core func $l "cabi_realloc"))';

const columns = Array.from({ length: 9 }, (_, index) => `(param "p${index}" string)`).join(" ");

/** Hands everything back as it came, and asks the host in between. */
export const echoing = (encoding: string) =>
  parse(`(component
    (import "ask" (func $ask (param "text" string) (result string)))
    (core module $libc ${allocator})
    (core instance $l (instantiate $libc))
    (core func $ask-core (canon lower (func $ask) string-encoding=${encoding} ${memory} ${realloc}))
    (core module $m
      (import "l" "memory" (memory i64 1))
      (import "h" "ask" (func $ask (param i64 i64 i64)))
      (func $pair (param i64 i64) (result i64)
        (i64.store (i64.const 8) (local.get 0)) (i64.store (i64.const 16) (local.get 1)) (i64.const 8))
      (func (export "echo") (param i64 i64) (result i64) (call $pair (local.get 0) (local.get 1)))
      (func (export "first") (param i64) (result i64)
        (call $pair (i64.load (local.get 0)) (i64.load offset=8 (local.get 0))))
      (func (export "asked") (param i64 i64) (result i64)
        (call $ask (local.get 0) (local.get 1) (i64.const 8)) (i64.const 8))
      (func (export "maybe") (param i32 i64 i64) (result i64)
        (i32.store8 (i64.const 8) (local.get 0))
        (i64.store (i64.const 16) (local.get 1)) (i64.store (i64.const 24) (local.get 2)) (i64.const 8)))
    (core instance $i (instantiate $m
      (with "l" (instance $l)) (with "h" (instance (export "ask" (func $ask-core))))))
    (type $texts (list (tuple string u8)))
    (type $record (record (field "name" string) (field "note" (option string)) (field "at" f64)))
    (export $exported "record" (type $record))
    ${[
      ["echo", '(param "text" string) (result string)', "echo"],
      ["texts", '(param "texts" $texts) (result $texts)', "echo"],
      ["bytes", '(param "bytes" (list u8)) (result (list u8))', "echo"],
      ["records", '(param "records" (list $exported)) (result (list $exported))', "echo"],
      ["first", `${columns} (result string)`, "first"],
      ["asked", '(param "text" string) (result string)', "asked"],
      ["maybe", '(param "text" (option string)) (result (option string))', "maybe"],
      ["given", '(param "at" u64) (param "length" u64) (result string)', "echo"],
      ["words", '(param "at" u64) (param "length" u64) (result (list u64))', "echo"],
    ]
      .map(
        ([name, type, core]) => `(func (export "${name}") ${type}
          (canon lift (core func $i "${core}") string-encoding=${encoding} ${memory} ${realloc}))`,
      )
      .join("\n")})`);

export interface Row {
  readonly name: string;
  readonly note: string | undefined;
  readonly at: number;
}

export interface Echoing {
  echo(text: string): string;
  texts(texts: readonly (readonly [string, number])[]): [string, number][];
  bytes(bytes: Uint8Array): Uint8Array;
  records(records: readonly Row[]): Row[];
  first(...texts: readonly string[]): string;
  asked(text: string): string;
  maybe(text: string | undefined): string | undefined;
  given(at: bigint, length: bigint): string;
  words(at: bigint, length: bigint): BigUint64Array;
}
