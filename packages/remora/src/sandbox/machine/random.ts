/** Where a guest's random bytes come from: the operating system, or a seed for the same result from the same input. */

import { createHash, randomFillSync } from "node:crypto";

export interface RandomSource {
  /** Fills all of `into`. */
  fill(into: Uint8Array): void;
}

/** Cryptographic randomness of the operating system. */
export function realRandom(): RandomSource {
  return { fill: (into) => void randomFillSync(into) };
}

/**
 * The same bytes for the same seed, however they are cut into requests. SHA-256 over seed and counter: slow enough
 * to be obviously not for keys, and independent of any library's version.
 */
export function seededRandom(seed: string | bigint): RandomSource {
  let counter = 0;
  let block: Uint8Array = new Uint8Array(0);
  let used = 0;
  return {
    fill(into) {
      for (let at = 0; at < into.length; ) {
        if (used === block.length) {
          block = createHash("sha256").update(`${seed}\n${counter++}`).digest();
          used = 0;
        }
        const count = Math.min(block.length - used, into.length - at);
        into.set(block.subarray(used, used + count), at);
        used += count;
        at += count;
      }
    },
  };
}

/** Counts the random bytes of one call into the guest. */
export class RandomBudget {
  readonly #source: RandomSource;
  readonly #perRequestMax: number;
  readonly #perCallMax: number;
  #left: number;

  constructor(
    source: RandomSource,
    limits: { randomBytesPerRequestMax: number; randomBytesPerCallMax: number },
  ) {
    this.#source = source;
    this.#perRequestMax = limits.randomBytesPerRequestMax;
    this.#perCallMax = limits.randomBytesPerCallMax;
    this.#left = this.#perCallMax;
  }

  /** A new call into the guest begins. */
  renew(): void {
    this.#left = this.#perCallMax;
  }

  /** Whether that many bytes may still be had; when so they are spent. */
  spend(bytes: number): boolean {
    if (bytes > this.#perRequestMax || bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  fill(into: Uint8Array): void {
    this.#source.fill(into);
  }
}
