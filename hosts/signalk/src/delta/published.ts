/**
 * A delta on its way to everybody who listens. Its text is written when the first of them wants it, and once for all.
 */

import type { StampedDelta } from "./delta.ts";

export class Published {
  readonly delta: StampedDelta;
  /** 2: for version 2 of the interfaces alone, never a part of the full model of version 1. */
  readonly version: 1 | 2;
  #json: string | undefined;

  constructor(delta: StampedDelta, version: 1 | 2) {
    this.delta = delta;
    this.version = version;
  }

  get json(): string {
    this.#json ??= JSON.stringify(this.delta);
    return this.#json;
  }
}
