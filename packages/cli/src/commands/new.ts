/** `remora new TEMPLATE FOLDER`: a plugin to begin with, which builds, is packed and runs as it is. */

import { basename, dirname, join, resolve } from "node:path";
import { Argument, Command } from "commander";
import { isPluginName, pluginNameForm } from "remora/bundle";
import { cliErrors } from "../errors.ts";
import { factLines, listed } from "../facts.ts";
import { jsonOption } from "../options.ts";
import type { System } from "../system.ts";
import { filesOf, type TemplateName, templateNames } from "../templates.ts";
import { makeFolder, writeOutput } from "../write-output.ts";

export function newCommand(system: System): Command {
  return new Command("new")
    .description("Begin a plugin: write a folder that builds, packs and runs as it is.")
    .addArgument(
      new Argument("<template>", "the host that it is for, and the language").choices(templateNames),
    )
    .argument("<folder>", "a folder that is not there yet, or is empty; its name is the plugin's")
    .addOption(jsonOption("print one JSON object"))
    .addHelpText(
      "after",
      `
Its README says how to build it; the tools come from npm. Nothing that is there is overwritten.

Examples:
  remora new signalk/assemblyscript depth-watch
  remora new tak/assemblyscript plugins/harbour --json`,
    )
    .action(async (template: TemplateName, folder: string, options: { json?: true }) => {
      const made = await begin(system, template, folder);
      system.out.write(options.json ? `${JSON.stringify(made)}\n` : madeText(made));
    });
}

interface Made {
  readonly name: string;
  readonly template: TemplateName;
  readonly folder: string;
  /** In the folder. */
  readonly files: readonly string[];
}

/**
 * @throws cli/bad-value    the folder's name cannot be a plugin's
 * @throws cli/cannot-write there is something in the folder, or the file system refuses
 */
async function begin(system: System, template: TemplateName, folder: string): Promise<Made> {
  const name = basename(resolve(folder));
  if (!isPluginName(name)) {
    throw cliErrors["bad-value"]({ what: `"${name}" as a plugin's name`, expected: pluginNameForm });
  }
  const found = await system.listFiles(folder, 1);
  if (found !== undefined && found.length > 0) {
    throw cliErrors["cannot-write"]({ file: folder, reason: `"${found[0]}" is in it already` });
  }
  const files = filesOf(template, name);
  for (const { path, text } of files) {
    const file = join(folder, path);
    await makeFolder(system, dirname(file));
    // Somebody may have come first: what is there stays.
    await writeOutput(system, file, new TextEncoder().encode(text), "create");
  }
  return { name, template, folder, files: files.map(({ path }) => path) };
}

function madeText({ name, template, folder, files }: Made): string {
  const lines = factLines([
    ["made", `${name} from ${template}`],
    ["folder", folder],
    ...listed("files", files, (path) => path),
    ["next", `cd ${folder} && npm install && npm run build`],
  ]);
  return `${lines.join("\n")}\n`;
}
