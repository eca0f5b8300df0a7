/** `remora new TEMPLATE FOLDER`: a plugin to begin with, which builds, is packed and runs as it is. Alone it lists the templates. */

import { basename, dirname, join, resolve } from "node:path";
import { Argument, Command } from "commander";
import { isPluginName, pluginNameForm } from "remora/bundle";
import { cliErrors } from "../errors.ts";
import { factLines, listed } from "../facts.ts";
import { jsonOption } from "../options.ts";
import type { System } from "../system.ts";
import { tableLines } from "../table.ts";
import { filesOf, type TemplateName, templateNames, templates } from "../templates.ts";
import { makeFolder, writeOutput } from "../write-output.ts";

export function newCommand(system: System): Command {
  return new Command("new")
    .description("Begin a plugin: write a folder that builds, packs and runs as it is.")
    .addArgument(
      new Argument(
        "[template]",
        "the host that it is for, the language, and the shape where there are several (default: list them)",
      ).choices(templateNames),
    )
    .argument("[folder]", "a folder that is not there yet, or is empty; its name is the plugin's")
    .addOption(jsonOption("print one JSON object"))
    .addHelpText(
      "after",
      `
Its README says how to build it. Nothing that is there is overwritten.

Examples:
  remora new
  remora new signalk/typescript depth-watch
  remora new tak/assemblyscript plugins/harbour --json`,
    )
    .action(
      async (
        template: TemplateName | undefined,
        folder: string | undefined,
        { json: isJson }: { json?: true },
        command: Command,
      ) => {
        if (template === undefined) {
          system.out.write(isJson ? `${JSON.stringify({ templates: templateList() })}\n` : templatesText());
          return;
        }
        if (folder === undefined) command.error("error: missing required argument 'folder'");
        const made = await begin(system, template, folder);
        system.out.write(isJson ? `${JSON.stringify(made)}\n` : madeText(made));
      },
    );
}

function templateList() {
  return templateNames.map((name) => {
    const { what, needs, build } = templates[name];
    return { name, what, needs, build };
  });
}

function templatesText(): string {
  const columns = ["template", "what it is", "needs"].map((title) => ({ title, align: "left" }) as const);
  const rows = templateList().map(({ name, what, needs }) => [name, what, needs]);
  return `${tableLines(columns, rows).join("\n")}\n`;
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
    ["next", `cd ${folder} && ${templates[template].build}`],
  ]);
  return `${lines.join("\n")}\n`;
}
