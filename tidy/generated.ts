/** What is printed from the code into the repository: the list of errors, of commands, of names, and the layers. */

import { API_LIST, apiLines } from "./api.ts";
import { printCapabilities } from "./capability-list.ts";
import { printCommands } from "./command-list.ts";
import { listErrors, printErrors } from "./error-list.ts";
import { printLayers, printLayersBriefly, tableMarks } from "./layer-table.ts";
import type { Tree } from "./tree.ts";

/** Path and text of each printed file, as it has to be. */
export async function printAll(tree: Tree): Promise<Map<string, string>> {
  const printed = new Map<string, string>();
  printed.set(API_LIST, `${apiLines(tree).join("\n")}\n`);
  printed.set("docs/errors.md", printErrors(await listErrors(tree)));
  printed.set("docs/capabilities.md", printCapabilities());
  printed.set("docs/commands.md", printCommands());
  for (const [path, print] of Object.entries(layerTables)) {
    const text = tree.get(path)?.text;
    if (text !== undefined) printed.set(path, withLayers(text, print()));
  }
  return printed;
}

/** The documents that show the layers, and how much of the table each shows. */
export const layerTables: Readonly<Record<string, () => string>> = {
  "ARCHITECTURE.md": printLayers,
  "README.md": printLayersBriefly,
};

function withLayers(text: string, table: string): string {
  const from = text.indexOf(tableMarks.begin);
  const to = text.indexOf(tableMarks.end, from);
  if (from < 0 || to < 0) return text;
  return `${text.slice(0, from + tableMarks.begin.length)}\n\n${table}\n\n${text.slice(to)}`;
}
