/** `remora tokens`: who may use the admin interface of a folder's manager. */

import { Command } from "commander";
import { type FolderOptions, folderOption, folderThere } from "../house.ts";
import { durationOption, jsonOption, ownerName, type RoleOptions, roleOption } from "../options.ts";
import type { System } from "../system.ts";
import { accessListCommand, accessRemovalCommand } from "./access-entries.ts";

export function tokensCommand(system: System): Command {
  const tokens = new Command("tokens").description("Make, list and revoke tokens for the admin interface.");
  for (const command of [createCommand, listCommand, revokeCommand]) tokens.addCommand(command(system));
  return tokens;
}

interface CreateOptions extends FolderOptions, RoleOptions {
  readonly valid?: number;
  readonly json?: true;
}

function createCommand(system: System): Command {
  return new Command("create")
    .description("Make a token. It is shown once, and only its hash is kept.")
    .argument("<name>", "whose it is: what the audit trail shows", ownerName)
    .addOption(folderOption())
    .addOption(roleOption())
    .addOption(
      durationOption("--valid <duration>", "until it expires, for example 8h (default: it does not)"),
    )
    .addOption(jsonOption("print one JSON object"))
    .addHelpText(
      "after",
      "\nExamples:\n  remora tokens create prometheus\n  remora tokens create ada --role admin --valid 8h",
    )
    .action(async (name: string, options: CreateOptions) => {
      const { role, valid } = options;
      const { createToken, tokensFile } = await loadAdmin();
      const token = createToken(tokensFile(await folderThere(system, options)), {
        name,
        role,
        nowMs: system.nowMs(),
        ...(valid !== undefined && { validMs: valid }),
      });
      system.out.write(options.json ? `${JSON.stringify({ name, role, token })}\n` : `${token}\n`);
    });
}

function listCommand(system: System): Command {
  return accessListCommand(system, {
    what: "tokens",
    description: "List whose tokens there are.",
    columns: ["name", "role", "made", "expires"],
    async rows(folder) {
      const { readTokens, tokensFile } = await loadAdmin();
      return readTokens(tokensFile(folder)).map(({ sha256: _, ...shown }) => shown);
    },
    cells: ({ name, role, createdAt, expiresAt }) => [name, role, createdAt, expiresAt ?? "never"],
  });
}

function revokeCommand(system: System): Command {
  return accessRemovalCommand(system, {
    what: "tokens",
    verb: "revoke",
    description: "Take a token back: from the next request on it is none.",
    told: "has no token any more",
    async remove(folder, name) {
      const { revokeToken, tokensFile } = await loadAdmin();
      revokeToken(tokensFile(folder), name);
    },
  });
}

/** Loaded when it is wanted: most commands need no server. */
function loadAdmin() {
  return import("@remora/admin");
}
