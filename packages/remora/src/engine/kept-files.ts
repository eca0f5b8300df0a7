/**
 * What outlives the process: files in a store, sealed when they are written and opened when they are read. Nobody waits for
 * a write, and no failure of the store is anybody's: what is not there is made again. A write begins after a while, since
 * whoever has something made wants to run it now, and the next start has time.
 */

import { seal, unseal } from "./sealed-file.ts";

/**
 * Where rewritten bytes and plans are kept between processes: `RewriteFolder` of the manager is one. What it gives back is
 * checked, so it may lose, cut or mix up what it was given; but whoever can write to it on purpose can also write
 * the digest that is checked, so nobody else may.
 */
export interface RewriteStore {
  /** What was written under this name, or undefined. Names are hex digits, a hyphen, and a word behind a dot. */
  read(name: string): Uint8Array | undefined;
  /** Writes a file whole or not at all: these pieces, one behind the other. Nobody waits for it before the plugin runs. */
  write(name: string, pieces: readonly Uint8Array[]): Promise<void>;
}

/** How long a write waits, in milliseconds: for a plugin of some megabytes to be compiled and entered. */
const writeAfterMs = 100;

/** A file on its way into the store. */
interface Writing {
  readonly content: readonly Uint8Array[];
  /** Writes it now, if it still waits. */
  readonly begin: () => void;
  readonly written: Promise<void>;
}

export class KeptFiles {
  readonly #store: RewriteStore | undefined;
  readonly #writing = new Map<string, Writing>();

  /** @param store Without one nothing is kept. */
  constructor(store: RewriteStore | undefined) {
    this.#store = store;
  }

  /** What was kept under this name; undefined when it is not there, not whole, or not what `unpack` takes. */
  read<Kept>(name: string, unpack: (content: Buffer) => Kept): Kept | undefined {
    try {
      const writing = this.#writing.get(name);
      if (writing !== undefined) return unpack(Buffer.concat(writing.content));
      const sealed = this.#store?.read(name);
      const content = sealed && unseal(sealed, name);
      return content && unpack(content);
    } catch {
      // Not readable: as good as not there.
      return undefined;
    }
  }

  /** @param pack Its pieces, which do not change any more. */
  write(name: string, pack: () => readonly Uint8Array[]): void {
    const store = this.#store;
    // What two have made at the same time is the same: a name says what it was made of.
    if (store === undefined || this.#writing.has(name)) return;
    try {
      const content = pack();
      const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
      const timer = setTimeout(begin, writeAfterMs);
      const writing = begun.then(() => {
        clearTimeout(timer);
        return store.write(name, seal(name, content));
      });
      this.#writing.set(name, { content, begin, written: this.#end(name, writing) });
    } catch {
      // What cannot be packed is made again at the next start.
    }
  }

  /** Resolves when all that was written until now is in the store, or could not be. */
  async settled(): Promise<void> {
    const writing = [...this.#writing.values()];
    for (const { begin } of writing) begin();
    await Promise.all(writing.map(({ written }) => written));
  }

  async #end(name: string, write: Promise<void>): Promise<void> {
    try {
      await write;
    } catch {
      // A full or read-only disk costs time at the next start and nothing else.
    } finally {
      this.#writing.delete(name);
    }
  }
}
