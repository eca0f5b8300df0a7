/**
 * Native filters and plugins in the configured order. Each message goes through the stages until one blocks
 * it; a stage that fails on a message acts by its `onFailure`, is counted, and sees the next message as if
 * nothing had happened. A message that is not blocked takes no allocation of ours.
 */

import { invariant, isRemoraError, type RemoraError } from "remora/base";
import type { CotMessage } from "../cot/message.ts";
import { answersLater, type FilterStage, type Stage } from "./stage.ts";

export interface ChainCounts {
  readonly in: number;
  readonly passed: number;
  /** Dropped, by a verdict or by a failure: `in` is `passed` and `blocked` together. */
  readonly blocked: number;
  /** Passed, but not as it came in. */
  readonly changed: number;
  /** Failures of all stages. */
  readonly failed: number;
  readonly stages: readonly StageCounts[];
}

export interface StageCounts {
  readonly id: string;
  readonly kind: Stage["kind"];
  readonly in: number;
  /** By the stage's own verdict. */
  readonly blocked: number;
  readonly changed: number;
  /** Each of them was dropped or passed on, as the stage's `onFailure` says. */
  readonly failed: number;
}

export interface ChainOptions {
  /** Told of every failure, after it was counted; for logs. Must not throw. */
  readonly onFailed?: (stage: Stage, message: CotMessage, error: RemoraError) => void;
}

interface Slot {
  readonly stage: Stage;
  in: number;
  blocked: number;
  changed: number;
  failed: number;
}

export class Chain {
  readonly #slots: readonly Slot[];
  readonly #onFailed: ChainOptions["onFailed"];
  #in = 0;
  #passed = 0;
  #changed = 0;

