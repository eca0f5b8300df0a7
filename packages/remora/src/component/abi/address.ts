/** Addresses of a guest's memory: `i32`, or `i64` where the memory is a 64-bit one (CanonicalABI.md, "ptr_type"). */

import type { Flat } from "../core.ts";

export type AddressType = "i32" | "i64";

/** Bytes of an address in memory. */
export const addressSizes = { i32: 4, i64: 8 } as const;

/**
 * An address or a length that a guest gave, as a number. Beyond 2^53 it is not exact, which is far out of every bound
 * that it is held against next.
 */
export function addressOf(flat: Flat | undefined): number {
  return typeof flat === "bigint" ? Number(BigInt.asUintN(64, flat)) : Number(flat) >>> 0;
}

/** The core value of an address or a length. */
export function flatAddress(type: AddressType, address: number): Flat {
  return type === "i64" ? BigInt(address) : address;
}
