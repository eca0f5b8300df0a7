/**
 * One allowance of pages (or of table elements) shared by all core modules of an instance. Each rewritten module
 * that can grow holds what is left in a global of its own and subtracts what it adds; before each growth it calls
 * the meter, which brings all the globals to the same number again.
 */

import type { WasmGlobal } from "./webassembly.ts";

interface Holder {
  readonly global: WasmGlobal;
  /** What was written into the global last; what it holds now is less by what the guest added. */
  written: number;
}

export class Allowance {
  #left: number;
  readonly #holders: Holder[] = [];

  constructor(most: number) {
    this.#left = most;
  }

  /** Whether growth by one module can exceed the sum unless the globals are brought to the same number. */
  get isShared(): boolean {
    return this.#holders.length > 1;
  }

  /** What may still be added, all modules together. */
  get left(): number {
    this.share();
    return this.#left;
  }

  /** Sets aside what a module has from its start; false when that is more than is left. */
  reserve(amount: number): boolean {
    this.share();
    if (amount > this.#left) return false;
    this.#left -= amount;
    this.#write();
    return true;
  }

  /** From now on this module grows out of the same allowance. */
  add(global: WasmGlobal): void {
    this.share();
    global.value = this.#left;
    this.#holders.push({ global, written: this.#left });
  }

  /** Takes what one module added since last time from all the others. */
  share(): void {
    let added = 0;
    for (const holder of this.#holders) added += holder.written - holder.global.value;
    if (added === 0) return;
    this.#left -= added;
    this.#write();
  }

  #write(): void {
    for (const holder of this.#holders) {
      holder.global.value = this.#left;
      holder.written = this.#left;
    }
  }
}
