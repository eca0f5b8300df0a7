/**
 * From a plugin in TypeScript, one file, to a component: the types are taken out, and componentize-qjs puts the rest
 * beside QuickJS. The tool weighs 38 MB, so that the first build that wants it installs it from its lock file.
 */

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { CompileError } from "../compile-error.ts";
import type { WorldRef } from "../wrap.ts";

export interface TypeScriptPlugin extends WorldRef {
  /** The plugin's file. It exports an object for each interface that its world exports, and imports those of the host. */
  readonly entry: string;
}

const run = promisify(execFile);
const installMsMax = 240_000;
const buildMsMax = 120_000;

/** A reason for leaving a plugin out, or nothing: the tool is installed where it is not yet. */
export async function missingTool(): Promise<string | undefined> {
  if (existsSync(join(import.meta.dirname, "node_modules/componentize-qjs"))) return undefined;
  const install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
  return run("npm", install, { cwd: import.meta.dirname, timeout: installMsMax }).then(
    () => undefined,
    (error: Error) => `componentize-qjs cannot be installed: ${error.message.split("\n").at(-1)}`,
  );
}

/** @throws CompileError what the tool says */
export async function buildComponent({ entry, world, witFolder }: TypeScriptPlugin): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), "remora-typescript-"));
  try {
    const output = join(folder, "plugin.wasm");
    // A process of its own: the tool is native code, and holds its thread up for seconds.
    const script = join(import.meta.dirname, "componentize.ts");
    const args = ["--disable-warning=ExperimentalWarning", script, entry, world, witFolder, output];
    await run(process.execPath, args, { timeout: buildMsMax }).catch((cause: Error) => {
      throw new CompileError(cause.message);
    });
    return await readFile(output);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
