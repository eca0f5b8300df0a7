/** `remora demo`: the main job with nothing to set up, on a recording that loops. */

import { Argument, Command } from "commander";
import { forOption, jsonOption, portOption, speedOption } from "../options.ts";
import { type Running, viewRun } from "../run-view.ts";
import type { System } from "../system.ts";
import type { RunOptions } from "./tak.ts";

export function demoCommand(system: System, start: StartDemo): Command {
  return new Command("demo")
    .description("Run the TAK host with two example plugins on a bundled recording that loops.")
    .addArgument(new Argument("[host]", "which host").choices(["tak"]).default("tak"))
    .addOption(forOption())
    .addOption(jsonOption("print nothing but one JSON object, at the end"))
    .addOption(portOption().default(TAK_PORT))
    .addOption(speedOption())
    .action(
      async (_host: "tak", options: RunOptions & { readonly port: number; readonly speed?: number }) => {
        const { port, speed } = options;
        await viewRun((log) => start({ port, speed, log }), system, {
          forMs: options.for,
          isJson: options.json ?? false,
        });
      },
    );
}

/** Where TAK clients look for a server that speaks TCP without TLS. */
const TAK_PORT = 8087;

/** Starts the demonstration. */
export type StartDemo = (options: {
  port: number;
  /** 1 is as recorded. Undefined: as fast as it goes, and slower while a client is connected. */
  speed: number | undefined;
  log: (line: string) => void;
}) => Promise<Running>;
