/** Numbers that look like chance: the same for the same seed. */

import { randomBytes } from "./random-modules.ts";

export class Random {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(seed: number) {
    this.#bytes = randomBytes(seed, 8_192);
  }

  readonly below = (count: number): number => {
    const next = () => this.#bytes[this.#at++ % this.#bytes.length] ?? 0;
    return count <= 1 ? 0 : (next() * 256 + next()) % count;
  };
}

export function range(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at);
}
