/** `remora enable`, `remora disable`, `remora reload`: a plugin's life, by its name. */

import { Command } from "commander";
import { type FolderOptions, folderOption, type HouseUse, type OpenHouse, withHouse } from "../house.ts";
import { jsonOption } from "../options.ts";
import type { System } from "../system.ts";
import { actOnEach } from "../tell-done.ts";

interface Switch {
  readonly verb: "enable" | "disable" | "reload";
  readonly past: string;
  readonly use: HouseUse;
  readonly description: string;
  readonly more: string;
}

const switches: readonly Switch[] = [
  {
    verb: "enable",
    past: "enabled",
    use: "change",
    description: "Run plugins that were disabled.",
    more: "A plugin that cannot be started stays as it was, and the exit code is 1.",
  },
  {
    verb: "disable",
    past: "disabled",
    use: "look",
    description: "Stop plugins, until they are enabled.",
    more: "Calls that run come to their end. A plugin that another one needs is refused.",
  },
  {
    verb: "reload",
    past: "reloaded",
    use: "live",
    description: "Make the running versions anew, with the settings and grants of now.",
    more: "No call fails meanwhile. Takes a program that runs the plugins.",
  },
];

export function switchCommands(system: System, open: OpenHouse): Command[] {
  return switches.map((one) => switchCommand(one, system, open));
}

function switchCommand(
  { verb, past, use, description, more }: Switch,
  system: System,
  open: OpenHouse,
): Command {
  return new Command(verb)
    .description(description)
    .argument("<plugin...>", "names")
    .addOption(folderOption())
    .addOption(jsonOption("print one JSON object"))
    .addHelpText("after", `\n${more}\n\nExample:\n  remora ${verb} geofence`)
    .action(async (names: string[], options: FolderOptions & { json?: true }) => {
      const tell = (done: readonly string[]) =>
        system.out.write(
          options.json
            ? `${JSON.stringify({ [past]: done })}\n`
            : done.map((name) => `${name} is ${past}\n`).join(""),
        );
      await withHouse(system, open, { ...options, use }, (house) =>
        actOnEach(names, (name) => house[verb](name), tell),
      );
    });
}
