/**
 * Requests and grants. A *request* is what a manifest asks for; a *grant* is what the operator gave, to which
 * targets. Both have one shape. They come from files that others wrote, so they are parsed once, here, into their
 * canonical spelling.
 */

import {
  type CapabilityDefinition,
  type CapabilityName,
  type CapabilityTargets,
  coreVocabulary,
  definitionOf,
  type Vocabulary,
} from "./capability.ts";
import { policyErrors } from "./errors.ts";
import { targetKinds, targetLengthMax } from "./target.ts";

/** A capability and its targets, in the field that the capability's definition names. */
export interface Grant {
  readonly capability: CapabilityName;
  readonly [field: string]: string | readonly string[];
}

/** What a manifest asks for. */
export type Request = Grant;

/** A grant of a capability that the compiler knows: its targets are checked as it is written. */
export type TypedGrant = {
  readonly [Name in keyof CapabilityTargets]: { readonly capability: Name } & CapabilityTargets[Name];
}[keyof CapabilityTargets];

/** More grants than this are no list that somebody read. */
export const grantsMax = 1_000;
/** More targets than this in one grant are a data set. */
export const targetsMax = 1_000;

/**
 * Reads a list of grants (or requests) as it comes from a settings file or a manifest.
 *
 * @param data  Plain data: an array of `{ capability, <field>: [targets] }`.
 * @param where What it is a part of, for messages: `"plugins[2].grants"`.
 * @returns     The same grants with every target in canonical spelling.
 * @throws policy/bad-grant          not of that shape; an unknown or missing field
 * @throws policy/unknown-capability no such name; with near names
 * @throws policy/bad-target         a target that is not of its capability's kind
 */
export function parseGrants(
  data: unknown,
  where = "grants",
  vocabulary: Vocabulary = coreVocabulary,
): Grant[] {
  if (!Array.isArray(data)) throw badGrant(where, data, "a list of grants");
  if (data.length > grantsMax) throw badGrant(where, `${data.length} grants`, `at most ${grantsMax}`);
  return data.map((entry: unknown, index) => parseGrant(entry, `${where}[${index}]`, vocabulary));
}

/** Reads one grant; see `parseGrants`. */
export function parseGrant(data: unknown, where = "grant", vocabulary: Vocabulary = coreVocabulary): Grant {
  if (typeof data !== "object" || data === null || Array.isArray(data))
    throw badGrant(where, data, "a grant");
  const { capability, ...fields } = data as Record<string, unknown>; // an object, as was just checked
  if (typeof capability !== "string")
    throw badGrant(`${where}.capability`, capability, "a capability's name");
  const definition = definitionOf(capability, vocabulary, where);
  const field = definition.target?.field;
  for (const name of Object.keys(fields)) {
    if (name !== field) {
      const allowed = field === undefined ? "no targets" : `"${field}"`;
      throw badGrant(`${where}.${name}`, "an unknown field", allowed);
    }
  }
  if (field === undefined) return { capability: definition.name };
  return {
    capability: definition.name,
    [field]: parseTargets(fields[field], definition, `${where}.${field}`),
  };
}

/** The targets of a grant; none for a capability without. */
export function targetsOf(grant: Grant, definition: CapabilityDefinition): readonly string[] {
  const targets = definition.target === undefined ? undefined : grant[definition.target.field];
  return Array.isArray(targets) ? targets : [];
}

/** One target in its canonical spelling. */
export function parseTarget(text: string, definition: CapabilityDefinition, where: string): string {
  if (definition.target === undefined) throw badGrant(where, text, "no target");
  const form = targetKinds[definition.target.kind];
  const canonical = text.length > targetLengthMax ? undefined : form.canonical(text);
  if (canonical === undefined)
    throw policyErrors["bad-target"]({ where, target: text, expected: form.expected });
  return canonical;
}

function parseTargets(data: unknown, definition: CapabilityDefinition, where: string): string[] {
  if (!Array.isArray(data)) throw badGrant(where, data, "a list of targets");
  if (data.length > targetsMax) throw badGrant(where, `${data.length} targets`, `at most ${targetsMax}`);
  return data.map((target: unknown, index) => {
    if (typeof target !== "string") throw badGrant(`${where}[${index}]`, target, "a text");
    return parseTarget(target, definition, `${where}[${index}]`);
  });
}

function badGrant(where: string, found: unknown, expected: string): Error {
  const described =
    typeof found === "string" ? found : found === null ? "null" : `a value of type ${typeof found}`;
  return policyErrors["bad-grant"]({ where, found: Array.isArray(found) ? "a list" : described, expected });
}
