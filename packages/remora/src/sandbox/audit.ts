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
 * @param linesPerSecondMax Of all plugins together, but for a tenth that each has to itself, so that none can hide what another
 *                          does. Beyond it, allowed passages are summed up in one fact when the second is over; refusals have
 *                          as many again. Default 1000.
 */
export function auditFacts(
  write: (fact: AuditFact) => void,
  options: { linesPerSecondMax?: number } = {},
): AuditSink {
  const linesMax = options.linesPerSecondMax ?? 1_000;
  let second = 0;
  let allowed = new Second(linesMax);
  let refused = new Second(linesMax);
  return {
    write(plugin, decision, atMs) {
      const now = Math.floor(atMs / 1_000);
      if (now !== second) {
        const omitted = allowed.omittedCount + refused.omittedCount;
        if (omitted > 0) write({ at: new Date(second * 1_000).toISOString(), omitted });
        second = now;
        allowed = new Second(linesMax);
        refused = new Second(linesMax);
      }
      if (!(decision.answer === "allowed" ? allowed : refused).takes(plugin)) return;
      const { capability, target, answer, rule } = decision;
      const at = new Date(atMs).toISOString();
      write({ at, plugin, capability, ...(target !== undefined && { target }), answer, rule });
    },
  };
}

/** The lines of one second. */
class Second {
  readonly #linesMax: number;
  readonly #ownMax: number;
  readonly #byPlugin = new Map<string, number>();
  #lines = 0;
  omittedCount = 0;

  constructor(linesMax: number) {
    this.#linesMax = linesMax;
    this.#ownMax = Math.max(1, Math.floor(linesMax / 10));
  }

  /** Whether there is room for one more line of this plugin. */
  takes(plugin: string): boolean {
    const own = this.#byPlugin.get(plugin) ?? 0;
    if (own >= this.#ownMax && this.#lines >= this.#linesMax) {
      this.omittedCount++;
      return false;
    }
    this.#byPlugin.set(plugin, own + 1);
    this.#lines++;
    return true;
  }
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
    if (last !== undefined && last.plugin === plugin && isSame(last.decision, decision)) {
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

/** The gate gives the same object for what it decided before; what a wall behind it refused is made each time. */
function isSame(one: Decision, other: Decision): boolean {
  if (one === other) return true;
  const { capability, target, answer, rule } = one;
  return (
    capability === other.capability &&
    target === other.target &&
    answer === other.answer &&
    rule === other.rule
  );
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