  constructor(stages: readonly Stage[], options: ChainOptions = {}) {
    invariant(new Set(stages.map((stage) => stage.id)).size === stages.length, "stage ids are unique");
    this.#onFailed = options.onFailed;
    this.#slots = stages.map((stage) => ({
      stage,
      in: 0,
      blocked: 0,
      changed: 0,
      failed: 0,
    }));
  }

  /** The message that came through, perhaps another than went in; undefined when it was blocked. */
  run(message: CotMessage): CotMessage | undefined {
    this.#in++;
    let current: CotMessage | undefined = message;
    for (const slot of this.#slots) {
      current = this.#step(slot, current);
      if (current === undefined) return undefined;
    }
    this.#passed++;
    if (current !== message) this.#changed++;
    return current;
  }

  /**
   * Runs many messages, stage by stage, so that a stage with `decideBatch` gets them at once. Those that came
   * through are put into `into`, in their order.
   *
   * @param into Emptied first; must not be `messages`.
   * @param from Emptied first; gets, for each message in `into`, the index in `messages` of what it came from.
   */
  runBatch(messages: readonly CotMessage[], into: CotMessage[], from: number[] = []): void {
    this.#enter(messages, into, from);
    for (const slot of this.#slots) {
      if (into.length === 0) return;
      this.#stepBatch(slot, into, from);
    }
    this.#leave(messages, into, from);
  }

  /** As `runBatch`, through stages that answer later as well. One at a time. */
  async runBatchLater(
    messages: readonly CotMessage[],
    into: CotMessage[],
    from: number[] = [],
  ): Promise<void> {
    this.#enter(messages, into, from);
    for (const slot of this.#slots) {
      if (into.length === 0) return;
      if (answersLater(slot.stage)) await this.#stepBatchLater(slot, into, from);
      else this.#stepBatch(slot, into, from);
    }
    this.#leave(messages, into, from);
  }

  #enter(messages: readonly CotMessage[], into: CotMessage[], from: number[]): void {
    this.#in += messages.length;
    into.length = 0;
    from.length = 0;
    for (const message of messages) from.push(into.push(message) - 1);
  }

  #leave(messages: readonly CotMessage[], into: readonly CotMessage[], from: readonly number[]): void {
    this.#passed += into.length;
    for (const [index, message] of into.entries()) {
      if (message !== messages[from[index] ?? 0]) this.#changed++;
    }
  }

  counts(): ChainCounts {
    return {
      in: this.#in,
      passed: this.#passed,
      blocked: this.#in - this.#passed,
      changed: this.#changed,
      failed: this.#slots.reduce((sum, slot) => sum + slot.failed, 0),
      stages: this.#slots.map(({ stage: { id, kind }, in: entered, blocked, changed, failed }) => ({
        id,
        kind,
        in: entered,
        blocked,
        changed,
        failed,
      })),
    };
  }

  #step(slot: Slot, message: CotMessage): CotMessage | undefined {
    const { stage } = slot;
    try {
      if (stage.kind === "filter") return judge(slot, message, stage.decide(message));
      return transformed(slot, message, stage.transform(message));
    } catch (error) {
      return this.#failed(slot, message, error);
    }
  }

  /** Leaves in `messages` those that pass, and in `from` where they came from. */
  #stepBatch(slot: Slot, messages: CotMessage[], from: number[]): void {
    const verdicts = this.#verdicts(slot, messages);
    keep(messages, from, (message, index) =>
      verdicts === undefined ? this.#step(slot, message) : judge(slot, message, verdicts[index] !== 0),
    );
  }

  async #stepBatchLater(slot: Slot, messages: CotMessage[], from: number[]): Promise<void> {
    const { stage } = slot;
    const verdicts = stage.kind === "filter" ? await verdictsLater(stage, messages) : undefined;
    const next: (CotMessage | undefined)[] = [];
    for (const [index, message] of messages.entries()) {
      if (verdicts === undefined) next.push(await this.#stepLater(slot, message));
      else next.push(judge(slot, message, verdicts[index] !== 0));
    }
    keep(messages, from, (_, index) => next[index]);
  }

  async #stepLater(slot: Slot, message: CotMessage): Promise<CotMessage | undefined> {
    const { stage } = slot;
    // Another version serves meanwhile, and answers at once.
    if (!answersLater(stage)) return this.#step(slot, message);
    try {
      if (stage.kind === "filter") {
        const [verdict] = (await stage.decideLater?.([message])) ?? [];
        return judge(slot, message, verdict !== 0);
      }
      const next = (await stage.transformLater?.(message)) ?? message;
      return transformed(slot, message, next);
    } catch (error) {
      return this.#failed(slot, message, error);
    }
  }

  /** Undefined when the stage has to be asked for each message alone. */
  #verdicts({ stage }: Slot, messages: readonly CotMessage[]): Uint8Array | undefined {
    if (stage.kind !== "filter" || stage.decideBatch === undefined) return undefined;
    try {
      const verdicts = stage.decideBatch(messages);
      return verdicts.length < messages.length ? undefined : verdicts;
    } catch (error) {
      // Asked again for each message alone, the stage fails on the one at fault, where it is counted.
      if (!isRemoraError(error)) throw error;
      return undefined;
    }
  }

  #failed(slot: Slot, message: CotMessage, error: unknown): CotMessage | undefined {
    // Anything else is a mistake of ours, and dropping messages would hide it.
    if (!isRemoraError(error)) throw error;
    slot.in++;
    slot.failed++;
    this.#onFailed?.(slot.stage, message, error);
    return slot.stage.onFailure === "pass" ? message : undefined;
  }
}

/** Leaves in `messages` what becomes of each that goes on, and in `from` where it came from. */
function keep(
  messages: CotMessage[],
  from: number[],
  nextOf: (message: CotMessage, index: number) => CotMessage | undefined,
): void {
  let kept = 0;
  for (let index = 0; index < messages.length; index++) {
    // The loop ends at the length, so there is a message.
    const next = nextOf(messages[index] as CotMessage, index);
    if (next === undefined) continue;
    from[kept] = from[index] ?? 0;
    messages[kept++] = next;
  }
  messages.length = kept;
  from.length = kept;
}

/** Undefined when the stage has to be asked for each message alone. */
async function verdictsLater(
  { decideLater }: FilterStage,
  messages: readonly CotMessage[],
): Promise<Uint8Array | undefined> {
  try {
    const verdicts = await decideLater?.(messages);
    return verdicts === undefined || verdicts.length < messages.length ? undefined : verdicts;
  } catch (error) {
    // As in `#verdicts`.
    if (!isRemoraError(error)) throw error;
    return undefined;
  }
}

/** Counts what a filter said of a message. */
function judge(slot: Slot, message: CotMessage, isPassed: boolean): CotMessage | undefined {
  slot.in++;
  if (isPassed) return message;
  slot.blocked++;
  return undefined;
}

/** Counts what a transformer made of a message. */
function transformed(slot: Slot, message: CotMessage, next: CotMessage): CotMessage {
  slot.in++;
  if (next !== message) slot.changed++;
  return next;
}
