/** `remora grants`: what a plugin may do; giving more, taking it back, and answering what waits. */

import type { ChangeView, ConsentView } from "@remora/admin";
import { Command } from "commander";
import { nearNames } from "remora/base";
import { coreVocabulary, harmless } from "remora/policy";
import { consentFrom, itemText, publisherTexts } from "../consent.ts";
import { policyOption, readPolicy } from "../consent-policy.ts";
import { cliErrors } from "../errors.ts";
import { factLines, listed } from "../facts.ts";
import { type FolderOptions, folderOption, type HouseUse, type OpenHouse, withHouse } from "../house.ts";
import { knownCapabilities } from "../known-capabilities.ts";
import { jsonOption } from "../options.ts";
import { changeText, grantText } from "../plugin-text.ts";
import type { System } from "../system.ts";
import { type TrustOptions, trustOf, trustOption } from "../trust-option.ts";
import { storeOption } from "../trust-store.ts";

type GrantsOptions = FolderOptions & { readonly json?: true; readonly yes?: true };
type AnswerOptions = GrantsOptions & TrustOptions & { readonly policy?: string; readonly id?: string };

export function grantsCommand(system: System, open: OpenHouse): Command {
  const grants = new Command("grants").description("Show what a plugin may do, give more, take it back.");
  for (const command of [
    showCommand,
    giveCommand,
    revokeCommand,
    heldCommand,
    acceptCommand,
    refuseCommand,
  ]) {
    grants.addCommand(command(system, open));
  }
  return grants;
}

function showCommand(system: System, open: OpenHouse): Command {
  return new Command("show")
    .description("Show what a plugin was given, and what it was refused.")
    .argument("<plugin>", "its name")
    .addOption(folderOption())
    .addOption(jsonOption("print one JSON object"))
    .addHelpText("after", "\nExample:\n  remora grants show geofence")
    .action(async (name: string, options: GrantsOptions) => {
      const { grants, refused } = await withHouse(system, open, { ...options, use: "look" }, (house) =>
        house.details(name),
      );
      const lines = factLines([
        ["plugin", name],
        ...listed("given", grants, grantText),
        ...listed("refused", refused, grantText),
      ]);
      system.out.write(options.json ? `${JSON.stringify({ grants, refused })}\n` : `${lines.join("\n")}\n`);
    });
}

function giveCommand(system: System, open: OpenHouse): Command {
  return changing(system, open, {
    verb: "give",
    past: "given",
    description: "Give a plugin a capability, and make it anew with it.",
    example: "remora grants give geofence net.http https://api.example.org",
  });
}

function revokeCommand(system: System, open: OpenHouse): Command {
  return changing(system, open, {
    verb: "revoke",
    past: "revoked",
    description: "Take from a plugin what it was given, and make it anew without it.",
    example: "remora grants revoke geofence net.http https://api.example.org",
  });
}

interface Changing {
  readonly verb: "give" | "revoke";
  readonly past: string;
  readonly description: string;
  readonly example: string;
}

function changing(system: System, open: OpenHouse, { verb, past, description, example }: Changing): Command {
  return new Command(verb)
    .description(description)
    .argument("<plugin>", "its name")
    .argument("<capability>", "area.thing or area.thing.verb; docs/capabilities.md lists them")
    .argument("[target...]", "where it may use it")
    .addOption(folderOption())
    .addOption(jsonOption("print one JSON object"))
    .addHelpText("after", `\nExample:\n  ${example}`)
    .action(async (name: string, capability: string, targets: string[], options: GrantsOptions) => {
      const grant = await grantOf(capability, targets);
      await withHouse(system, open, { ...options, use: "change" }, (house) => house[verb](name, grant));
      const text = `${past}: ${grantText(grant)}\n`;
      system.out.write(options.json ? `${JSON.stringify({ plugin: name, [past]: grant })}\n` : text);
    });
}

/** The field that lists a capability's targets is the capability's own. */
async function grantOf(capability: string, targets: readonly string[]) {
  const { vocabulary } = await knownCapabilities();
  const known = vocabulary.get(capability) ?? coreVocabulary.get(capability);
  if (known === undefined && targets.length > 0) {
    const [near] = nearNames(capability, vocabulary.keys());
    const expected = `one of docs/capabilities.md${near === undefined ? "" : `, perhaps ${near}`}`;
    throw cliErrors["bad-value"]({ what: `the capability ${harmless(capability)}`, expected });
  }
  const field = known?.target?.field;
  if (field === undefined && targets.length > 0) {
    throw cliErrors["bad-value"]({ what: `targets of ${harmless(capability)}`, expected: "none" });
  }
  if (field !== undefined && targets.length === 0) {
    const what = `${harmless(capability)} without saying where`;
    throw cliErrors["bad-value"]({ what, expected: `one or more ${field} behind it` });
  }
  return { capability, ...(field !== undefined && { [field]: [...targets] }) };
}

