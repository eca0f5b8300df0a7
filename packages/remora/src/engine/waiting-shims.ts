/**
 * The tiny modules around imports that wait and calls that may be put aside; `waiting.ts` says what for. One module
 * a signature, compiled once; its functions call each other directly, so that no JavaScript is between a guest and
 * the place where it waits.
 */

import type { CoreFunction, CoreSignature, CoreValue, Flat } from "../component/core.ts";
import { type WasmGlobal, type WasmModule, webAssembly } from "./webassembly.ts";

export interface WaitingImport {
  /** What the guest imports. */
  readonly call: CoreFunction;
  /** Set by `now` when its result is to be waited for. */
  readonly mustWait: WasmGlobal;
  /** Set while the guest waits: it traps instead of going on. */
  readonly isDead: WasmGlobal;
}

/** Calls `now`, and when that asks for it `wait`, which gives a promise of the result. */
export function waitingImport(
  signature: CoreSignature,
  given: { readonly now: CoreFunction; readonly wait: () => Promise<Flat | undefined> },
): WaitingImport {
  const module = moduleOf(imports, signature, importModule);
  const { exports } = new webAssembly.Instance(module, {
    h: { n: given.now, w: new (webAssembly.Suspending as Suspending)(given.wait) },
  });
  // The module below exports these under these names.
  return {
    call: exports.f as CoreFunction,
    mustWait: exports.w as WasmGlobal,
    isDead: exports.d as WasmGlobal,
  };
}

/** Calls `core` on a stack of its own, and `done` with what it returns. The promise says that it trapped. */
export function waitingEntry(
  signature: CoreSignature,
  core: CoreFunction,
  done: (result: Flat | undefined) => void,
): (...args: Flat[]) => Promise<unknown> {
  const module = moduleOf(entries, signature, entryModule);
  const { exports } = new webAssembly.Instance(module, { h: { c: core, d: done } });
  return (webAssembly.promising as Promising)(exports.f as CoreFunction);
}

// Who comes here has made sure that V8 has them.
type Suspending = NonNullable<typeof webAssembly.Suspending>;
type Promising = NonNullable<typeof webAssembly.promising>;

const imports = new Map<string, WasmModule>();
const entries = new Map<string, WasmModule>();

function moduleOf(
  kept: Map<string, WasmModule>,
  signature: CoreSignature,
  encode: (signature: CoreSignature) => Uint8Array,
): WasmModule {
  const key = `${signature.params}>${signature.results}`;
  let module = kept.get(key);
  if (module === undefined) {
    module = new webAssembly.Module(encode(signature));
    kept.set(key, module);
  }
  return module;
}

const valueTypes: Readonly<Record<CoreValue, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c };

/**
 * Imports "h" "n": P -> R and "h" "w": () -> R; exports "f": P -> R, and the i32 globals "w" and "d". A signature of
 * the canonical ABI has at most 17 parameters and one result, so that each number below is one byte.
 */
function importModule({ params, results }: CoreSignature): Uint8Array {
  const body = [
    ...params.flatMap((_, index) => [0x20, index]),
    ...[0x10, 0], // call n
    ...[0x23, 0, 0x04, 2], // global.get w, if R -> R
    ...(results.length > 0 ? [0x1a] : []), // drop
    ...[0x41, 0, 0x24, 0], // i32.const 0, global.set w
    ...[0x10, 1, 0x0b], // call w, end
    ...[0x23, 1, 0x04, 0x40, 0x00, 0x0b], // global.get d, if, unreachable, end
  ];
  return moduleBytes(
    [typeOf(params, results), typeOf([], results), typeOf(results, results)],
    [...importOf("n", 0), ...importOf("w", 1)],
    section(6, 2, ...[0x7f, 1, 0x41, 0, 0x0b], ...[0x7f, 1, 0x41, 0, 0x0b]),
    [3, ...exportOf("f", 0, 2), ...exportOf("w", 3, 0), ...exportOf("d", 3, 1)],
    body,
  );
}

/** Imports "h" "c": P -> R and "h" "d": R -> (); exports "f": P -> (). */
function entryModule({ params, results }: CoreSignature): Uint8Array {
  const body = [...params.flatMap((_, index) => [0x20, index]), 0x10, 0, 0x10, 1];
  return moduleBytes(
    [typeOf(params, []), typeOf(params, results), typeOf(results, [])],
    [...importOf("c", 1), ...importOf("d", 2)],
    [],
    [1, ...exportOf("f", 0, 2)],
    body,
  );
}

/** Two imported functions and one of the first type. */
function moduleBytes(
  types: readonly (readonly number[])[],
  imported: readonly number[],
  globals: readonly number[],
  exported: readonly number[],
  body: readonly number[],
): Uint8Array {
  return Uint8Array.of(
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, types.length, ...types.flat()),
    ...section(2, 2, ...imported),
    ...section(3, 1, 0),
    ...globals,
    ...section(7, ...exported),
    ...section(10, 1, body.length + 2, 0, ...body, 0x0b),
  );
}

function section(id: number, ...content: number[]): number[] {
  const { length } = content;
  return [id, (length & 0x7f) | 0x80, length >> 7, ...content];
}

function typeOf(params: readonly CoreValue[], results: readonly CoreValue[]): number[] {
  const types = (values: readonly CoreValue[]) => [values.length, ...values.map((one) => valueTypes[one])];
  return [0x60, ...types(params), ...types(results)];
}

function importOf(name: string, type: number): number[] {
  return [1, 0x68, 1, name.charCodeAt(0), 0, type];
}

function exportOf(name: string, kind: 0 | 3, index: number): number[] {
  return [1, name.charCodeAt(0), kind, index];
}
