/** `remora tak CONFIG`: runs the TAK host with the operator's settings. */

import { Command } from "commander";
import { forOption, jsonOption } from "../options.ts";
import { type Running, viewRun } from "../run-view.ts";
import type { System } from "../system.ts";

export interface RunOptions {
  readonly for?: number;
  readonly json?: true;
}

export function takCommand(system: System, start: StartTak): Command {
  return new Command("tak")
    .description("Run the TAK host: filters and transformers on a stream of Cursor-on-Target messages.")
    .argument("<config>", "a YAML file of settings")
    .addOption(forOption())
    .addOption(jsonOption("print nothing but one JSON object, at the end"))
    .action(async (config: string, options: RunOptions) => {
      await viewRun((log) => start({ config, log }), system, {
        forMs: options.for,
        isJson: options.json ?? false,
      });
    });
}

/** Starts a TAK host from a file of settings. */
export type StartTak = (options: { config: string; log: (line: string) => void }) => Promise<Running>;
