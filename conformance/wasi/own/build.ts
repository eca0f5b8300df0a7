/** Builds the programs that are kept built: `node conformance/wasi/own/build.ts`, after a source has changed. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { buildProgram, builtFolder, builtName, builtPrograms } from "./programs.ts";

mkdirSync(builtFolder, { recursive: true });
for (const { program, preview } of builtPrograms) {
  buildProgram(program, preview, join(builtFolder, builtName(program, preview)));
}
