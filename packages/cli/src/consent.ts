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
 * What becomes of a version that waits: given what the policy or somebody says, or all with `yes`.
 *
 * @param policy Answers alone: of what it says nothing about, nobody is asked.
 * @throws cli/no-consent nobody can be asked; the version goes on waiting
 */
export async function consentFrom(
  system: System,
  operations: Operations,
  change: ChangeView,
  choice: ConsentChoice,
  policy?: ConsentPolicy,
): Promise<ChangeView> {
  const { held, name } = change;
  if (held === null) return change;
  const given = await itemsGiven(system, held, choice, policy);
  return operations.accept(
    name,
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
  const { given, open } =
    policy === undefined ? { given: [], open: held.items } : answerByPolicy(policy, held.items);
  if (open.length === 0) return given;
  const answered = json || policy !== undefined ? undefined : await askItems(system, held);
  if (answered !== undefined) return answered;
  throw cliErrors["no-consent"]({ plugin: held.plugin, items: open.map(itemText) });
}

/** Undefined where nobody answers. */
async function askItems(system: System, { plugin, version, origin, trust, items }: ConsentView) {
  const given: Item[] = [];
  const from = harmless(origin, 1_000);
  system.err.write(`${harmless(plugin)} ${harmless(version)} from ${from} (${harmless(trust)}) wants:\n`);
  for (const item of items) {
    system.err.write(`  ${itemText(item)}  [${item.risk} risk]\n`);
    system.err.write(`    ${item.meaning}\n    its reason: ${harmless(item.why, 500)}\n`);
    const answer = await system.ask("  give it? [y/N] ");
    if (answer === undefined) return undefined;
    if (/^y(es)?$/i.test(answer.trim())) given.push(item);
  }
  return given;
}

export function itemText({ capability, target }: Pick<Item, "capability" | "target">): string {
  return harmless(target === null ? capability : `${capability} ${target}`, 500);
}
