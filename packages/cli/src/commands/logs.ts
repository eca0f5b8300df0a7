/** `remora logs [PLUGIN...]`: what plugins log and what becomes of them, as it happens. */

import { Command } from "commander";
import { happeningLine } from "../happening-text.ts";
import { type FolderOptions, folderOption, type OpenHouse, withHouse } from "../house.ts";
import { forOption, jsonOption } from "../options.ts";
import type { System } from "../system.ts";
import { untilStopped } from "../until-stopped.ts";

interface LogsOptions extends FolderOptions {
  readonly for?: number;
  readonly json?: true;
}

export function logsCommand(system: System, open: OpenHouse): Command {
  return new Command("logs")
    .description("Follow what plugins log, and what becomes of them.")
    .argument("[plugin...]", "names (default: all)")
    .addOption(folderOption())
    .addOption(forOption())
    .addOption(jsonOption("print one JSON object a line"))
    .addHelpText(
      "after",
      `
Takes a program that runs the plugins. What was decided earlier is in the audit trail: remora audit list.

Examples:
  remora logs geofence
  remora logs --for 10s --json`,
    )
    .action(async (names: string[], options: LogsOptions) => {
      await withHouse(system, open, { ...options, use: "live" }, async (house) => {
        // A name that nothing has would be waited for without a word.
        for (const name of names) await house.details(name);
        await untilStopped(system, options.for, async (signal) => {
          for await (const happening of house.follow({ metrics: false, signal })) {
            const { plugin } = happening as { readonly plugin?: string }; // accounts have none
            if (names.length > 0 && !names.includes(plugin ?? "")) continue;
            const line = options.json ? JSON.stringify(happening) : happeningLine(happening);
            if (line !== undefined) system.out.write(`${line}\n`);
          }
        });
      });
    });
}
