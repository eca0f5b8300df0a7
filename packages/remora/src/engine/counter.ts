/** One module's slice of the budget: the global that it counts down, and the way in which it asks for the next. */

import { type Trampoline, trampolineTo } from "./trampoline.ts";
import type { WasmGlobal, WasmTable } from "./webassembly.ts";

/** What hands out slices: the meter. */
export interface SliceSource {
  /** Answers 0 when the module may go on. */
  refill(counter: Counter): number;
}

export class Counter {
  /** What it has between calls. */
  standing = 0;
  /** It holds no more than this. */
  ceiling = 0;
  refills = 0;
  stack: WasmGlobal | undefined;
  readonly swap: (units: number) => number;
  readonly fuel: WasmGlobal;
  readonly #meter: SliceSource;
  readonly #table: WasmTable;
  readonly #trampoline: Trampoline;

  constructor(meter: SliceSource, swap: (units: number) => number, fuel: WasmGlobal, table: WasmTable) {
    this.#meter = meter;
    this.swap = swap;
    this.fuel = fuel;
    this.#table = table;
    this.#trampoline = trampolineTo(this);
    table.set(0, this.#trampoline.call);
  }

  refill(): number {
    return this.#meter.refill(this);
  }

  cutOff(): void {
    // First: a released trampoline will serve another guest.
    this.#table.set(0, null);
    this.#trampoline.release();
  }
}
