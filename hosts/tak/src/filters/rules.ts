/**
 * Rules that are made while the host runs, ahead of the configured chain: the first that matches a message, by priority, lets
 * it on or drops it; what none matches goes on. Without rules a message costs one comparison.
 */

import type { CotMessage } from "../cot/message.ts";
import type { Predicate } from "./compile.ts";

export interface FilterRule {
  readonly id: string;
  /** The higher is looked at first; of equal ones the older. */
  readonly priority: number;
  readonly action: "allow" | "deny";
  readonly isEnabled: boolean;
  readonly matches: Predicate;
}

interface Slot {
  readonly rule: FilterRule;
  matched: number;
}

export class FilterRules {
  #slots: readonly Slot[] = [];
  #blocked = 0;

  /** Messages that a rule dropped. */
  get blocked(): number {
    return this.#blocked;
  }

  get enabledCount(): number {
    return this.#slots.length;
  }

  /** All at once, between two messages; those that are there already go on counting. */
  set(rules: readonly FilterRule[]): void {
    const before = new Map(this.#slots.map(({ rule, matched }) => [rule.id, matched]));
    this.#slots = rules
      .filter((rule) => rule.isEnabled)
      .toSorted((one, other) => other.priority - one.priority)
      .map((rule) => ({ rule, matched: before.get(rule.id) ?? 0 }));
  }

  /** How many messages a rule decided since it was enabled. */
  matched(id: string): number {
    return this.#slots.find(({ rule }) => rule.id === id)?.matched ?? 0;
  }

  isPassed(message: CotMessage): boolean {
    for (const slot of this.#slots) {
      if (!slot.rule.matches(message)) continue;
      slot.matched++;
      if (slot.rule.action === "allow") return true;
      this.#blocked++;
      return false;
    }
    return true;
  }
}