function heldCommand(system: System, open: OpenHouse): Command {
  return new Command("held")
    .description("List the versions that wait for consent, and what each wants.")
    .addOption(folderOption())
    .addOption(storeOption())
    .addOption(jsonOption("print one JSON object"))
    .addHelpText("after", "\nExample:\n  remora grants held")
    .action(async (options: GrantsOptions & Pick<TrustOptions, "store">) => {
      const trust = await trustOf(system, options);
      const held = await withHouse(system, open, { ...options, ...trust, use: "look" }, (house) =>
        house.held(),
      );
      system.out.write(options.json ? `${JSON.stringify({ held })}\n` : heldText(held));
    });
}

function heldText(held: readonly ConsentView[]): string {
  if (held.length === 0) return "nothing waits\n";
  return held.map(heldOneText).join("");
}

function heldOneText(one: ConsentView): string {
  const { id, plugin, version, digest, trust, items, problem } = one;
  const wanted = [...publisherTexts(one), ...items.map(itemText)].join(", ");
  const what =
    problem === null ? wanted : harmless(`cannot be accepted: ${problem.code}: ${problem.message}`, 1_000);
  return `${harmless(plugin)} ${harmless(version)}: ${what}\n  ${harmless(trust)}, digest ${digest}\n  id ${id}\n`;
}

function acceptCommand(system: System, open: OpenHouse): Command {
  return answering(system, open, "accept", "change")
    .option("-y, --yes", "give all of it, without a question")
    .addOption(policyOption())
    .addOption(trustOption())
    .addOption(storeOption());
}

function refuseCommand(system: System, open: OpenHouse): Command {
  return answering(system, open, "refuse", "look").addOption(storeOption());
}

function answering(system: System, open: OpenHouse, verb: "accept" | "refuse", use: HouseUse): Command {
  const description =
    verb === "accept"
      ? "Give a version that waits what it wants, item by item, and run it."
      : "Give a version that waits nothing; it is forgotten, and what runs goes on.";
  return new Command(verb)
    .description(description)
    .argument("<plugin>", "its name")
    .option("--id <id>", 'only what "remora grants held" showed with this id (default: what waits now)')
    .addOption(folderOption())
    .addOption(jsonOption("print one JSON object"))
    .addHelpText("after", `\nExample:\n  remora grants ${verb} geofence`)
    .action(async (name: string, options: AnswerOptions) => {
      // What waited is verified again before it runs; and an id is of what was shown, with its trust.
      const trust = await trustOf(system, options);
      const policy = await readPolicy(system, options.policy);
      await withHouse(system, open, { ...options, ...trust, use }, async (house) => {
        const held = (await house.held()).find(({ plugin }) => plugin === name) ?? null;
        if (held !== null) checkShown(held, options);
        if (verb === "refuse" || held === null) {
          // With nothing that waits, the manager says so.
          await house.refuse(held ?? { plugin: name, id: "" });
          system.out.write(options.json ? `${JSON.stringify({ refused: name })}\n` : `${name}: refused\n`);
          return;
        }
        const waiting = (one: ConsentView | null): ChangeView => {
          const { version = null, current = null } = one ?? {};
          return { name, version, from: current, held: one, publisher: null };
        };
        const again = async () => waiting((await house.held()).find(({ plugin }) => plugin === name) ?? null);
        const change = await consentFrom(system, house, waiting(held), again, options, policy);
        system.out.write(options.json ? `${JSON.stringify(change)}\n` : changeText(change));
      });
    });
}

/** Without an id the answer is for what is shown here and now, and the manager takes it for nothing else. */
function checkShown({ plugin, version, id }: ConsentView, options: Pick<AnswerOptions, "id">): void {
  if (options.id === undefined || options.id === id) return;
  const expected = `what "remora grants held" prints for ${harmless(plugin)} ${harmless(version)}, which waits now`;
  throw cliErrors["bad-value"]({ what: `the id ${harmless(options.id)}`, expected });
}
