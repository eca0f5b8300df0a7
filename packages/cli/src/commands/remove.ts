/** `remora remove PLUGIN...`: what was installed goes, and its data if that is said. */

import { Command, Option } from "commander";
import { type FolderOptions, folderOption, type OpenHouse, withHouse } from "../house.ts";
import { jsonOption } from "../options.ts";
import type { System } from "../system.ts";
import { actOnEach } from "../tell-done.ts";

export function removeCommand(system: System, open: OpenHouse): Command {
  return new Command("remove")
    .description("Remove plugins.")
    .argument("<plugin...>", "names")
    .addOption(folderOption())
    .addOption(new Option("--data", "also remove their files, keys and settings"))
    .addOption(jsonOption("print one JSON object"))
    .addHelpText(
      "after",
      `
Without --data, what a plugin stored is there again when it is installed again.

Example:
  remora remove geofence --data`,
    )
    .action(async (names: string[], options: FolderOptions & { data?: true; json?: true }) => {
      const tell = (done: readonly string[]) =>
        system.out.write(
          options.json
            ? `${JSON.stringify({ removed: done })}\n`
            : done.map((name) => `${name} is removed\n`).join(""),
        );
      await withHouse(system, open, { ...options, use: "look" }, (house) =>
        actOnEach(names, (name) => house.remove(name, { data: options.data ?? false }), tell),
      );
    });
}
