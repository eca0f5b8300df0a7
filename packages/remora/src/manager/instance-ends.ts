/** What ends with an instance, as its host said when it was linked. */

import type { InstanceLife } from "./host.ts";

export class InstanceEnds implements InstanceLife {
  #acts: (() => void)[] = [];

  onEnd(act: () => void): void {
    this.#acts.push(act);
  }

  /** In reverse order: what was built on something goes before it. */
  end(): void {
    for (const act of this.#acts.splice(0).reverse()) act();
  }
}
