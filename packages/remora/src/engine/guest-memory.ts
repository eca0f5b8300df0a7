/**
 * A core module's memory as its host functions see it. On the caller's thread that is the memory itself. Behind a wall
 * it is a copy of the pieces that a host function reads, which the function declares beforehand, and of what it wrote
 * in them, which it tells: so that a call across the wall carries bytes and not the whole memory.
 */

import type { CoreFunction } from "../component/core.ts";

export interface GuestMemory {
  /** All bytes of the exported memory as it is now; a new view after it grew. Valid until the guest runs again. */
  view(): Uint8Array;
  /** To be called after bytes of the view were changed, by host functions that declare what they read. */
  wrote?(at: number, length: number): void;
}

/** A piece of memory that a host function reads, by numbers of its parameters. */
export interface MemoryRead {
  /** The parameter that is the address. */
  readonly pointer: number;
  /** Its length: the value of parameter `count`, times `each`; one of `each` without a `count`. */
  readonly count?: number;
  /** Bytes; default 1. */
  readonly each?: number;
  /** Each of the `count` entries is a pointer and a length of four bytes; what they point at is read as well. */
  readonly isScattered?: true;
  /** Its length stands in the four bytes before it, as that of a managed object; in place of `count`. */
  readonly isCounted?: true;
}

/** `all`: the whole memory, which only small ones can send. */
export type MemoryReads = readonly MemoryRead[] | "all";

const declared = new WeakMap<object, readonly MemoryRead[]>();

/** Says what a host function of a core module reads of the guest's memory, and gives the function back. */
export function readsGuestMemory<Callable extends CoreFunction>(
  callable: Callable,
  reads: readonly MemoryRead[],
): Callable {
  declared.set(callable, reads);
  return callable;
}

/** What was declared for a host function. */
export function memoryReadsOf(callable: object): readonly MemoryRead[] | undefined {
  return declared.get(callable);
}
