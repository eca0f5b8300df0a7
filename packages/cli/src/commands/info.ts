/** `remora info PLUGIN`: all about one. */

import { Command } from "commander";
import { type FolderOptions, folderOption, type OpenHouse, withHouse } from "../house.ts";
import { jsonOption } from "../options.ts";
import { detailsText } from "../plugin-text.ts";
import type { System } from "../system.ts";
import { trustOf } from "../trust-option.ts";
import { storeOption } from "../trust-store.ts";

export function infoCommand(system: System, open: OpenHouse): Command {
  return new Command("info")
    .description("Show all about a plugin: versions, trust, grants, settings, what it did.")
    .argument("<plugin>", "its name")
    .addOption(folderOption())
    .addOption(storeOption())
    .addOption(jsonOption("print one JSON object"))
    .addHelpText("after", "\nExample:\n  remora info geofence")
    .action(async (name: string, options: FolderOptions & { store?: string; json?: true }) => {
      const trust = await trustOf(system, options);
      const details = await withHouse(system, open, { ...options, ...trust, use: "look" }, (house) =>
        house.details(name),
      );
      system.out.write(options.json ? `${JSON.stringify(details)}\n` : detailsText(details));
    });
}
