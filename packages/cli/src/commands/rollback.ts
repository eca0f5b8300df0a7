/** `remora rollback PLUGIN [VERSION]`: a version that ran before runs again. */

import { Command } from "commander";
import { type FolderOptions, folderOption, type OpenHouse, withHouse } from "../house.ts";
import { jsonOption } from "../options.ts";
import { changeText } from "../plugin-text.ts";
import type { System } from "../system.ts";

export function rollbackCommand(system: System, open: OpenHouse): Command {
  return new Command("rollback")
    .description("Run a version again that ran before.")
    .argument("<plugin>", "its name")
    .argument(
      "[version]",
      "one that is kept, see remora info, or its digest (default: the last one that did not fail)",
    )
    .addOption(folderOption())
    .addOption(jsonOption("print one JSON object"))
    .addHelpText("after", "\nExamples:\n  remora rollback geofence\n  remora rollback geofence 1.1.0")
    .action(async (name: string, version: string | undefined, options: FolderOptions & { json?: true }) => {
      const change = await withHouse(system, open, { ...options, use: "change" }, (house) =>
        house.rollback(name, version),
      );
      system.out.write(options.json ? `${JSON.stringify(change)}\n` : changeText(change));
    });
}
