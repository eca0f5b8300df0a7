/** `remora users`: who may log in to the admin interface with a password, for clients that know no other way. */

import { Command, Option } from "commander";
import { harmless } from "remora/policy";
import { type FolderOptions, folderOf, folderOption } from "../house.ts";
import { jsonOption, type RoleOptions, roleOption } from "../options.ts";
import { readInput } from "../read-input.ts";
import type { System } from "../system.ts";
import { tableLines } from "../table.ts";

export function usersCommand(system: System): Command {
  const users = new Command("users").description(
    "Make, list and remove users, who log in to the admin interface with a password.",
  );
  for (const command of [createCommand, listCommand, removeCommand]) users.addCommand(command(system));
  return users;
}

interface CreateOptions extends FolderOptions, RoleOptions {
  readonly passwordFile: string;
  readonly json?: true;
}

/** More than a password may have, in the longest letters. */
const PASSWORD_BYTES_MAX = 8_192;

function createCommand(system: System): Command {
  return new Command("create")
    .description("Make a user, who logs in at /api/v1/auth/login. Only a hash of the password is kept.")
    .argument("<name>", "whose it is: what the audit trail shows")
    .addOption(folderOption())
    .addOption(roleOption())
    .addOption(
      new Option(
        "--password-file <file>",
        "where the password stands, 8 to 1000 characters; /dev/stdin to pipe it in",
      ).makeOptionMandatory(),
    )
    .addOption(jsonOption("print one JSON object"))
    .addHelpText(
      "after",
      "\nExample:\n  remora users create ada --role operator --password-file password.txt",
    )
    .action(async (name: string, options: CreateOptions) => {
      const { role, passwordFile } = options;
      const bytes = await readInput(system, passwordFile, PASSWORD_BYTES_MAX);
      const { createUser, usersFile } = await loadAdmin();
      await createUser(usersFile(folderOf(system, options)), {
        name,
        role,
        // An editor puts a line's end behind what was meant.
        password: new TextDecoder().decode(bytes).replace(/\r?\n$/, ""),
        nowMs: system.nowMs(),
      });
      const text = `${harmless(name)} may log in as ${role}`;
      system.out.write(`${options.json ? JSON.stringify({ name, role }) : text}\n`);
    });
}

function listCommand(system: System): Command {
  return new Command("list")
    .description("List who may log in.")
    .addOption(folderOption())
    .addOption(jsonOption("print one JSON object"))
    .addHelpText("after", "\nExample:\n  remora users list")
    .action(async (options: FolderOptions & { json?: true }) => {
      const { readUsers, usersFile } = await loadAdmin();
      const users = readUsers(usersFile(folderOf(system, options))).map(
        ({ passwordHash: _, ...shown }) => shown,
      );
      if (options.json) {
        system.out.write(`${JSON.stringify({ users })}\n`);
        return;
      }
      const lines = tableLines(
        ["name", "role", "made"].map((title) => ({ title, align: "left" })),
        users.map(({ name, role, createdAt }) => [harmless(name), role, createdAt]),
      );
      system.out.write(`${lines.join("\n")}\n`);
    });
}

function removeCommand(system: System): Command {
  return new Command("remove")
    .description("Take a user out: from the next request on nobody is in by that name.")
    .argument("<name>", "whose it is")
    .addOption(folderOption())
    .addOption(jsonOption("print one JSON object"))
    .addHelpText("after", "\nExample:\n  remora users remove ada")
    .action(async (name: string, options: FolderOptions & { json?: true }) => {
      const { removeUser, usersFile } = await loadAdmin();
      removeUser(usersFile(folderOf(system, options)), name);
      const text = `${harmless(name)} may not log in any more`;
      system.out.write(`${options.json ? JSON.stringify({ name }) : text}\n`);
    });
}

/** Loaded when it is wanted: most commands need no server. */
function loadAdmin() {
  return import("@remora/admin");
}
