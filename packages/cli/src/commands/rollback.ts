/** `remora rollback PLUGIN [VERSION]`: a version that ran before runs again. */

import { Command } from "commander";
import { type FolderOptions, folderOption, type OpenHouse, withHouse } from "../house.ts";
import { jsonOption } from "../options.ts";
import { changeText } from "../plugin-text.ts";
import type { System } from "../system.ts";
import { type TrustOptions, trustOf, trustOption } from "../trust-option.ts";
import { storeOption } from "../trust-store.ts";

interface RollbackOptions extends FolderOptions, TrustOptions {
  readonly json?: true;
}

export function rollbackCommand(system: System, open: OpenHouse): Command {
  return new Command("rollback")
    .description("Run a version again that ran before.")
    .argument("<plugin>", "its name")
    .argument(
      "[version]",
      "one that is kept, see remora info, or its digest (default: the last one that did not fail)",
    )
    .addOption(folderOption())
    .addOption(trustOption())
    .addOption(storeOption())
    .addOption(jsonOption("print one JSON object"))
    .addHelpText(
      "after",
      `
It has to be trusted now, whatever it was when it came.

Examples:
  remora rollback geofence
  remora rollback geofence 1.1.0`,
    )
    .action(async (name: string, version: string | undefined, options: RollbackOptions) => {
      const trust = await trustOf(system, options);
      const change = await withHouse(system, open, { ...options, ...trust, use: "change" }, (house) =>
        house.rollback(name, version),
      );
      system.out.write(options.json ? `${JSON.stringify(change)}\n` : changeText(change));
    });
}
