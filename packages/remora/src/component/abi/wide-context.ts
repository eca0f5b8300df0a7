/**
 * The context of a 64-bit memory. Everything on our side of it counts in numbers: a memory that V8 can make ends long
 * before these are no longer exact.
 */

import type { CoreFunction } from "../core.ts";
import { addressOf } from "./address.ts";
import { Context, type ContextOptions } from "./context.ts";

class WideContext extends Context {
  readonly #realloc: CoreFunction | undefined;

  constructor(options: ContextOptions) {
    // Routines are for 32-bit memories: strings are written one by one here.
    super({ ...options, realloc: undefined });
    this.#realloc = options.realloc;
  }

  override allocate(align: number, size: number): number {
    return this.reallocate(0, 0, align, size);
  }

  override reallocate(oldPointer: number, oldSize: number, align: number, size: number): number {
    if (this.#realloc === undefined) return super.reallocate(oldPointer, oldSize, align, size);
    const given = this.#realloc(BigInt(oldPointer), BigInt(oldSize), BigInt(align), BigInt(size));
    return this.allocated(addressOf(given), align, size);
  }
}

/** The context for a memory of either kind. */
export function contextOf(options: ContextOptions & { readonly address: "i32" | "i64" }): Context {
  return options.address === "i64" ? new WideContext(options) : new Context(options);
}
