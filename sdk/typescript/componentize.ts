/** The part of the build that has a process of its own: `node sdk/typescript/componentize.ts ENTRY WORLD WITS OUTPUT`. */

import { readFile, writeFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";

interface Componentizer {
  componentize(options: {
    readonly witPath: string;
    readonly world: string;
    readonly jsSource: string;
    readonly stubWasi: boolean;
    readonly sync: boolean;
  }): Promise<{ readonly component: Uint8Array }>;
}

const [entry = "", world = "", witPath = "", output = ""] = process.argv.slice(2);
const name = "componentize-qjs"; // installed beside this file by the build, and by nobody else
const { componentize }: Componentizer = await import(name);
const { component } = await componentize({
  witPath,
  world,
  jsSource: stripTypeScriptTypes(await readFile(entry, "utf8")),
  // Its world is all that a plugin reaches: nothing of WASI is left in it.
  stubWasi: true,
  sync: true,
});
await writeFile(output, component);
