/** A policy file, which answers for consent where there is no person: JSON with `grants` and `denials`. */

import type { ConsentView } from "@remora/admin";
import { Option } from "commander";
import type { Asker } from "remora/manager";
import { decide, denialOf, type Grant, parseGrants, type Vocabulary } from "remora/policy";
import { cliErrors } from "./errors.ts";
import { knownCapabilities } from "./known-capabilities.ts";
import { readInput } from "./read-input.ts";
import type { System } from "./system.ts";

export interface ConsentPolicy {
  readonly grants: readonly Grant[];
  readonly denials: readonly Grant[];
  readonly vocabulary: Vocabulary;
}

type Item = Pick<ConsentView["items"][number], "capability"> & { readonly target?: string | null };

const fileBytesMax = 1024 * 1024;

export function policyOption(): Option {
  return new Option(
    "--policy <file>",
    "what is given and refused without a question: docs/operator.md has its form",
  ).conflicts("yes");
}

/**
 * The policy of a file, undefined when none is named.
 *
 * @throws cli/cannot-read cli/file-too-large cli/bad-value policy/bad-grant policy/unknown-capability policy/bad-target
 */
export async function readPolicy(
  system: System,
  file: string | undefined,
): Promise<ConsentPolicy | undefined> {
  if (file === undefined) return undefined;
  const { grants = [], denials = [], ...more } = parse(await readInput(system, file, fileBytesMax), file);
  const [unknown] = Object.keys(more);
  if (unknown !== undefined) throw badFile(file, `the key ${JSON.stringify(unknown)} in `);
  const { vocabulary } = await knownCapabilities();
  return {
    grants: parseGrants(grants, "grants", vocabulary),
    denials: parseGrants(denials, "denials", vocabulary),
    vocabulary,
  };
}

/**
 * What it gives, and what it says nothing about; the rest it refuses. A denial outweighs a grant, also one of a part of what is
 * wanted: what is given is given as a whole.
 */
export function answerByPolicy<Asked extends Item>(
  { grants, denials, vocabulary }: ConsentPolicy,
  items: readonly Asked[],
): { readonly given: readonly Asked[]; readonly open: readonly Asked[] } {
  const given: Asked[] = [];
  const open: Asked[] = [];
  for (const item of items) {
    const { capability, target } = item;
    const name = vocabulary.get(capability)?.name;
    // Of a host that this program does not know: nothing can be said about it.
    if (name === undefined) open.push(item);
    else {
      const ask = { capability: name, ...(typeof target === "string" && { target }), isAtOnce: true };
      if (denialOf(ask, { denials }, vocabulary) !== undefined) continue;
      (decide(ask, { grants }, vocabulary).answer === "allowed" ? given : open).push(item);
    }
  }
  return { given, open };
}

/** A policy as a manager asks it: a version that wants anything else waits for somebody. */
export function policyAsker(policy: ConsentPolicy): Asker {
  return async ({ items }) => {
    const { given, open } = answerByPolicy(policy, items);
    return open.length > 0 ? { kind: "later" } : { kind: "given", items: given };
  };
}

function parse(bytes: Uint8Array, file: string): Record<string, unknown> {
  let data: unknown;
  try {
    data = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw badFile(file, "what is no JSON in ", cause);
  }
  // An object, as its prototype says.
  if (data !== null && Object.getPrototypeOf(data) === Object.prototype)
    return data as Record<string, unknown>;
  throw badFile(file);
}

function badFile(file: string, part = "", cause?: unknown): Error {
  const what = `${part}the policy file "${file}"`;
  return cliErrors["bad-value"]({ what, expected: '{ "grants": [...], "denials": [...] }' }, cause);
}
