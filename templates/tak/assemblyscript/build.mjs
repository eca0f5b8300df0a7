/**
 * From AssemblyScript to a component of the world in `wit/`: compiles `assembly/world.ts`, which imports the plugin,
 * under the names of the canonical ABI, and wraps the module. The component is `build/plugin.wasm`.
 */

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { componentEmbed, componentNew } from "@bytecodealliance/jco-transpile/wasm-tools";
import asc from "assemblyscript/asc";

const world = "omnitak:plugin/filter-plugin@0.1.0";

/** What `assembly/world.ts` exports, and what the world calls it: AssemblyScript has no such names. */
const canonicalNames = {
  filter_evaluate: "omnitak:plugin/filter@0.1.0#evaluate",
  filter_describe: "omnitak:plugin/filter@0.1.0#describe",
  filter_getMetadata: "omnitak:plugin/filter@0.1.0#get-metadata",
};

/** A step of the compiler, which hands its `binaryen` to what is a class. */
class CanonicalNames {
  /** @param module Binaryen's, before it is optimised. */
  afterCompile(module) {
    for (const [written, canonical] of Object.entries(canonicalNames)) {
      const { value } = this.binaryen.getExportInfo(module.getExport(written));
      module.removeExport(written);
      module.addFunctionExport(value, canonical);
    }
  }
}

process.chdir(import.meta.dirname);
const embedded = await componentEmbed({
  binary: await compile(),
  witSource: await readFile("wit/plugin.wit", "utf8"),
  world,
  stringEncoding: "utf16",
});
await mkdir("build", { recursive: true });
await writeFile("build/plugin.wasm", await componentNew(embedded));

async function compile() {
  let binary;
  const { error, stderr } = await asc.main(
    [
      ...["assembly/world.ts", "--outFile", "plugin.wasm", "--lib", "library"],
      // Without a host function for it, a failed assertion is a trap.
      ...["--use", "abort=", "--runtime", "incremental", "-O3s", "--converge"],
    ],
    {
      transforms: [CanonicalNames],
      writeFile: (_name, contents) => {
        binary = contents;
      },
    },
  );
  if (error !== null || binary === undefined) {
    console.error(stderr.toString());
    process.exit(1);
  }
  return binary;
}
