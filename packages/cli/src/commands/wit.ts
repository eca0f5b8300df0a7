/** `remora wit FILE.wasm`: the WIT of a component, as text that WIT tools read. */

import { Command } from "commander";
import { decodeComponent, printWit } from "remora/component";
import { jsonOption } from "../options.ts";
import { readInput } from "../read-input.ts";
import type { System } from "../system.ts";

export function witCommand(system: System): Command {
  return new Command("wit")
    .description("Print the WIT of a component: its world, and the interfaces of it that it uses.")
    .argument("<file>", "a component, .wasm")
    .addOption(jsonOption("print one JSON object with the text"))
    .action(async (file: string, options: { json?: true }) => {
      const text = printWit(decodeComponent(await readInput(system, file)));
      system.out.write(options.json ? `${JSON.stringify({ file, wit: text })}\n` : text);
    });
}
