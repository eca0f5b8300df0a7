/**
 * The gate: the only way from a guest's import to an effect. It decides (by `policy/decide.ts`), counts, writes the
 * audit line and then acts, or refuses in the guest's own terms. Opening is what passes the gate: a file or a
 * connection that was opened is a handle, which gives no more than what was decided then, and only for as long as it is
 * granted.
 */

import {
  type CapabilityName,
  coreVocabulary,
  type Decision,
  decide,
  decidesAlike,
  denialOf,
  type Grant,
  harmless,
  namedTargets,
  type Rules,
  type TargetKind,
  type Vocabulary,
} from "../policy/index.ts";
import type { AuditSink } from "./audit.ts";

export interface GateOptions {
  /** Who is asking, in the audit. */
  readonly plugin: string;
  readonly rules: Rules;
  readonly audit: AuditSink;
  readonly vocabulary?: Vocabulary;
  /** The time of audit lines, milliseconds since 1970: the host's, whatever time the guest sees. */
  readonly nowMs: () => number;
}

export interface GateCount {
  readonly allowed: number;
  readonly refused: number;
}

/** The target part of an audit line is cut here; the decision itself uses all of the target. */
const targetShownMax = 256;

/** Decisions kept by target. The guest chooses the targets, so beyond it the memory starts afresh. */
const rememberedMax = 1_024;

/** Longer targets are decided anew each time: a guest could make them as long as its memory. */
const rememberedLengthMax = 512;

export class Gate {
  readonly plugin: string;
  #rules: Rules;
  readonly #vocabulary: Vocabulary;
  readonly #audit: AuditSink;
  readonly #nowMs: () => number;
  readonly #passages = new Map<string, Passage>();
  #remembered = 0;
  #narrowings = 0;
  readonly #onNarrowed = new Set<() => void>();

  constructor(options: GateOptions) {
    this.plugin = options.plugin;
    this.#rules = options.rules;
    this.#vocabulary = options.vocabulary ?? coreVocabulary;
    this.#audit = options.audit;
    this.#nowMs = options.nowMs;
  }

  /**
   * Passes the gate once, for one target, and acts when that is allowed.
   *
   * @param refuse Answers the guest in its own terms; gets what was decided.
   */
  act<Result>(
    capability: CapabilityName,
    target: string | undefined,
    effect: () => Result,
    refuse: (denial: Decision) => Result,
  ): Result {
    const passage = this.#passage(capability);
    const decision = this.#decision(passage, target);
    return this.#pass(passage, decision) ? effect() : refuse(decision);
  }

  /**
   * Makes a gated function of an effect that has no target. Each call passes the gate; what is decided once is not
   * decided again until something is taken.
   */
  guard<Args extends readonly unknown[], Result>(
    capability: CapabilityName,
    effect: (...args: Args) => Result,
    refuse: (denial: Decision) => Result,
  ): (...args: Args) => Result {
    const passage = this.#passage(capability);
    const audit = this.#audit;
    const nowMs = this.#nowMs;
    const plugin = this.plugin;
    let narrowings = this.#narrowings;
    let decision = this.#decision(passage, undefined);
    return (...args) => {
      if (narrowings !== this.#narrowings) {
        narrowings = this.#narrowings;
        decision = this.#decision(passage, undefined);
      }
      if (decision.answer !== "allowed") {
        this.#pass(passage, decision);
        return refuse(decision);
      }
      passage.allowed++;
      audit.write(plugin, decision, nowMs());
      return effect(...args);
    };
  }

  /** How often something was taken: whoever holds a handle can tell by it that it has to ask again. */
  get narrowings(): number {
    return this.#narrowings;
  }

