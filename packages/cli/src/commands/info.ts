/** `remora info PLUGIN`: all about one. */

import { Command, Option } from "commander";
import { harmless } from "remora/policy";
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
    .addOption(new Option("--versions", "print the versions that it can go back to alone, one a line"))
    .addOption(jsonOption("print one JSON object"))
    .addHelpText("after", "\nExample:\n  remora info geofence")
    .action(
      async (name: string, options: FolderOptions & { store?: string; versions?: true; json?: true }) => {
        const trust = await trustOf(system, options);
        const details = await withHouse(system, open, { ...options, ...trust, use: "look" }, (house) =>
          house.details(name),
        );
        if (options.json) system.out.write(`${JSON.stringify(details)}\n`);
        else if (options.versions)
          system.out.write(details.previous.map((kept) => `${harmless(kept.version)}\n`).join(""));
        else system.out.write(detailsText(details));
      },
    );
}
