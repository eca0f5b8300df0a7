/**
 * From the bytes of a core module to a compiled module that counts. Two must agree on the original: the rewriter, whose
 * limits are what keeps V8 from a module that would hold it for minutes or end the process; and V8, without whose
 * consent an index could mean something that the rewriter adds. What V8 refuses after the rewrite is our bug and is
 * not run.
 */

import { setFlagsFromString } from "node:v8";
import { finish, isRemoraError, type RemoraError, type Steps } from "../base/index.ts";
import { defaultDecodeLimits } from "../wasm/limits.ts";
import type { MeteredModule, MeterOptions } from "../wasm/metering/contract.ts";
import { engineErrors } from "./errors.ts";
import { staysAlive } from "./turns.ts";
import { type WasmModule, webAssembly } from "./webassembly.ts";

/** What the rewriter says about a module, without its bytes: plain data that can be stored. */
export type ModuleFacts = Omit<MeteredModule, "bytes">;

/** What is known of a rewritten module, wherever it is compiled. */
export interface KnownModule {
  readonly facts: ModuleFacts;
  /** SHA-256 of the original bytes, in hex. */
  readonly digest: string;
}

export interface CompiledModule extends KnownModule {
  readonly module: WasmModule;
}

/**
 * In steps, between which the original does not change.
 *
 * @param onRead Told when all of it was read, and found within the limits: from then on V8 may look at it.
 */
export type Rewrite = (
  original: Uint8Array,
  options: MeterOptions,
  onRead?: () => void,
) => Steps<MeteredModule>;

/**
 * Runs `compile`, until its promise is settled where it gives one, with V8 told to compile all functions at once instead of
 * each inside its first call.
 */
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

/** What a rewriter made of a module for which V8 has not vouched yet, or why it made nothing. */
export type Unvouched =
  | { readonly kind: "rewritten"; readonly metered: MeteredModule }
  | { readonly kind: "refused"; readonly error: RemoraError };

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
  const rewritten = finish(rewriteUnvouched(original, origin, options, rewrite));
  checkOriginal(original, origin);
  if (rewritten.kind === "refused") throw rewritten.error;
  return rewritten.metered;
}

/**
 * The same without V8, which `checkOriginal` asks: only for a module that V8 finds valid does the outcome count.
 *
 * @throws engine/module-too-large wasm/limit
 */
export function* rewriteUnvouched(
  original: Uint8Array,
  origin: Origin,
  options: MeterOptions,
  rewrite: Rewrite,
  onRead?: () => void,
): Steps<Unvouched> {
  const sizeBytesMax = (options.sizes ?? defaultDecodeLimits).moduleBytes;
  if (original.length > sizeBytesMax) {
    const { plugin } = origin;
    throw engineErrors["module-too-large"]({ plugin, sizeBytes: original.length, sizeBytesMax });
  }
  try {
    return { kind: "rewritten", metered: yield* rewrite(original, options, onRead) };
  } catch (error) {
    if (isRemoraError(error, "wasm/limit")) throw error;
    if (isRemoraError(error)) return { kind: "refused", error };
    // The rewriter's own mistake, whatever it is: the module does not run.
    return {
      kind: "refused",
      error: engineErrors["rewriter-bug"]({ ...origin, reason: String(error) }, error),
    };
  }
}

/** @throws engine/invalid-module V8 refuses it */
export function checkOriginal(original: Uint8Array, { plugin }: Origin): void {
  if (webAssembly.validate(original)) return;
  throw engineErrors["invalid-module"]({ plugin, reason: whyInvalid(original) });
}

/** The same while the event loop turns. @throws engine/invalid-module V8 refuses it */
export async function checkOriginalAside(original: Uint8Array, { plugin }: Origin): Promise<void> {
  const reason = await whyInvalidAside(original);
  if (reason !== undefined) throw engineErrors["invalid-module"]({ plugin, reason });
}

/** @throws engine/rewriter-bug V8 refuses what the rewriter made, although it accepted the original */
export function checkRewritten(bytes: Uint8Array, origin: Origin): void {
  if (webAssembly.validate(bytes)) return;
  throw engineErrors["rewriter-bug"]({ ...origin, reason: whyInvalid(bytes) });
}

/** The same while the event loop turns. @throws engine/rewriter-bug V8 refuses it */
export async function checkRewrittenAside(bytes: Uint8Array, origin: Origin): Promise<void> {
  const reason = await whyInvalidAside(bytes);
  if (reason !== undefined) throw engineErrors["rewriter-bug"]({ ...origin, reason });
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
    const module = eagerly !== undefined && isEager(facts) ? eagerly(compile) : compile();
    return { module, facts, digest: origin.digest };
  } catch (error) {
    throw engineErrors["rewriter-bug"]({ ...origin, reason: String(error) }, error);
  }
}

/** The same while the event loop turns: by V8's own threads. */
export async function compileAside(
  bytes: Uint8Array,
  facts: ModuleFacts,
  origin: Origin,
  eagerly: Eagerly,
): Promise<CompiledModule> {
  if (!isEager(facts)) return compileRewritten(bytes, facts, origin);
  try {
    const module = await staysAlive(eagerly(() => webAssembly.compile(bytes)));
    return { module, facts, digest: origin.digest };
  } catch (error) {
    throw engineErrors["rewriter-bug"]({ ...origin, reason: String(error) }, error);
  }
}

/** Whether its functions, all called for the first time, could outlast a deadline. */
function isEager({ compileWork, codeBytes }: ModuleFacts): boolean {
  return Math.max(compileWork, codeBytes.after) > lazyWorkMax;
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

/** By V8's own threads: what is compiled function by function is no more than validated, but that it is whole. */
async function whyInvalidAside(bytes: Uint8Array): Promise<string | undefined> {
  // As it is anyway, unless the process was started otherwise.
  setFlagsFromString("--no-wasm-lazy-validation");
  try {
    await staysAlive(webAssembly.compile(bytes));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
