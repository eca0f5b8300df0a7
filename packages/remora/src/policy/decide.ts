/**
 * The one function that decides. It is asked when a plugin is installed (may this request be granted, must somebody
 * consent?) and whenever a guest acts (was this granted, for this target?). What is denied by name is denied
 * whatever else is granted; what nobody mentioned is denied too.
 */

import {
  type CapabilityDefinition,
  type CapabilityName,
  coreVocabulary,
  type Vocabulary,
} from "./capability.ts";
import { type Grant, targetsOf } from "./grant.ts";
import { type TargetForm, targetKinds, targetLengthMax } from "./target.ts";

/** One power over one target; the target in any spelling, absent when the capability has none. */
export interface Ask {
  readonly capability: CapabilityName;
  readonly target?: string;
  /**
   * A target that stands for many (a pattern, a folder) is asked for now and as a whole: a denial of any part of it denies it.
   * Without, as in a manifest's request, each of them is asked for by itself when its time comes.
   */
  readonly isAtOnce?: boolean;
}

/** All that bears on a decision. An empty value allows nothing. */
export interface Rules {
  /** Never, whatever else is said. A rule without its targets' field denies the whole capability. */
  readonly denials?: readonly Grant[];
  /** Given. */
  readonly grants?: readonly Grant[];
  /** The operator's ceiling for what may be given when somebody consents. */
  readonly consents?: readonly Grant[];
}

export type Answer = "allowed" | "denied" | "needs-consent";

export interface Decision {
  readonly capability: CapabilityName;
  /** In canonical spelling; as it was asked when it has none; absent when the capability has no targets. */
  readonly target?: string;
  readonly answer: Answer;
  /** The rule that decided, for the audit: `grants[0] https://api.example.org:443`. */
  readonly rule: string;
}

/** Answers an ask by the rules: denials, then grants, then consent, then no. */
export function decide(ask: Ask, rules: Rules, vocabulary: Vocabulary = coreVocabulary): Decision {
  const definition = vocabulary.get(ask.capability);
  if (definition === undefined) return decision(ask, "denied", "unknown capability");
  const form = definition.target === undefined ? undefined : targetKinds[definition.target.kind];
  let target: string | undefined;
  if (form !== undefined) {
    if (ask.target === undefined) return decision(ask, "denied", "no target named");
    target = ask.target.length > targetLengthMax ? undefined : form.canonical(ask.target);
    if (target === undefined) return decision(ask, "denied", "malformed target");
  }
  const asked: Ask =
    target === undefined ? { capability: ask.capability } : { capability: ask.capability, target };
  const by = (list: readonly Grant[] | undefined, name: string): string | undefined => {
    const isDenial = name === "denials";
    let compared: string | undefined;
    for (const [index, grant] of (list ?? []).entries()) {
      if (grant.capability !== ask.capability) continue;
      if (form === undefined || target === undefined) return `${name}[${index}]`;
      if (isDenial && definition.target !== undefined && !(definition.target.field in grant)) {
        return `${name}[${index}]`;
      }
      compared ??= isDenial ? folded(target, form) : target;
      const applies = isDenial && ask.isAtOnce === true ? overlapsOf(form) : form.covers;
      for (const spelt of speltTargets(grant, definition)) {
        if (applies(isDenial ? spelt.folded : spelt.canonical, compared)) {
          return `${name}[${index}] ${spelt.canonical}`;
        }
      }
    }
    return undefined;
  };
  const denied = by(rules.denials, "denials");
  if (denied !== undefined) return decision(asked, "denied", denied);
  const granted = by(rules.grants, "grants");
  if (granted !== undefined) return decision(asked, "allowed", granted);
  const consentable = by(rules.consents, "consents");
  if (consentable !== undefined) return decision(asked, "needs-consent", consentable);
  return decision(asked, "denied", "nothing grants it");
}

/** The decision where a denial makes it, whatever was granted; undefined where none speaks of what is asked. */
export function denialOf(
  ask: Ask,
  { denials = [] }: Rules,
  vocabulary: Vocabulary = coreVocabulary,
): Decision | undefined {
  const decision = decide(ask, { denials }, vocabulary);
  return decision.rule.startsWith("denials[") ? decision : undefined;
}

/**
 * Whether the rules make no difference between two targets, nor between what these cover: each is decided by the same rule, and
 * none speaks of a part of either.
 */
export function decidesAlike(
  capability: CapabilityName,
  [one, other]: readonly [string, string],
  rules: Rules,
  vocabulary: Vocabulary = coreVocabulary,
): boolean {
  const [first, second] = [one, other].map((target) => decide({ capability, target }, rules, vocabulary));
  const definition = vocabulary.get(capability);
  if (definition?.target === undefined || first?.rule !== second?.rule) return false;
  const form = targetKinds[definition.target.kind];
  const named = [...(rules.denials ?? []), ...(rules.grants ?? [])]
    .filter((grant) => grant.capability === capability)
    .flatMap((grant) => speltTargets(grant, definition));
  const wholes = [first?.target, second?.target].filter((target) => target !== undefined);
  return !wholes
    .map((whole) => folded(whole, form))
    .some((whole) => named.some((target) => form.covers(whole, target.folded)));
}

/** The targets that grants of a capability name, each in its one spelling: what they cover besides is not among them. */
export function namedTargets(
  capability: CapabilityName,
  grants: readonly Grant[],
  vocabulary: Vocabulary = coreVocabulary,
): readonly string[] {
  const definition = vocabulary.get(capability);
  if (definition === undefined) return [];
  return grants
    .filter((grant) => grant.capability === capability)
    .flatMap((grant) => speltTargets(grant, definition))
    .map(({ canonical }) => canonical);
}

/** The spelling in which a denial is compared with what is asked. */
function folded(canonical: string, form: TargetForm | undefined): string {
  return form?.folded?.(canonical) ?? canonical;
}

function overlapsOf(form: TargetForm): (denied: string, asked: string) => boolean {
  return form.overlaps ?? ((denied, asked) => form.covers(denied, asked) || form.covers(asked, denied));
}

interface Spelt {
  readonly canonical: string;
  readonly folded: string;
}

/** Grants do not change, and are asked about often: each is brought into its spellings once. */
const speltByGrant = new WeakMap<Grant, readonly Spelt[]>();

function speltTargets(grant: Grant, definition: CapabilityDefinition): readonly Spelt[] {
  let targets = speltByGrant.get(grant);
  if (targets === undefined) {
    const form = definition.target === undefined ? undefined : targetKinds[definition.target.kind];
    targets = targetsOf(grant, definition)
      .map((target) => form?.canonical(target))
      .filter((target) => target !== undefined)
      .map((canonical) => ({ canonical, folded: folded(canonical, form) }));
    speltByGrant.set(grant, targets);
  }
  return targets;
}

function decision({ capability, target }: Ask, answer: Answer, rule: string): Decision {
  return { capability, ...(target !== undefined && { target }), answer, rule };
}
