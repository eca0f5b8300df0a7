/** Consent: by a policy file, or at a terminal, where each thing that a plugin wants is shown with its reason. */

import type { ChangeView, ConsentView, Operations } from "@remora/admin";
import { harmless } from "remora/policy";
import { answerByPolicy, type ConsentPolicy } from "./consent-policy.ts";
import { cliErrors } from "./errors.ts";
import type { System } from "./system.ts";

type Item = ConsentView["items"][number];

export interface ConsentChoice {
  /** Give all. */
  readonly yes?: true;
  /** A program reads the answer: nobody is asked. */
  readonly json?: true;
}

/**
 * What becomes of a version that waits: given what the policy or somebody says, or all with `yes`. Where one that was needed
 * waited, what was asked for is done again after it.
 *
 * @param again  Does what gave the change.
 * @param policy Answers alone: of what it says nothing about, nobody is asked.
 * @throws cli/no-consent   nobody can be asked; the version goes on waiting
 * @throws cli/held-damaged nobody can say what it wants
 */
export async function consentFrom(
  system: System,
  operations: Operations,
  change: ChangeView,
  again: () => Promise<ChangeView>,
  choice: ConsentChoice,
  policy?: ConsentPolicy,
): Promise<ChangeView> {
  let next = change;
  for (let tries = 0; next.held !== null; tries++) {
    const accepted = await consentOnce(system, operations, next.held, choice, policy);
    // Each that is accepted is there, so that there is an end; unless somebody else removes them meanwhile.
    const isDone = (next.neededBy === undefined && accepted.held === null) || tries === neededMax;
    if (isDone) return accepted;
    next = accepted.held === null ? await again() : accepted;
  }
  return next;
}

/** As many as a manifest may name. */
const neededMax = 100;

async function consentOnce(
  system: System,
  operations: Operations,
  held: ConsentView,
  choice: ConsentChoice,
  policy: ConsentPolicy | undefined,
): Promise<ChangeView> {
  if (held.problem !== null) throw cliErrors["held-damaged"]({ plugin: held.plugin, ...held.problem });
  const given = await itemsGiven(system, held, choice, policy);
  return operations.accept(
    held,
    given.map(({ capability, target }) => ({ capability, target })),
  );
}

async function itemsGiven(
  system: System,
  held: ConsentView,
  { yes, json }: ConsentChoice,
  policy: ConsentPolicy | undefined,
): Promise<readonly Item[]> {
  if (yes) return held.items;
  const { given, open, isPublisherOpen } =
    policy === undefined
      ? { given: [], open: held.items, isPublisherOpen: held.publisher !== null }
      : answerByPolicy(policy, held);
  if (open.length === 0 && !isPublisherOpen) return given;
  const answered = json || policy !== undefined ? undefined : await askAll(system, held);
  if (answered !== undefined) return answered;
  const publisher = isPublisherOpen ? publisherTexts(held) : [];
  throw cliErrors["no-consent"]({ plugin: held.plugin, items: [...publisher, ...open.map(itemText)] });
}

/** Undefined where nobody answers, or the publisher is not accepted: the version goes on waiting. */
async function askAll(system: System, held: ConsentView) {
  const { plugin, version, origin, trust, items, publisher } = held;
  const what = `${harmless(plugin)} ${harmless(version)} from ${harmless(origin, 1_000)} (${harmless(trust)})`;
  if (publisher !== null) {
    system.err.write(`${what} is by ${publisherTexts(held).join("")}\n`);
    const answer = await system.ask("  take it from them? [y/N] ");
    if (answer === undefined || !isYes(answer)) return undefined;
  }
  return items.length === 0 ? [] : askItems(system, what, items);
}

async function askItems(system: System, what: string, items: readonly Item[]) {
  const given: Item[] = [];
  system.err.write(`${what} wants:\n`);
  for (const item of items) {
    system.err.write(`  ${itemText(item)}  [${item.risk} risk]\n`);
    system.err.write(`    ${item.meaning}\n    its reason: ${harmless(item.why, 500)}\n`);
    const answer = await system.ask("  give it? [y/N] ");
    if (answer === undefined) return undefined;
    if (isYes(answer)) given.push(item);
  }
  return given;
}

function isYes(answer: string): boolean {
  return /^y(es)?$/i.test(answer.trim());
}

/** One, or none where the publisher is the same. */
export function publisherTexts({ publisher }: Pick<ConsentView, "publisher">): readonly string[] {
  if (publisher === null) return [];
  return [harmless(`another publisher: ${publisher.to}; the version that runs is ${publisher.from}`, 500)];
}

export function itemText({ capability, target }: Pick<Item, "capability" | "target">): string {
  return harmless(target === null ? capability : `${capability} ${target}`, 500);
}
