/** How often something happens in one turn of the event loop. */

export class TurnCount {
  #count = 0;

  /** Once more. @returns how often, with this one */
  next(): number {
    if (this.#count === 0) {
      setImmediate(() => {
        this.#count = 0;
      });
    }
    return ++this.#count;
  }
}
