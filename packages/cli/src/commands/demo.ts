/** `remora demo`: the main job with nothing to set up, on a recording that loops. */

import { Argument, Command } from "commander";
import { forOption, jsonOption, portOption, speedOption } from "../options.ts";
import { type Running, viewRun } from "../run-view.ts";
import type { System } from "../system.ts";
import type { RunOptions } from "./tak.ts";

export function demoCommand(system: System, start: StartDemo): Command {
  return new Command("demo")
    .description("Run a host with its example plugins on a recording that loops.")
    .addArgument(new Argument("[host]", "which host").choices(["tak", "signalk"]).default("tak"))
    .addOption(forOption())
    .addOption(jsonOption("print nothing but one JSON object, at the end"))
    .addOption(portOption())
    .addOption(speedOption())
    .action(
      async (host: DemoHost, options: RunOptions & { readonly port?: number; readonly speed?: number }) => {
        const { port = PORTS[host], speed } = options;
        await viewRun((log, signal) => start({ host, port, speed, log, signal }), system, {
          forMs: options.for,
          isJson: options.json ?? false,
        });
      },
    );
}

export type DemoHost = "tak" | "signalk";

/** Where clients of each look for a server: TAK's speak TCP without TLS, Signal K's HTTP. */
const PORTS: Readonly<Record<DemoHost, number>> = { tak: 8087, signalk: 3000 };

/** Starts the demonstration. */
export type StartDemo = (options: {
  host: DemoHost;
  port: number;
  /** Of TAK's recording. 1 is as recorded. Undefined: as fast as it goes, and slower while a client is connected. */
  speed: number | undefined;
  log: (line: string) => void;
  /** Ends the waiting for a command that holds the folder. */
  signal: AbortSignal;
}) => Promise<Running>;
