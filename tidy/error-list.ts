/**
 * Every error of every layer's table, with its sentence, for docs/errors.md. A sentence is a function of facts;
 * here it is given placeholders for facts, so that the document shows what the program will say.
 */

import { basename } from "node:path";
import { pathToFileURL } from "node:url";
import { isRemoraError } from "remora/base";
import { layerOf, layers } from "./layer-table.ts";
import { isSource, root, type Tree } from "./tree.ts";

export interface ListedError {
  readonly code: string;
  readonly fault: string;
  readonly sentence: string;
  /** The table that has it. */
  readonly file: string;
}

/** Loads each `errors.ts` and asks every constructor in it for its sentence. */
export async function listErrors(tree: Tree): Promise<ListedError[]> {
  const found: ListedError[] = [];
  for (const layer of layers) {
    for (const file of tree.values()) {
      const isTable = isSource(file.path) && basename(file.path) === "errors.ts";
      if (!isTable || layerOf(file.path) !== layer || layer.name === "base") continue;
      const loaded: Record<string, unknown> = await import(pathToFileURL(`${root}/${file.path}`).href);
      for (const table of Object.values(loaded)) found.push(...errorsOf(table, file.path));
    }
  }
  return found;
}

/** Empty when the value is no table of error constructors. */
export function errorsOf(table: unknown, file: string): ListedError[] {
  if (typeof table !== "object" || table === null) return [];
  const found: ListedError[] = [];
  for (const [name, make] of Object.entries(table)) {
    if (typeof make !== "function") return [];
    const error: unknown = make(placeholder("details"));
    if (!isRemoraError(error)) throw new Error(`${file}: "${name}" makes no RemoraError`);
    const sentence = error.message.replaceAll("undefined", "…").replaceAll(/\s*\n\s*/g, " ");
    // A placeholder too, where a function of the facts says it.
    const fault = typeof error.fault === "string" ? error.fault : "that of its cause";
    found.push({ code: error.code, fault, sentence, file });
  }
  return found;
}

/** Reads as `‹name›` wherever a string is wanted, and as one element where a list is. */
function placeholder(name: string): unknown {
  const asText = () => `‹${name}›`;
  return new Proxy(() => placeholder(name), {
    get(_, key) {
      if (key === Symbol.toPrimitive) return (hint: string) => (hint === "number" ? Number.NaN : asText());
      if (key === Symbol.iterator) return () => [placeholder(name)].values();
      if (key === "toString" || key === "toJSON" || key === "join") return asText;
      if (key === "map") return (each: (item: unknown) => unknown) => [each(placeholder(name))];
      if (key === "slice" || key === "filter" || key === "sort" || key === "toSorted") {
        return () => placeholder(name);
      }
      return placeholder(
        key === "length" || key === "size" ? "count" : /^\d+$/.test(String(key)) ? name : String(key),
      );
    },
  });
}

const INTRODUCTION = `# Errors

Whatever Remora refuses or fails at on purpose is a \`RemoraError\`: \`code\` is one of those below and stays the same
from version to version, \`details\` has the facts, \`fault\` says who has to act. Compare codes; sentences may
improve. In the sentences here, \`‹name›\` stands for the fact of that name.

| fault | who has to act |
| --- | --- |
| \`guest\` | the author of the plugin: its code failed or went over a limit while it ran |
| \`publisher\` | whoever published the plugin: its file cannot be taken |
| \`operator\` | whoever runs the host: a setting, a grant, a call or an input does not fit |
| \`platform\` | Remora or the host that embeds it |

This file is printed from the tables by \`node tidy/update.ts\`.
`;

export function printErrors(errors: readonly ListedError[]): string {
  const sections = new Map<string, string[]>();
  for (const { code, fault, sentence } of errors) {
    const section = code.slice(0, code.indexOf("/"));
    const rows = sections.get(section) ?? ["| code | fault | sentence |", "| --- | --- | --- |"];
    rows.push(`| \`${code}\` | ${fault} | ${sentence.replaceAll("|", "\\|")} |`);
    sections.set(section, rows);
  }
  return [INTRODUCTION, ...[...sections].map(([name, rows]) => `## ${name}\n\n${rows.join("\n")}\n`)].join(
    "\n",
  );
}
