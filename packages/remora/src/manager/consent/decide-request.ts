/** From what a plugin wants to what it gets: by policy, by what it has already, and by consent for the rest. */

import type { CapabilityRequest } from "../../bundle/index.ts";
import {
  type CapabilityDefinition,
  decide,
  type Grant,
  parseTarget,
  type Rules,
  type Vocabulary,
} from "../../policy/index.ts";
import type { ConsentItem } from "./asker.ts";

export interface Sorted {
  /** Without a question. */
  readonly granted: readonly Grant[];
  /** With consent only. */
  readonly asked: readonly ConsentItem[];
  /** Not at all. */
  readonly denied: readonly ConsentItem[];
}

export interface SortOptions {
  readonly vocabulary: Vocabulary;
  /** The operator's. */
  readonly rules: Rules;
  /** What it was given before. */
  readonly given: readonly Grant[];
  /** What it was refused before: not asked for again. */
  readonly refused: readonly Grant[];
}

/** Sorts each item of what is wanted into granted, asked and denied. */
export function sortRequest(requests: readonly CapabilityRequest[], options: SortOptions): Sorted {
  const { vocabulary, rules, given, refused } = options;
  const granted: ConsentItem[] = [];
  const asked: ConsentItem[] = [];
  const denied: ConsentItem[] = [];
  for (const item of requests.flatMap((request) => itemsOf(request, vocabulary))) {
    const { answer } = decide(
      item,
      {
        denials: rules.denials ?? [],
        grants: [...(rules.grants ?? []), ...given],
        // Without a ceiling everything may be asked for that is not denied.
        consents: rules.consents ?? grantsOf([item], vocabulary),
      },
      vocabulary,
    );
    const wasRefused = decide(item, { grants: refused }, vocabulary).answer === "allowed";
    if (answer === "allowed") granted.push(item);
    else if (answer === "needs-consent" && !wasRefused) asked.push(item);
    else denied.push(item);
  }
  return { granted: grantsOf(granted, vocabulary), asked, denied };
}

/** Each capability of a request, each target of it by itself. */
export function itemsOf({ grant, why }: CapabilityRequest, vocabulary: Vocabulary): ConsentItem[] {
  const definition = vocabulary.get(grant.capability);
  // The manifest was read with this vocabulary.
  if (definition === undefined) return [];
  const { meaning, risk, name: capability } = definition;
  const item = { capability, why, meaning, risk };
  if (definition.target === undefined) return [item];
  return targetsIn(grant, definition).map((target) => ({ ...item, target }));
}

/** Items as grants: a capability once, with all of its targets. */
export function grantsOf(
  items: readonly Pick<ConsentItem, "capability" | "target">[],
  vocabulary: Vocabulary,
): Grant[] {
  const grants = new Map<string, Grant>();
  for (const { capability, target } of items) {
    const field = vocabulary.get(capability)?.target?.field;
    const before = grants.get(capability);
    if (field === undefined || target === undefined) {
      grants.set(capability, before ?? { capability });
      continue;
    }
    const targets = [...((before?.[field] as readonly string[] | undefined) ?? []), target];
    grants.set(capability, { capability, [field]: [...new Set(targets)] });
  }
  return [...grants.values()];
}

/** Several lists of grants as one, each capability once. */
export function mergeGrants(vocabulary: Vocabulary, ...lists: readonly (readonly Grant[])[]): Grant[] {
  const items = lists.flat().flatMap((grant) => {
    const definition = vocabulary.get(grant.capability);
    if (definition?.target === undefined) return [{ capability: grant.capability }];
    return targetsIn(grant, definition).map((target) => ({ capability: grant.capability, target }));
  });
  return grantsOf(items, vocabulary);
}

/** For people: the capability, and its targets behind it. As whoever wrote it did. */
export function grantText({ capability, ...targets }: Grant): string {
  return `${capability} ${Object.values(targets).flat().join(" ")}`.trim();
}

/** For people, as `grantText`. */
export function itemText({ capability, target }: Pick<ConsentItem, "capability" | "target">): string {
  return target === undefined ? capability : `${capability} ${target}`;
}

/** The first grants without the second: what `mergeGrants` put together, taken apart again. */
export function withoutGrants(
  from: readonly Grant[],
  taken: readonly Grant[],
  vocabulary: Vocabulary,
): Grant[] {
  return from.flatMap((grant) => {
    const away = taken.filter(({ capability }) => capability === grant.capability);
    if (away.length === 0) return [grant];
    const definition = vocabulary.get(grant.capability);
    // Without targets the capability as a whole is taken.
    if (definition?.target === undefined) return [];
    const { field } = definition.target;
    if (away.some((one) => !(field in one))) return [];
    const gone = new Set(away.flatMap((one) => targetsIn(one, definition)));
    const left = targetsIn(grant, definition).filter((target) => !gone.has(target));
    return left.length === 0 ? [] : [{ capability: grant.capability, [field]: left }];
  });
}

function targetsIn(grant: Grant, definition: CapabilityDefinition): string[] {
  const targets = definition.target === undefined ? [] : grant[definition.target.field];
  if (!Array.isArray(targets)) return [];
  return targets.map((target) => parseTarget(String(target), definition, grant.capability));
}
