import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  buildablePreviews,
  buildProgram,
  builtName,
  checkProgram,
  ownPrograms,
  previews,
} from "./programs.ts";

for (const program of ownPrograms) {
  const buildable = buildablePreviews(program);
  for (const preview of previews) {
    if (preview === "preview2" && program.source.endsWith(".c")) continue; // Debian's wasi-libc knows preview 1 alone
    if (program.previews?.includes(preview) === false) continue;
    const name = builtName(program, preview);
    const skip = buildable.includes(preview) ? false : "its compiler, or that target of it, is not here";
    test(`${program.source}, built here for ${preview}, runs unchanged on a directory`, {
      skip,
    }, async () => {
      const folder = mkdtempSync(join(tmpdir(), "remora-own-"));
      try {
        const path = join(folder, name);
        buildProgram(program, preview, path);
        const bytes = readFileSync(path);
        rmSync(path);
        await checkProgram(program, { name, preview, bytes, root: { folder } });
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  }
}
