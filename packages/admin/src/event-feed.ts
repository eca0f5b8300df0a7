/**
 * Events for one reader who may be slower than what happens: a bounded queue that is read as an iterable. What does
 * not fit is left out and counted, and the reader is told how much it was.
 */

/** Stands for events that were left out. */
export interface Omitted {
  readonly kind: "omitted";
  readonly atMs: number;
  readonly plugin: "";
  readonly count: number;
}

export class EventFeed<Event extends { readonly atMs: number }> implements AsyncIterable<Event | Omitted> {
  readonly #eventsMax: number;
  readonly #queue: Event[] = [];
  #omitted = 0;
  #lastAtMs = 0;
  #wake: (() => void) | undefined;
  #isEnded = false;

  constructor(eventsMax = 1_000) {
    this.#eventsMax = eventsMax;
  }

  push(event: Event): void {
    this.#lastAtMs = event.atMs;
    if (this.#queue.length >= this.#eventsMax) this.#omitted++;
    else this.#queue.push(event);
    this.#wake?.();
  }

  end(): void {
    this.#isEnded = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Event | Omitted> {
    for (;;) {
      const event = this.#queue.shift();
      if (event !== undefined) yield event;
      else if (this.#omitted > 0) {
        const count = this.#omitted;
        this.#omitted = 0;
        yield { kind: "omitted", atMs: this.#lastAtMs, plugin: "", count };
      } else if (this.#isEnded) return;
      else await this.#more();
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
