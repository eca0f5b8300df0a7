/**
 * Prints again what is printed from the code: `node tidy/update.ts`. Read the difference before you commit it:
 * a public name, an error or a command that changed has changed for everybody.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { printAll } from "./generated.ts";
import { readTree, root } from "./tree.ts";

const tree = readTree();
for (const [path, text] of await printAll(tree)) {
  if (tree.get(path)?.text === text) continue;
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
  console.log(`updated ${path}`);
}
