/**
 * Deltas that wait for a plugin: while it is busy, waits for the network, or is being reloaded. Bounded in number and
 * in bytes; when it is full the oldest are lost, since the newest say where the boat is.
 */

export interface MailboxLimits {
  readonly deltasMax: number;
  /** UTF-16 units of all texts. */
  readonly charactersMax: number;
}

export const mailboxLimitsDefault: MailboxLimits = { deltasMax: 1_000, charactersMax: 4 * 1024 * 1024 };

export class Mailbox {
  readonly #limits: MailboxLimits;
  #texts: string[] = [];
  /** Of the first that was not taken: taking from the front of a long array costs as much as the array is long. */
  #from = 0;
  #characters = 0;
  #lost = 0;

  constructor(limits: MailboxLimits = mailboxLimitsDefault) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#texts.length - this.#from;
  }

  get lostCount(): number {
    return this.#lost;
  }

  put(text: string): void {
    if (text.length > this.#limits.charactersMax) {
      this.#lost++;
      return;
    }
    this.#texts.push(text);
    this.#characters += text.length;
    while (this.size > this.#limits.deltasMax || this.#characters > this.#limits.charactersMax) {
      this.take();
      this.#lost++;
    }
  }

  take(): string | undefined {
    const text = this.#texts[this.#from];
    if (text === undefined) return undefined;
    this.#from++;
    this.#characters -= text.length;
    if (this.#from >= 256 && 2 * this.#from >= this.#texts.length) {
      this.#texts = this.#texts.slice(this.#from);
      this.#from = 0;
    }
    return text;
  }

  clear(): void {
    this.#texts = [];
    this.#from = 0;
    this.#characters = 0;
  }
}
