/** For tests: a store of kept files that is there to be looked into and tampered with. */

import type { RewriteStore } from "../kept-files.ts";

export interface MemoryStore extends RewriteStore {
  readonly files: Map<string, Uint8Array>;
  /** How often something was written. */
  readonly writes: number;
}

export function memoryStore(): MemoryStore {
  const files = new Map<string, Uint8Array>();
  let writes = 0;
  return {
    files,
    get writes() {
      return writes;
    },
    read: (name) => files.get(name),
    async write(name, pieces) {
      writes++;
      files.set(name, Buffer.concat(pieces));
    },
  };
}

/** The file cut at several places, and with one bit changed in every few bytes. */
export function* damaged(good: Uint8Array): Generator<Uint8Array> {
  yield new Uint8Array(0);
  yield good.subarray(0, 20);
  yield good.subarray(0, -1);
  for (let at = 0; at < good.length; at += 5) {
    const changed = Uint8Array.from(good);
    changed[at] = (good[at] ?? 0) ^ 0x10;
    yield changed;
  }
}
