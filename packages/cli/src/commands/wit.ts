/** `remora wit FILE.wasm`: the WIT of a component, as text that WIT tools read. */

import { Command } from "commander";
import { decodeComponent, isComponent, printWit } from "remora/component";
import { cliErrors } from "../errors.ts";
import { beginning, isWasm } from "../file-start.ts";
import { jsonOption } from "../options.ts";
import { readInput } from "../read-input.ts";
import type { System } from "../system.ts";

export function witCommand(system: System): Command {
  return new Command("wit")
    .description("Print the WIT of a component: its world, and the interfaces of it that it uses.")
    .argument("<file>", "a component, .wasm")
    .addOption(jsonOption("print one JSON object with the text"))
    .action(async (file: string, options: { json?: true }) => {
      const bytes = await readInput(system, file);
      if (!isComponent(bytes)) {
        const found = isWasm(bytes) ? "is a core module" : `starts with ${beginning(bytes)}`;
        const expected = "a component, which starts with 00 61 73 6d 0d 00 01 00";
        throw cliErrors["bad-value"]({ what: `"${file}", which ${found}`, expected });
      }
      const text = printWit(decodeComponent(bytes));
      system.out.write(options.json ? `${JSON.stringify({ file, wit: text })}\n` : text);
    });
}
