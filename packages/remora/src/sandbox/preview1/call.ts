/** What every function of preview 1 gets: the machine, memory, and the descriptors of its instance. */

import { FsError } from "../fs/errno.ts";
import type { Machine } from "../machine/machine.ts";
import type { Descriptors } from "./descriptors.ts";
import type { GuestBytes } from "./guest-bytes.ts";

export interface Preview1 {
  readonly machine: Machine;
  readonly bytes: GuestBytes;
  readonly descriptors: Descriptors;
}

/** An i32 arrives as a signed number, an i64 as a signed bigint. */
export type Param = number | bigint;

/** Returning is success, and so is a promise that is kept; a failure is thrown as `FsError`. */
// biome-ignore lint/suspicious/noExplicitAny: the parameters are known from the witx, not to TypeScript
export type Implementation = (...params: any[]) => unknown;

/** The errno for whatever an implementation threw; anything but `FsError` is not the guest's business. */
export function errnoOf(thrown: unknown): number {
  if (thrown instanceof FsError) return thrown.number;
  throw thrown;
}

const safeMax = BigInt(Number.MAX_SAFE_INTEGER);

/** An unsigned offset or size as a number. @throws FsError `inval` beyond 2^53, which no file reaches. */
export function u64ToNumber(value: bigint): number {
  const unsigned = BigInt.asUintN(64, value);
  if (unsigned > safeMax) throw new FsError("inval");
  return Number(unsigned);
}
