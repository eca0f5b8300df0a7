/**
 * One allowance of pages (or of table elements) over all memories (or tables) of an instance. A module that can grow
 * one has what is left in a global, takes from it, and grows no further than it permits.
 */

import type { WasmGlobal } from "./webassembly.ts";

export class Allowance {
  #left: number;
  /** From the first module that can grow on, what is left stands here. */
  #global: WasmGlobal | undefined;

  constructor(most: number) {
    this.#left = most;
  }

  /** What may still be added. */
  get left(): number {
    return this.#global?.value ?? this.#left;
  }

  /** Sets aside what a module has from its start; false when that is more than is left. */
  reserve(amount: number): boolean {
    const left = this.left - amount;
    if (left < 0) return false;
    if (this.#global === undefined) this.#left = left;
    else this.#global.value = left;
    return true;
  }

  /** From now on the guest takes from it as well. */
  countIn(global: WasmGlobal): void {
    global.value = this.left;
    this.#global = global;
  }
}
