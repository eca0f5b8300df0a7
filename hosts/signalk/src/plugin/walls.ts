/** The threads and processes of plugins that do not run on the event loop: opened when the first of them needs one. */

import { type Isolation, type IsolationLevel, openIsolation } from "remora/engine";

export class Walls {
  readonly #open = new Map<IsolationLevel, Isolation>();

  /** Undefined for the event loop, which has no wall. */
  of(level: IsolationLevel): Isolation | undefined {
    if (level === "inline") return undefined;
    const wall = this.#open.get(level) ?? openIsolation(level);
    this.#open.set(level, wall);
    return wall;
  }

  /** To be called after their plugins were stopped. */
  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((wall) => wall.close()));
    this.#open.clear();
  }
}
