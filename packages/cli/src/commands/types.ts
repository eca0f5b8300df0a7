/** `remora types PATH`: the TypeScript types of a world, for `load<World>(bytes)`. */

import { Command } from "commander";
import { generateTypes, parseWit, selectWorld } from "remora/component";
import { jsonOption } from "../options.ts";
import { readWitFiles } from "../read-wit.ts";
import type { System } from "../system.ts";

interface TypesOptions {
  readonly world?: string;
  readonly features?: readonly string[];
  readonly async?: true;
  readonly json?: true;
}

export function typesCommand(system: System): Command {
  return new Command("types")
    .description("Write the TypeScript types of a WIT world, as the text of a .d.ts file.")
    .argument("<path>", "a .wit file, or a folder of them with its dependencies in deps/")
    .option(
      "--world <name>",
      "which world, where there are several: filter-plugin, or a:b/filter-plugin@1.0.0",
    )
    .option("--features <names...>", "unstable features that are to be there")
    .option(
      "--async",
      "all calls give promises: for a host some of whose functions do, and for guests behind a wall",
    )
    .addOption(jsonOption("print one JSON object with the text"))
    .addHelpText(
      "after",
      [
        "",
        "Examples:",
        "  remora types worlds/tak/0.1.0 --world lazy-filter > lazy-filter.d.ts",
        "  remora types worlds/tak/0.1.0 --world lazy-filter --async > lazy-filter-async.d.ts",
      ].join("\n"),
    )
    .action(async (path: string, options: TypesOptions) => {
      const files = await readWitFiles(system, path);
      const world = selectWorld(parseWit(files, { features: options.features ?? [] }), options.world);
      const text = generateTypes(world, { allAsync: options.async === true });
      system.out.write(options.json ? `${JSON.stringify({ world: world.id, types: text })}\n` : text);
    });
}
