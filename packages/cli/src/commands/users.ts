/** `remora users`: who may log in to the admin interface with a password, for clients that know no other way. */

import { Command, Option } from "commander";
import { harmless } from "remora/policy";
import { type FolderOptions, folderOption, folderThere } from "../house.ts";
import { jsonOption, ownerName, type RoleOptions, roleOption } from "../options.ts";
import { readInput } from "../read-input.ts";
import type { System } from "../system.ts";
import { accessListCommand, accessRemovalCommand } from "./access-entries.ts";

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
    .argument("<name>", "whose it is: what the audit trail shows", ownerName)
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
      await createUser(usersFile(await folderThere(system, options)), {
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
  return accessListCommand(system, {
    what: "users",
    description: "List who may log in.",
    columns: ["name", "role", "made"],
    async rows(folder) {
      const { readUsers, usersFile } = await loadAdmin();
      return readUsers(usersFile(folder)).map(({ passwordHash: _, ...shown }) => shown);
    },
    cells: ({ name, role, createdAt }) => [name, role, createdAt],
  });
}

function removeCommand(system: System): Command {
  return accessRemovalCommand(system, {
    what: "users",
    verb: "remove",
    description: "Take a user out: from the next request on nobody is in by that name.",
    told: "may not log in any more",
    async remove(folder, name) {
      const { removeUser, usersFile } = await loadAdmin();
      removeUser(usersFile(folder), name);
    },
  });
}

/** Loaded when it is wanted: most commands need no server. */
function loadAdmin() {
  return import("@remora/admin");
}
