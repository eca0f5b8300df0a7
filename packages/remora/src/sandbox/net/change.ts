/** Something that others wait for: a promise that is kept at the next change, again and again. */

export class Change {
  #wake: () => void = () => {};
  #next: Promise<void>;

  constructor() {
    this.#next = this.#renewed();
  }

  /** Settles when something has changed since it was asked for. */
  next(): Promise<void> {
    return this.#next;
  }

  signal(): void {
    const wake = this.#wake;
    this.#next = this.#renewed();
    wake();
  }

  #renewed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
