/** Every command's help, for docs/commands.md: the document is what the program itself prints. */

import type { Command } from "commander";
import { buildProgram, withSubcommands } from "../packages/cli/src/program.ts";
import type { System } from "../packages/cli/src/system.ts";

const INTRODUCTION = `# Commands

What \`remora\` understands, as \`remora --help\` and \`remora COMMAND --help\` print it. In the repository, write
\`npx remora\` for \`remora\`; \`npm start\` is \`remora demo\`.

This file is printed from the program by \`node tidy/update.ts\`.
`;

/** Help asks nothing of the machine and starts no host. */
function neverUsed(): never {
  throw new Error("Invariant broken: printing help used the machine");
}

const output = { write: neverUsed, failure: neverUsed, isTerminal: false, columns: 100, rows: 24 };
const system: System = {
  out: output,
  err: output,
  readFile: neverUsed,
  targetOf: neverUsed,
  listFiles: neverUsed,
  writeFile: neverUsed,
  removeFile: neverUsed,
  alone: neverUsed,
  makeFolder: neverUsed,
  configFolder: "",
  pluginFolder: "",
  hostPackages: [],
  hasFolder: neverUsed,
  ask: neverUsed,
  watch: neverUsed,
  nowMs: neverUsed,
  every: neverUsed,
  onStop: neverUsed,
};

/** With the names of the commands that it belongs to: `remora keys list`. */
function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;
}

export function printCommands(): string {
  const program = buildProgram(system, {
    startTak: neverUsed,
    startDemo: neverUsed,
    openHouse: neverUsed,
    serve: neverUsed,
  });
  const commands = withSubcommands(program).map((command) => {
    command.configureHelp({ helpWidth: 100 });
    const help: string[] = [];
    command.configureOutput({ writeOut: (text) => help.push(text), getOutHelpWidth: () => 100 });
    command.outputHelp();
    return { name: nameOf(command), help: help.join("") };
  });
  const sections = commands.map(({ name, help }) => `## ${name}\n\n\`\`\`text\n${help.trimEnd()}\n\`\`\`\n`);
  return [INTRODUCTION, ...sections].join("\n");
}
