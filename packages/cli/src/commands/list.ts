/** `remora list`: what is installed. */

import { Command, Option } from "commander";
import { type FolderOptions, folderOption, type OpenHouse, withHouse } from "../house.ts";
import { jsonOption } from "../options.ts";
import { listText } from "../plugin-text.ts";
import type { System } from "../system.ts";

export function listCommand(system: System, open: OpenHouse): Command {
  return new Command("list")
    .description("List the plugins of a folder.")
    .addOption(folderOption())
    .addOption(new Option("--names", "print names alone, one a line"))
    .addOption(jsonOption("print one JSON object"))
    .addHelpText("after", "\nExamples:\n  remora list\n  remora list --json | jq '.plugins[].name'")
    .action(async (options: FolderOptions & { names?: true; json?: true }) => {
      const plugins = await withHouse(system, open, { ...options, use: "look" }, (house) => house.list());
      if (options.json) system.out.write(`${JSON.stringify({ plugins })}\n`);
      else if (options.names) system.out.write(plugins.map(({ name }) => `${name}\n`).join(""));
      else system.out.write(listText(plugins));
    });
}
