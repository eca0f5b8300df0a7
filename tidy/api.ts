/** The names that importers can use, entry by entry: what `tidy/api.txt` lists and `api.test.ts` compares. */

import type { Finding } from "./finding.ts";
import { type Layer, layers } from "./layer-table.ts";
import { exportsOf } from "./scan.ts";
import type { Tree } from "./tree.ts";

/** One line a name, `remora/base defineErrors`; types are marked. */
export function apiLines(tree: Tree, table: readonly Layer[] = layers): string[] {
  const lines: string[] = [];
  for (const layer of table) {
    const file = tree.get(`${layer.folder}/index.ts`);
    if (file === undefined) continue;
    for (const { name, isType } of exportsOf(file.text, file.code)) {
      lines.push(`${layer.entry} ${name}${isType ? " (type)" : ""}`);
    }
  }
  return lines.sort();
}

export const API_LIST = "tidy/api.txt";

/** What was added or taken away without being accepted. */
export function apiFindings(tree: Tree, table: readonly Layer[] = layers): Finding[] {
  const accepted = (tree.get(API_LIST)?.text ?? "").split("\n").filter((line) => line !== "");
  const actual = apiLines(tree, table);
  const finding = (name: string, what: string): Finding => ({
    file: API_LIST,
    line: Math.max(1, accepted.indexOf(name) + 1),
    what: `"${name}" ${what}`,
    why: "and public names change on purpose",
    instead: "undo it, or accept it with `node tidy/update.ts` and a line in CHANGELOG.md",
  });
  return [
    ...actual.filter((name) => !accepted.includes(name)).map((name) => finding(name, "is new")),
    ...accepted.filter((name) => !actual.includes(name)).map((name) => finding(name, "is gone")),
  ];
}
