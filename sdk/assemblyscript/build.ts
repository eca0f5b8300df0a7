/**
 * From a plugin in AssemblyScript to a component, with npm packages alone: compile and wrap. The world's glue is compiled as
 * the entry; it imports what the plugin's file exports.
 */

import { readFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import asc from "assemblyscript/asc";
import { CompileError } from "../compile-error.ts";
import { type WorldRef, wrap } from "../wrap.ts";

const guestLibrary = join(import.meta.dirname, "assembly");
const glueFolder = join(import.meta.dirname, "worlds");

export interface PluginSource extends WorldRef {
  /** The plugin's file; it exports the functions that its world's glue imports. */
  readonly entry: string;
}

/** Builds one plugin; gives the bytes of a component. */
export async function buildComponent(source: PluginSource): Promise<Uint8Array> {
  const { world, witFolder } = source;
  return wrap(await compile(source), { world, witFolder, stringEncoding: "utf16" });
}

/** Builds a core module with AssemblyScript's own exports, for hosts whose plugins are some. */
export async function buildModule(entry: string): Promise<Uint8Array> {
  return runCompiler(dirname(entry), basename(entry), ["--exportRuntime"], new Map());
}

/** AssemblyScript to a core module, whose exports have the names of the glue's functions. */
async function compile(source: PluginSource): Promise<Uint8Array> {
  const folder = dirname(source.entry);
  const gluePath = glueFor(source.world);
  const glue = await readFile(gluePath, "utf8");
  // Stands beside the plugin, for the compiler alone, so that its imports resolve like the plugin's own.
  const glueFile = join(folder, basename(gluePath).replace(/\.ts$/, ".world.ts"));
  const plugin = `./${relative(folder, source.entry).replace(/\.ts$/, "")}`;
  // Without a host function for it, a failed assertion is a trap.
  const options = ["--lib", guestLibrary, "--use", "abort="];
  const given = new Map([[glueFile, glue.replace(`"plugin"`, JSON.stringify(plugin))]]);
  return runCompiler(folder, relative(folder, glueFile), options, given);
}

/** @param given Files that are not on disk, by their path. */
async function runCompiler(
  folder: string,
  entry: string,
  options: readonly string[],
  given: ReadonlyMap<string, string>,
): Promise<Uint8Array> {
  let binary: Uint8Array | undefined;
  const printed: string[] = [];
  const output = { write: (text: string | Uint8Array) => void printed.push(String(text)) };
  const { error } = await asc.main(
    [
      entry,
      ...["--baseDir", folder, "--outFile", "plugin.wasm"],
      ...["--runtime", "incremental", "-O3s", "--converge"],
      ...options,
    ],
    {
      stdout: output,
      stderr: output,
      readFile: (name, base) => {
        const path = join(base, name);
        return given.get(path) ?? readFile(path, "utf8").catch(() => null);
      },
      writeFile: (_name, contents) => {
        if (typeof contents !== "string") binary = contents;
      },
      listFiles: () => [],
    },
  );
  if (error !== null || binary === undefined) throw new CompileError(printed.join(""));
  return binary;
}

/** `remora:tak/lazy-filter@0.1.0` → `worlds/remora-tak/lazy-filter.ts`. */
function glueFor(world: string): string {
  const match = /^([^:]+):([^/]+)\/([^@]+)/.exec(world);
  if (match === null) {
    throw new TypeError(`Cannot build for "${world}": a world is written "namespace:package/world@version"`);
  }
  return join(glueFolder, `${match[1]}-${match[2]}`, `${match[3]}.ts`);
}
