/**
 * What a guest of an asynchronous component asks of the host, and waits for without keeping its thread: how much that may be,
 * what it is told of it, and what it no longer wants to know.
 */

import type { RemoraError } from "../../base/index.ts";
import { type Event, encodeEvents, event, eventKinds, outcomes } from "./events.ts";
import { ForgedMessage, type Served } from "./face.ts";
import type { HostFailures } from "./host-failures.ts";
import { askedMax } from "./protocol.ts";

export interface QuestionsOptions {
  readonly failures: HostFailures;
  /** What a host function threw, as an error of ours. */
  readonly known: (error: unknown) => RemoraError;
  /** Sends the guest what was settled. */
  readonly tell: (payload: Uint8Array) => void;
  /** What it asked cannot come from code of ours. */
  readonly forged: (error: ForgedMessage) => void;
}

/** What the host still does of that although nobody waits; its limit over there is lower, too. */
const forgottenMax = 32_768;

/** Arguments of all of them together, as bytes that were sent: they are bounded over there, by what they cost the host. */
const askedBytesMax = 128 * 1_024 * 1_024;

/** The answer to what nobody waits for. */
const nothing = { item: outcomes.done } as const;

export class Questions {
  readonly #options: QuestionsOptions;
  /** By the number that the guest gave it. */
  readonly #asked = new Map<number, Served>();
  /** Of those the ones that nobody waits for. */
  readonly #forgotten = new Set<number>();
  #bytes = 0;
  #settled: Event[] = [];
  #isOver = false;

  constructor(options: QuestionsOptions) {
    this.#options = options;
  }

  /** How many the guest waits for. */
  get awaited(): number {
    return this.#asked.size - this.#forgotten.size;
  }

  /**
   * Tells the guest what comes of something that it asked; several answers of one turn go together.
   *
   * @param begin Calls the host; not called when the guest may not ask.
   */
  serve({ id, payload }: Event, begin: () => Served): void {
    if (this.awaited >= askedMax) throw new ForgedMessage(`more than ${askedMax} questions at a time`);
    if (this.#asked.has(id)) throw new ForgedMessage("a question under the number of another one");
    const bytes = this.#bytes + payload.length;
    if (bytes > askedBytesMax) throw new ForgedMessage(`${bytes} bytes of questions`);
    this.#bytes = bytes;
    const served = begin();
    this.#asked.set(id, served);
    const settle = (answer: () => Partial<Event>) => {
      this.#bytes -= payload.length;
      if (this.#asked.get(id) !== served) return;
      this.#asked.delete(id);
      const isForgotten = this.#forgotten.delete(id);
      if (!this.#isOver)
        this.#settle(event(eventKinds.settled, { ...(isForgotten ? nothing : answer()), id }));
    };
    const { failures, known, forged } = this.#options;
    served.answer.then(
      (answer) => settle(() => answer),
      (error: unknown) => {
        if (error instanceof ForgedMessage) forged(error);
        else settle(() => ({ item: outcomes.failed, payload: failures.told(known(error)) }));
      },
    );
  }

  /** The guest no longer waits. Unknown when it was settled on the way. */
  forget(id: number): void {
    const served = this.#asked.get(id);
    if (served === undefined || this.#forgotten.has(id)) return;
    if (served.forget()) this.#asked.delete(id);
    else this.#forgotten.add(id);
    if (this.#forgotten.size > forgottenMax) throw new ForgedMessage(`${forgottenMax} forgotten questions`);
  }

  /** Nobody is told any more. */
  end(): void {
    this.#isOver = true;
  }

  #settle(settled: Event): void {
    this.#settled.push(settled);
    if (this.#settled.length > 1) return;
    queueMicrotask(() => {
      const together = this.#settled;
      this.#settled = [];
      if (!this.#isOver) this.#options.tell(encodeEvents(together));
    });
  }
}
