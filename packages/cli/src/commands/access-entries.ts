/** What `remora tokens` and `remora users` have in common: who may use the admin interface is listed, and taken out. */

import { Command } from "commander";
import { harmless } from "remora/policy";
import { type FolderOptions, folderOption, folderThere } from "../house.ts";
import { jsonOption } from "../options.ts";
import type { System } from "../system.ts";
import { tableLines } from "../table.ts";

type Options = FolderOptions & { readonly json?: true };

export interface AccessList<Row> {
  readonly what: "tokens" | "users";
  readonly description: string;
  readonly columns: readonly string[];
  /** Without what nobody needs to see. */
  rows(folder: string): Promise<readonly Row[]>;
  cells(row: Row): readonly string[];
}

export function accessListCommand<Row>(system: System, list: AccessList<Row>): Command {
  const { what, description, columns } = list;
  return new Command("list")
    .description(description)
    .addOption(folderOption())
    .addOption(jsonOption("print one JSON object"))
    .addHelpText("after", `\nExample:\n  remora ${what} list`)
    .action(async (options: Options) => {
      const rows = await list.rows(await folderThere(system, options));
      const lines = tableLines(
        columns.map((title) => ({ title, align: "left" })),
        rows.map((row) => list.cells(row).map((cell) => harmless(cell))),
      );
      system.out.write(`${options.json ? JSON.stringify({ [what]: rows }) : lines.join("\n")}\n`);
    });
}

export interface AccessRemoval {
  readonly what: "tokens" | "users";
  readonly verb: "revoke" | "remove";
  readonly description: string;
  readonly told: string;
  remove(folder: string, name: string): Promise<void>;
}

export function accessRemovalCommand(system: System, { what, verb, ...removal }: AccessRemoval): Command {
  return new Command(verb)
    .description(removal.description)
    .argument("<name>", "whose it is")
    .addOption(folderOption())
    .addOption(jsonOption("print one JSON object"))
    .addHelpText("after", `\nExample:\n  remora ${what} ${verb} ada`)
    .action(async (name: string, options: Options) => {
      await removal.remove(await folderThere(system, options), name);
      const text = `${harmless(name)} ${removal.told}`;
      system.out.write(`${options.json ? JSON.stringify({ name }) : text}\n`);
    });
}
