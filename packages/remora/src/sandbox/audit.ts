/**
 * The audit: one entry for each passage through the gate. It is bounded, since the guest decides how often it
 * asks: equal neighbours are counted instead of repeated, and denials are kept apart, so that no flood of allowed
 * calls can push a denial out.
 */

import type { Answer, Decision } from "../policy/index.ts";

/** Where the gate writes. Called before the effect: when it throws, nothing happens. */
export interface AuditSink {
  /**
   * @param plugin   Who asked.
   * @param decision What, on which target, by which rule and with which answer; its texts are harmless already.
   * @param atMs     Milliseconds since 1970.
   */
  write(plugin: string, decision: Decision, atMs: number): void;
}

export interface AuditEntry {
  readonly plugin: string;
  readonly capability: string;
  readonly target?: string;
  readonly answer: Answer;
  readonly rule: string;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  /** How many passages in a row this entry stands for. */
  readonly times: number;
}

export interface AuditLog extends AuditSink {
  /** What is still kept, oldest first. */
  entries(): AuditEntry[];
  /** Entries that had to make room. */
  readonly droppedCount: number;
}

/** An audit in memory: the last `entriesMax` allowed and the last `entriesMax` refused passages. */
export function auditLog(options: { entriesMax?: number } = {}): AuditLog {
  const entriesMax = options.entriesMax ?? 1_000;
  if (!Number.isInteger(entriesMax) || entriesMax < 1) throw new RangeError("entriesMax must be at least 1");
  const allowed = new Ring(entriesMax);
  const refused = new Ring(entriesMax);
  return {
    write(plugin, decision, atMs) {
      (decision.answer === "allowed" ? allowed : refused).write(plugin, decision, atMs);
    },
    entries: () =>
      [...allowed.entries(), ...refused.entries()].sort((a, b) => a.firstAtMs - b.firstAtMs).map(entryOf),
    get droppedCount() {
      return allowed.droppedCount + refused.droppedCount;
    },
  };
}

/** One passage through the gate, or how many more there were than lines. */
export type AuditFact =
  | {
      readonly at: string;
      readonly plugin: string;
      readonly capability: string;
      readonly target?: string;
      readonly answer: Answer;
      readonly rule: string;
    }
  | { readonly at: string; readonly omitted: number };

/**
 * An audit as lines of JSON, for a file or a log collector.
 *
 * @param writeLine Gets each line without its end.
 * @param options   As in `auditFacts`.
 */
export function auditLines(
  writeLine: (line: string) => void,
  options: { linesPerSecondMax?: number } = {},
): AuditSink {
  return auditFacts((fact) => writeLine(JSON.stringify(fact)), options);
}

/**
 * An audit as facts, so many a second, for whoever keeps them.
 *
 * @param write             When it throws, the effect does not happen.
 * @param linesPerSecondMax Beyond it, allowed passages are summed up in one fact when the second is over; refusals
 *                          have as many again. Default 1000.
 */
export function auditFacts(
  write: (fact: AuditFact) => void,
  options: { linesPerSecondMax?: number } = {},
): AuditSink {
  const linesMax = options.linesPerSecondMax ?? 1_000;
  let second = 0;
  let allowedCount = 0;
  let refusedCount = 0;
  return {
    write(plugin, decision, atMs) {
      const now = Math.floor(atMs / 1_000);
      if (now !== second) {
        const omitted = Math.max(0, allowedCount - linesMax) + Math.max(0, refusedCount - linesMax);
        if (omitted > 0) write({ at: new Date(second * 1_000).toISOString(), omitted });
        second = now;
        allowedCount = 0;
        refusedCount = 0;
      }
      const count = decision.answer === "allowed" ? ++allowedCount : ++refusedCount;
      if (count > linesMax) return;
      const { capability, target, answer, rule } = decision;
      const at = new Date(atMs).toISOString();
      write({ at, plugin, capability, ...(target !== undefined && { target }), answer, rule });
    },
  };
}

interface Slot {
  plugin: string;
  decision: Decision;
  firstAtMs: number;
  lastAtMs: number;
  times: number;
}

class Ring {
  readonly #slots: Slot[] = [];
  readonly #entriesMax: number;
  #next = 0;
  #last: Slot | undefined;
  droppedCount = 0;

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  write(plugin: string, decision: Decision, atMs: number): void {
    const last = this.#last;
    // The gate gives the same object for the same decision, so identity is enough.
    if (last !== undefined && last.decision === decision && last.plugin === plugin) {
      last.lastAtMs = atMs;
      last.times++;
      return;
    }
    const slot = { plugin, decision, firstAtMs: atMs, lastAtMs: atMs, times: 1 };
    if (this.#slots.length < this.#entriesMax) this.#slots.push(slot);
    else {
      this.#slots[this.#next] = slot;
      this.#next = (this.#next + 1) % this.#entriesMax;
      this.droppedCount++;
    }
    this.#last = slot;
  }

  entries(): readonly Slot[] {
    return [...this.#slots.slice(this.#next), ...this.#slots.slice(0, this.#next)];
  }
}

function entryOf(slot: Slot): AuditEntry {
  const { decision, ...when } = slot;
  return {
    plugin: when.plugin,
    capability: decision.capability,
    ...(decision.target !== undefined && { target: decision.target }),
    answer: decision.answer,
    rule: decision.rule,
    firstAtMs: when.firstAtMs,
    lastAtMs: when.lastAtMs,
    times: when.times,
  };
}
