/**
 * What a thrown thing means. The meter knows why it stopped a guest; everything else V8 tells by the message of
 * its trap, the only place where it does.
 */

import { isRemoraError, type RemoraError } from "../base/index.ts";
import { reservedPrefix } from "../wasm/metering/contract.ts";
import { describe } from "./blame.ts";
import { engineErrors, type TrapPlace } from "./errors.ts";
import { webAssembly } from "./webassembly.ts";

type TrapName =
  | "memory"
  | "table"
  | "array"
  | "unreachable"
  | "divide"
  | "convert"
  | "indirect-call"
  | "null-reference"
  | "cast"
  | "unaligned";

/** V8 14, src/common/message-template.h, "kTrap…": what stays the same in each message. */
const trapMessages: readonly (readonly [part: RegExp, name: TrapName])[] = [
  [/memory access out of bounds/, "memory"],
  [/data segment (\d+ is )?out of bounds/, "memory"],
  [/table (index is|access) out of bounds/, "table"],
  [/element segment (\d+ is )?out of bounds/, "table"],
  [/array (element )?access out of bounds/, "array"],
  [/requested new array is too large/, "array"],
  [/unreachable/, "unreachable"],
  [/divide by zero|remainder by zero|divide result unrepresentable/, "divide"],
  [/float unrepresentable in integer range/, "convert"],
  [/function signature mismatch/, "indirect-call"],
  [/dereferencing a null pointer|rethrowing null value/, "null-reference"],
  [/illegal cast/, "cast"],
  [/does not support unaligned accesses/, "unaligned"],
];

/** What a frame of a rewritten module is in the original. */
export type ResolveFrame = (functionIndex: number, offset: number) => TrapPlace | undefined;

/**
 * A trap of the guest's own, or what a host function threw, as a coded error.
 *
 * @param error        Whatever left the call.
 * @param isStackSpent Whether a module counted its stack slots below zero.
 * @param resolve      From a frame in a rewritten module to the original; undefined for what is not the guest's.
 */
export function classifyThrown(
  error: unknown,
  plugin: string,
  isStackSpent: boolean,
  resolve: ResolveFrame,
): RemoraError {
  if (isRemoraError(error)) return error;
  const place = placeOf(error, resolve);
  const facts = place === undefined ? { plugin } : { plugin, place };
  if (isStackSpent || isStackOverflow(error)) return engineErrors.stack(facts, error);
  if (error instanceof webAssembly.Exception) return engineErrors["uncaught-exception"](facts, error);
  if (!(error instanceof webAssembly.RuntimeError)) {
    return engineErrors["host-failure"]({ plugin, reason: describe(error) }, error);
  }
  for (const [part, name] of trapMessages) {
    if (part.test(error.message)) return engineErrors[name](facts, error);
  }
  return engineErrors.trap({ ...facts, reason: error.message }, error);
}

/** V8's own limit, reached by the guest or by host code that it called. */
function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && error.message.includes("call stack size exceeded");
}

/** `at name (wasm://wasm/name-0a1b2c3d:wasm-function[12]:0x1a3)`; the name is the guest's. */
const wasmFrame =
  /\n {4}at (?:(.{1,200}?) \()?wasm:\/\/\S{1,300}:wasm-function\[(\d{1,9})\]:0x([0-9a-f]{1,8})/g;

/** Frames looked at: the first of them may be what the rewriter added. */
const framesMax = 4;

/**
 * The innermost function with a name, for a guest that was stopped: where exactly is chance, and not worth a map.
 * What the rewriter added has no names but reserved ones.
 */
export function runningFunction(error: unknown): { readonly place?: TrapPlace } {
  if (!(error instanceof Error) || typeof error.stack !== "string") return {};
  for (const [, functionName, index] of error.stack.matchAll(wasmFrame)) {
    if (functionName === undefined || functionName.startsWith(reservedPrefix)) continue;
    return { place: { functionIndex: Number(index), functionName } };
  }
  return {};
}

/** The innermost frame that is the guest's own; else the innermost as V8 names it. */
function placeOf(error: unknown, resolve: ResolveFrame): TrapPlace | undefined {
  if (!(error instanceof Error) || typeof error.stack !== "string") return undefined;
  let innermost: TrapPlace | undefined;
  let count = 0;
  for (const [, functionName, index, offset] of error.stack.matchAll(wasmFrame)) {
    // A module of our own, between the host and the guest: what its numbers say is not about the guest.
    if (functionName?.startsWith(reservedPrefix)) continue;
    const functionIndex = Number(index);
    const place = { functionIndex, ...(functionName !== undefined && { functionName }) };
    const original = resolve(functionIndex, Number.parseInt(offset ?? "0", 16));
    if (original !== undefined) return { ...place, ...original };
    innermost ??= place;
    if (++count === framesMax) break;
  }
  return innermost;
}
