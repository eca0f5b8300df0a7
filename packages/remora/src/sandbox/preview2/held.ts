/** What all host objects of an instance have in common: they are counted, and closing one makes room. */

import type { Machine } from "../machine/machine.ts";

/** A host object of one instance, counted among its handles. */
export abstract class Held {
  protected readonly machine: Machine;

  constructor(machine: Machine) {
    this.machine = machine;
    machine.mustHold(this);
  }

  close(): void {
    this.machine.release(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
