/**
 * How many plugins have answered each other until an event reached one that is hearing events now. What it publishes
 * meanwhile goes out with that many hops: several may reach it at once, and any of them may be what it answers.
 */
export class AnswerDepth {
  readonly #underWay: number[] = [];

  /** The deepest of those that it is hearing; 0 while it hears none. */
  get hops(): number {
    return Math.max(0, ...this.#underWay);
  }

  /** It hears an event that has come so far. @returns To be called once, when it has heard it. */
  enter(hops: number): () => void {
    this.#underWay.push(hops);
    return () => void this.#underWay.splice(this.#underWay.indexOf(hops), 1);
  }
}
