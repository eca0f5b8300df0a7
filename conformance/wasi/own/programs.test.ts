import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { builtFolder, builtName, builtPrograms, checkProgram } from "./programs.ts";

for (const { program, preview } of builtPrograms) {
  const name = builtName(program, preview);
  test(`${name} runs, in a root of its own, as its source says`, async () => {
    await checkProgram(program, { name, preview, bytes: readFileSync(join(builtFolder, name)), root: "own" });
  });
}
