/** Things by name, of which one is the default: the one that was chosen while it is there, else the first. */

export class Choices<Thing> {
  readonly byName = new Map<string, Thing>();
  #chosen: string | undefined;

  get defaultName(): string | undefined {
    if (this.#chosen !== undefined && this.byName.has(this.#chosen)) return this.#chosen;
    return this.byName.keys().next().value;
  }

  /** @returns false when there is no such thing */
  choose(name: string): boolean {
    if (!this.byName.has(name)) return false;
    this.#chosen = name;
    return true;
  }
}
