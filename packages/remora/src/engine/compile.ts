/**
 * From the bytes of a core module to a compiled module that counts, in an order that matters: V8 judges the
 * original before the rewriter sees it, so that no index can point at what the rewriter adds and no malformed
 * module reaches it; and what V8 refuses after the rewrite is our bug and is not run.
 */

import { isRemoraError } from "../base/index.ts";
import { decodeModule, findSection } from "../wasm/decode.ts";
import { defaultDecodeLimits } from "../wasm/limits.ts";
import type { MeteredModule, MeterOptions } from "../wasm/metering/contract.ts";
import { engineErrors } from "./errors.ts";
import { type WasmModule, webAssembly } from "./webassembly.ts";

/** What the rewriter says about a module, without its bytes: plain data that can be stored. */
export type ModuleFacts = Omit<MeteredModule, "bytes">;

export interface CompiledModule {
  readonly module: WasmModule;
  readonly facts: ModuleFacts;
  /** SHA-256 of the original bytes, in hex. */
  readonly digest: string;
}

export type Rewrite = (original: Uint8Array, options: MeterOptions) => MeteredModule;

/** Runs `compile` with V8 told to compile all functions at once instead of each inside its first call. */
export type Eagerly = <Result>(compile: () => Result) => Result;

/**
 * V8 compiles a function inside its first call, where no deadline can interrupt it: a body of 700 KB took 49 ms. Up
 * to here that is a millisecond or two.
 */
const lazyBodyBytesMax = 32 * 1024;

/** Whom the bytes belong to, for errors. */
export interface Origin {
  readonly plugin: string;
  readonly digest: string;
}

/**
 * Checks and rewrites a core module.
 *
 * @throws engine/module-too-large before anything else looked at it
 * @throws engine/invalid-module   V8 refuses the original
 * @throws wasm/…                  it uses what the profile does not allow, or exceeds a limit
 */
export function rewriteChecked(
  original: Uint8Array,
  origin: Origin,
  options: MeterOptions,
  rewrite: Rewrite,
): MeteredModule {
  const sizeBytesMax = (options.sizes ?? defaultDecodeLimits).moduleBytes;
  const { plugin } = origin;
  if (original.length > sizeBytesMax) {
    throw engineErrors["module-too-large"]({ plugin, sizeBytes: original.length, sizeBytesMax });
  }
  if (!webAssembly.validate(original)) {
    throw engineErrors["invalid-module"]({ plugin, reason: whyInvalid(original) });
  }
  try {
    return rewrite(original, options);
  } catch (error) {
    if (isRemoraError(error)) throw error;
    // The rewriter's own mistake, whatever it is: the module does not run.
    throw engineErrors["rewriter-bug"]({ ...origin, reason: String(error) }, error);
  }
}

/**
 * Compiles what the rewriter made.
 *
 * @param eagerly Used for modules with a function so large that its compilation would outlast a deadline.
 * @throws engine/rewriter-bug V8 refuses it, although it accepted the original
 */
export function compileRewritten(
  bytes: Uint8Array,
  facts: ModuleFacts,
  origin: Origin,
  eagerly?: Eagerly,
): CompiledModule {
  try {
    const compile = () => new webAssembly.Module(bytes);
    const isEager = eagerly !== undefined && largestBodyBytes(bytes) > lazyBodyBytesMax;
    return { module: isEager ? eagerly(compile) : compile(), facts, digest: origin.digest };
  } catch (error) {
    throw engineErrors["rewriter-bug"]({ ...origin, reason: String(error) }, error);
  }
}

/** Of a module that the rewriter made: it may exceed the limits that the original kept. */
function largestBodyBytes(bytes: Uint8Array): number {
  const unlimited = { ...defaultDecodeLimits, moduleBytes: bytes.length, bodyBytes: bytes.length };
  const bodies = findSection(decodeModule(bytes, unlimited), "code")?.items ?? [];
  return bodies.reduce((largest, body) => Math.max(largest, body.bytes.length), 0);
}

/** `validate` only says no; compiling says where and why. */
function whyInvalid(bytes: Uint8Array): string {
  try {
    new webAssembly.Module(bytes);
    return "V8 does not say why";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
