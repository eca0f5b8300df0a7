/** Consent at a terminal: each thing that a plugin wants is shown with its reason, and given or not. */

import type { ChangeView, ConsentView, Operations } from "@remora/admin";
import { harmless } from "remora/policy";
import { cliErrors } from "./errors.ts";
import type { System } from "./system.ts";

type Item = ConsentView["items"][number];

/**
 * What becomes of a version that waits: given what somebody says, or all with `yes`.
 *
 * @throws cli/no-consent nobody can be asked; the version goes on waiting
 */
export async function consentFrom(
  system: System,
  operations: Operations,
  change: ChangeView,
  { yes }: { readonly yes?: true },
): Promise<ChangeView> {
  const { held, name } = change;
  if (held === null) return change;
  const given = yes ? held.items : await askItems(system, held);
  if (given === undefined) throw cliErrors["no-consent"]({ plugin: name, items: held.items.map(itemText) });
  return operations.accept(
    name,
    given.map(({ capability, target }) => ({ capability, target })),
  );
}

/** Undefined where nobody answers. */
async function askItems(system: System, { plugin, version, trust, items }: ConsentView) {
  const given: Item[] = [];
  system.err.write(`${harmless(plugin)} ${harmless(version)} (${harmless(trust)}) wants:\n`);
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
