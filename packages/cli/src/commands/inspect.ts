/** `remora inspect FILE`: what a plugin's file is and asks for, without running any of it. */

import { Command } from "commander";
import { inspectBytes } from "../inspection.ts";
import { inspectionText } from "../inspection-text.ts";
import { jsonOption } from "../options.ts";
import { readInput } from "../read-input.ts";
import type { System } from "../system.ts";

export function inspectCommand(system: System): Command {
  return new Command("inspect")
    .description("Show what a WebAssembly module or component is and asks for, without running any of it.")
    .argument("<file>", "a .wasm file")
    .addOption(jsonOption("print one JSON object"))
    .action(async (file: string, options: { json?: true }) => {
      const inspection = inspectBytes(file, await readInput(system, file));
      system.out.write(options.json ? `${JSON.stringify(inspection)}\n` : inspectionText(inspection));
    });
}