  /** The targets that are named now by grants of a capability, each in its one spelling. */
  named(capability: CapabilityName): readonly string[] {
    const passage = this.#passage(capability);
    passage.named ??= namedTargets(capability, this.grants, this.#vocabulary);
    return passage.named;
  }

  /** What is given now. */
  get grants(): readonly Grant[] {
    return this.#rules.grants ?? [];
  }

  /**
   * From now on these are given and nothing else: something was taken from the plugin while it runs. Whoever holds
   * something open that is not granted any more closes it before this returns, or asks again at its next use.
   */
  narrow(grants: readonly Grant[]): void {
    this.#rules = { ...this.#rules, grants };
    this.#narrowings++;
    this.#remembered = 0;
    for (const passage of this.#passages.values()) {
      passage.decisions.clear();
      passage.untargeted = undefined;
      passage.named = undefined;
    }
    for (const listener of this.#onNarrowed) listener();
  }

  /** For whoever holds open what passed: called when something was taken. */
  onNarrowed(listener: () => void): void {
    this.#onNarrowed.add(listener);
  }

  /** Whether what has passed once is still granted: for whoever closes it if not. What was taken is in the audit already. */
  gives(capability: CapabilityName, target: string): boolean {
    return this.#decision(this.#passage(capability), target).answer === "allowed";
  }

  /** Whether a guest that holds what passed once may use it. It is no passage of its own; a refusal is in the audit. */
  mayGoOn(capability: CapabilityName, target?: string): boolean {
    const passage = this.#passage(capability);
    const decision = this.#decision(passage, target);
    return decision.answer === "allowed" || this.#pass(passage, decision);
  }

  /** Whether anything is given of a capability: for what to offer, never for whether to act. */
  has(capability: CapabilityName): boolean {
    return this.grants.some((grant) => grant.capability === capability);
  }

  /** Whether any denial speaks of a capability: most plugins have none, and need not be asked about each step. */
  hasDenials(capability: CapabilityName): boolean {
    return (this.#rules.denials ?? []).some((denial) => denial.capability === capability);
  }

  /** Whether a denial speaks of this target, whatever else is granted: for another name of what was let pass. */
  forbids(capability: CapabilityName, target: string): boolean {
    return denialOf({ capability, target }, this.#rules, this.#vocabulary) !== undefined;
  }

  /** Whether the same rules hold for two folders or files and for all below them: for moving one to the other. */
  decidesAlike(capability: CapabilityName, one: string, other: string): boolean {
    return decidesAlike(capability, [one, other], this.#rules, this.#vocabulary);
  }

  /** Writes a refusal that a wall behind the gate found: an address that is private, a path that leads outside. */
  refuse(capability: CapabilityName, target: string | undefined, rule: string): Decision {
    const shown = target === undefined ? {} : { target: harmless(target, targetShownMax) };
    const decision: Decision = { capability, ...shown, answer: "denied", rule };
    this.#pass(this.#passage(capability), decision);
    return decision;
  }

  /** Passages so far, by capability. */
  counts(): Record<string, GateCount> {
    const counts: Record<string, GateCount> = {};
    for (const [name, { allowed, refused }] of this.#passages) counts[name] = { allowed, refused };
    return counts;
  }

  #pass(passage: Passage, decision: Decision): boolean {
    const isAllowed = decision.answer === "allowed";
    if (isAllowed) passage.allowed++;
    else passage.refused++;
    this.#audit.write(this.plugin, decision, this.#nowMs());
    return isAllowed;
  }

  #passage(capability: CapabilityName): Passage {
    let passage = this.#passages.get(capability);
    if (passage === undefined) {
      // Capabilities are named by our own code, never by the guest: the map cannot grow with what it does.
      passage = {
        capability,
        decisions: new Map(),
        untargeted: undefined,
        named: undefined,
        allowed: 0,
        refused: 0,
      };
      this.#passages.set(capability, passage);
    }
    return passage;
  }

  #decision(passage: Passage, target: string | undefined): Decision {
    if (target === undefined) {
      passage.untargeted ??= decide({ capability: passage.capability }, this.#rules, this.#vocabulary);
      return passage.untargeted;
    }
    let decision = passage.decisions.get(target);
    if (decision === undefined) {
      const { capability } = passage;
      const kind = this.#vocabulary.get(capability)?.target?.kind;
      // Whoever subscribes to a pattern has all of it from now on; into a folder each step is asked for.
      const isAtOnce = kind === "pattern";
      const full = decide({ capability, target, isAtOnce }, this.#rules, this.#vocabulary);
      decision = { ...full, target: harmless(shownTarget(kind, full.target ?? target), targetShownMax) };
      if (target.length > rememberedLengthMax) return decision;
      if (++this.#remembered > rememberedMax) {
        for (const other of this.#passages.values()) other.decisions.clear();
        this.#remembered = 1;
      }
      passage.decisions.set(target, decision);
    }
    return decision;
  }
}

/** What of a target may be written down: of a command the program alone, since arguments can be secrets. */
function shownTarget(kind: TargetKind | undefined, target: string): string {
  if (kind !== "command") return target;
  const [program = "", ...words] = target.split(" ");
  return `${program} (${words.length} arguments)`;
}

interface Passage {
  readonly capability: CapabilityName;
  readonly decisions: Map<string, Decision>;
  untargeted: Decision | undefined;
  named: readonly string[] | undefined;
  allowed: number;
  refused: number;
}
