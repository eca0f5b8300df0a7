/** Streams of bytes, as radars send them: by name, to whoever listens, without a memory. */

export type BinaryListener = (data: Uint8Array) => void;

export class BinaryStreams {
  readonly #listeners = new Map<string, Set<BinaryListener>>();

  listen(stream: string, listener: BinaryListener): () => void {
    const listeners = this.#listeners.get(stream) ?? new Set();
    this.#listeners.set(stream, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(stream) === listeners) this.#listeners.delete(stream);
    };
  }

  emit(stream: string, data: Uint8Array): void {
    for (const listener of this.#listeners.get(stream) ?? []) listener(data);
  }
}
