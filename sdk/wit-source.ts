/** A folder of WIT, read by our own parser, and as one text for tools that take no folder. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseWit, printPackages, type WitPackages } from "remora/component";

/** The packages of `folder`: its own files, and each entry of its `deps/`. */
export function readWit(folder: string): WitPackages {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".wit"),
  );
  const files = paths.map((path) => ({ path, text: readFileSync(join(folder, path), "utf8") }));
  return parseWit(files, { features: "all" });
}

/** The same as one text: the package of the folder, then each other in braces of its own. */
export function witSource(folder: string): string {
  const { root, packages } = readWit(folder);
  return printPackages([root, ...[...packages.values()].filter((each) => each !== root)]);
}
