/** A policy file, which answers for consent where there is no person: JSON with `grants`, `denials` and `publishers`. */

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
  /** Names in the trust store: verified versions of theirs may follow on somebody else's. */
  readonly publishers: readonly string[];
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
  const {
    grants = [],
    denials = [],
    publishers = [],
    ...more
  } = parse(await readInput(system, file, fileBytesMax), file);
  const [unknown] = Object.keys(more);
  if (unknown !== undefined) throw badFile(file, `the key ${JSON.stringify(unknown)} in `);
  if (!Array.isArray(publishers) || !publishers.every((name) => typeof name === "string" && name !== "")) {
    throw badFile(file, 'what is no list of names under "publishers" in ');
  }
  const { vocabulary } = await knownCapabilities();
  return {
    grants: parseGrants(grants, "grants", vocabulary),
    denials: parseGrants(denials, "denials", vocabulary),
    publishers,
    vocabulary,
  };
}

/** What is asked for, as far as a policy looks at it. */
export interface Asked<One extends Item> {
  readonly items: readonly One[];
  readonly publisher?: { readonly name?: string | null | undefined } | null | undefined;
}

/**
 * What it gives, and what it says nothing about; the rest it refuses. A denial outweighs a grant, also one of a part of what is
 * wanted: what is given is given as a whole.
 */
export function answerByPolicy<One extends Item>(
  { grants, denials, publishers, vocabulary }: ConsentPolicy,
  { items, publisher }: Asked<One>,
): { readonly given: readonly One[]; readonly open: readonly One[]; readonly isPublisherOpen: boolean } {
  const given: One[] = [];
  const open: One[] = [];
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
  const isOther = publisher !== undefined && publisher !== null;
  return { given, open, isPublisherOpen: isOther && !publishers.includes(publisher.name ?? "") };
}

/** A policy as a manager asks it: a version that wants anything else waits for somebody. */
export function policyAsker(policy: ConsentPolicy): Asker {
  return async (request) => {
    const { given, open, isPublisherOpen } = answerByPolicy(policy, request);
    if (open.length > 0 || isPublisherOpen) return { kind: "later" };
    return { kind: "given", items: given, acceptsPublisher: true };
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
  return cliErrors["bad-value"](
    { what, expected: '{ "grants": [...], "denials": [...], "publishers": ["NAME"] }' },
    cause,
  );
}
