/** `remora wrap FILE`: a component of a world out of a core module, for languages whose compilers stop there. */

import { Command, Option } from "commander";
import { parseWit, selectWorld, type WrapOptions, wrapModule } from "remora/component";
import { jsonOption } from "../options.ts";
import { showBytes } from "../quantity.ts";
import { readInput } from "../read-input.ts";
import { readWitFiles } from "../read-wit.ts";
import type { System } from "../system.ts";
import { writeOutput } from "../write-output.ts";

interface Options {
  readonly wit: string;
  readonly world?: string;
  readonly strings: WrapOptions["stringEncoding"];
  readonly output: string;
  readonly json?: true;
}

export function wrapCommand(system: System): Command {
  return new Command("wrap")
    .description("Make a component of a world out of a core module.")
    .argument("<file>", "the module, .wasm")
    .option("--wit <path>", "the world's WIT: a file, or a folder with its dependencies in deps/", "wit")
    .option(
      "--world <name>",
      "which world, where there are several: filter-plugin, or a:b/filter-plugin@1.0.0",
    )
    .addOption(
      new Option("--strings <encoding>", "how the module has its strings: AssemblyScript's are utf16")
        .choices(["utf8", "utf16", "latin1+utf16"] satisfies WrapOptions["stringEncoding"][])
        .default("utf8"),
    )
    .addOption(new Option("-o, --output <file>", "the component").makeOptionMandatory())
    .addOption(jsonOption("print one JSON object"))
    .addHelpText(
      "after",
      `
The module exports the functions of the world by the names of the canonical ABI ("a:b/filter@0.1.0#evaluate"), or by
what a language can write of them: filter_evaluate, in camel case. It imports by those names, and what it does not
import, the component does not either. Functions that are asynchronous are not wrapped here.

Example:
  remora wrap build/core.wasm --world omnitak:plugin/filter-plugin@0.1.0 -o build/plugin.wasm`,
    )
    .action(async (file: string, options: Options) => {
      const made = await wrap(system, file, options);
      system.out.write(options.json ? `${JSON.stringify(made)}\n` : madeText(made));
    });
}

interface Made {
  readonly file: string;
  readonly world: string;
  readonly sizeBytes: number;
}

async function wrap(system: System, file: string, { wit, world, strings, output }: Options): Promise<Made> {
  const core = await readInput(system, file);
  const found = selectWorld(parseWit(await readWitFiles(system, wit)), world);
  const component = wrapModule(core, found, { stringEncoding: strings });
  await writeOutput(system, output, component);
  return { file: output, world: found.id, sizeBytes: component.length };
}

function madeText({ file, world, sizeBytes }: Made): string {
  return `${file}: ${showBytes(sizeBytes)}, a component of ${world}\n`;
}
