/** The stack slots that a guest has left, over all its modules: metering specification 4.11. */

import type { WasmGlobal } from "./webassembly.ts";

export class StackLeft {
  readonly #slotsMax: number;
  /** Undefined as long as no module counts. */
  #global: WasmGlobal | undefined;
  /** Set aside for frames that do not count themselves. */
  #reserved = 0;

  constructor(slotsMax: number) {
    this.#slotsMax = slotsMax;
  }

  /** From now on the guest takes from it. */
  countIn(global: WasmGlobal): void {
    global.value = this.#slotsMax;
    this.#global = global;
  }

  /** Only the deepest frame is followed by others that do not count, so the largest such chain is all there can be. */
  reserve(slots: number): void {
    if (this.#global === undefined || slots <= this.#reserved) return;
    this.#global.value -= slots - this.#reserved;
    this.#reserved = slots;
  }

  /**
   * Guest code goes on on another stack, which has all slots unless it is said how many are left on it.
   *
   * @returns the slots that are left on the stack before
   */
  swap(left = this.#slotsMax - this.#reserved): number {
    if (this.#global === undefined) return 0;
    const before = this.#global.value;
    this.#global.value = left;
    return before;
  }

  /** Whether a guest ran out of them. */
  get isSpent(): boolean {
    return this.#global !== undefined && this.#global.value < 0;
  }
}
