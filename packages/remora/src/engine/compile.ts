/**
 * From the bytes of a core module to a compiled module that counts. Two must agree on the original: the rewriter, whose
 * limits are what keeps V8 from a module that would hold it for minutes or end the process; and V8, without whose
 * consent an index could mean something that the rewriter adds. What V8 refuses after the rewrite is our bug and is
 * not run.
 */

import { isRemoraError } from "../base/index.ts";
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
 * V8 compiles a function inside its first call, where no deadline can interrupt it, and a guest can call hundreds for
 * the first time before it looks at the clock: 7 MB of code took up to a second. Up to here all of a module takes a
 * millisecond or two.
 */
const lazyWorkMax = 32 * 1024;

/** Whom the bytes belong to, for errors. */
export interface Origin {
  readonly plugin: string;
  readonly digest: string;
}

/**
 * Checks and rewrites a core module.
 *
 * @throws engine/module-too-large before anything else looked at it
 * @throws wasm/limit              it exceeds a limit; V8 has not looked at it
 * @throws engine/invalid-module   V8 refuses the original
 * @throws wasm/…                  it uses what the profile does not allow, or starts with more than it may have
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
  let rewritten: MeteredModule | undefined;
  let failure: unknown;
  try {
    rewritten = rewrite(original, options);
  } catch (error) {
    if (isRemoraError(error, "wasm/limit")) throw error;
    // Whatever else it is counts only for a valid module.
    failure = error;
  }
  if (!webAssembly.validate(original)) {
    throw engineErrors["invalid-module"]({ plugin, reason: whyInvalid(original) });
  }
  if (rewritten !== undefined) return rewritten;
  if (isRemoraError(failure)) throw failure;
  // The rewriter's own mistake, whatever it is: the module does not run.
  throw engineErrors["rewriter-bug"]({ ...origin, reason: String(failure) }, failure);
}

/**
 * Compiles what the rewriter made.
 *
 * @param eagerly Used for modules whose functions, all called for the first time, could outlast a deadline.
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
    const isEager = eagerly !== undefined && Math.max(facts.compileWork, facts.codeBytes.after) > lazyWorkMax;
    return { module: isEager ? eagerly(compile) : compile(), facts, digest: origin.digest };
  } catch (error) {
    throw engineErrors["rewriter-bug"]({ ...origin, reason: String(error) }, error);
  }
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
