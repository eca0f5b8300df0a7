/**
 * A set of the few things that are under way, in the order in which they came. A `Set` makes itself a new table every few
 * changes, which costs more than looking through what is there.
 */
export class Few<Item> {
  readonly #items: Item[] = [];

  get size(): number {
    return this.#items.length;
  }

  add(item: Item): void {
    if (!this.#items.includes(item)) this.#items.push(item);
  }

  /** False when it was not there. */
  delete(item: Item): boolean {
    const items = this.#items;
    const at = items.indexOf(item);
    if (at < 0) return false;
    if (at === items.length - 1) items.pop();
    else items.splice(at, 1);
    return true;
  }

  find(isWanted: (item: Item) => boolean): Item | undefined {
    return this.#items.find(isWanted);
  }

  /** All of them, which are then no longer there. */
  takeAll(): Item[] {
    return this.#items.splice(0);
  }
}
