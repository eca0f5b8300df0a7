/** `remora tokens`: who may use the admin interface of a folder's manager. */

import { Command } from "commander";
import { harmless } from "remora/policy";
import { type FolderOptions, folderOf, folderOption } from "../house.ts";
import { durationOption, jsonOption, type RoleOptions, roleOption } from "../options.ts";
import type { System } from "../system.ts";
import { tableLines } from "../table.ts";

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
    .argument("<name>", "whose it is: what the audit trail shows")
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
      const token = createToken(tokensFile(folderOf(system, options)), {
        name,
        role,
        nowMs: system.nowMs(),
        ...(valid !== undefined && { validMs: valid }),
      });
      system.out.write(options.json ? `${JSON.stringify({ name, role, token })}\n` : `${token}\n`);
    });
}

function listCommand(system: System): Command {
  return new Command("list")
    .description("List whose tokens there are.")
    .addOption(folderOption())
    .addOption(jsonOption("print one JSON object"))
    .addHelpText("after", "\nExample:\n  remora tokens list")
    .action(async (options: FolderOptions & { json?: true }) => {
      const { readTokens, tokensFile } = await loadAdmin();
      const tokens = readTokens(tokensFile(folderOf(system, options))).map(
        ({ sha256: _, ...shown }) => shown,
      );
      if (options.json) {
        system.out.write(`${JSON.stringify({ tokens })}\n`);
        return;
      }
      const lines = tableLines(
        ["name", "role", "made", "expires"].map((title) => ({ title, align: "left" })),
        tokens.map(({ name, role, createdAt, expiresAt }) => [
          harmless(name),
          role,
          createdAt,
          expiresAt ?? "never",
        ]),
      );
      system.out.write(`${lines.join("\n")}\n`);
    });
}

function revokeCommand(system: System): Command {
  return new Command("revoke")
    .description("Take a token back: from the next request on it is none.")
    .argument("<name>", "whose it is")
    .addOption(folderOption())
    .addOption(jsonOption("print one JSON object"))
    .addHelpText("after", "\nExample:\n  remora tokens revoke ada")
    .action(async (name: string, options: FolderOptions & { json?: true }) => {
      const { revokeToken, tokensFile } = await loadAdmin();
      revokeToken(tokensFile(folderOf(system, options)), name);
      const text = `${harmless(name)} has no token any more`;
      system.out.write(`${options.json ? JSON.stringify({ name }) : text}\n`);
    });
}

/** Loaded when it is wanted: most commands need no server. */
function loadAdmin() {
  return import("@remora/admin");
}
