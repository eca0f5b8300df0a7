/** From TypeScript to a component: the types are taken out, and componentize-qjs puts the rest beside QuickJS. */

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { componentize } from "componentize-qjs";

process.chdir(import.meta.dirname);
const { component } = await componentize({
  witPath: "wit",
  world: "remora:signalk/subscribing-plugin@0.1.0",
  jsSource: stripTypeScriptTypes(await readFile("plugin.ts", "utf8")),
  // The world is all that it reaches: nothing of WASI is left in it.
  stubWasi: true,
  sync: true,
});
await mkdir("build", { recursive: true });
await writeFile("build/plugin.wasm", component);
