/** Reads WIT that the operator named: one file, or a folder with its dependencies. */

import type { WitFile } from "remora/component";
import { cliErrors } from "./errors.ts";
import { readInput } from "./read-input.ts";
import type { System } from "./system.ts";

/** All of WASI has 300 kB in some 60 files. */
const FILE_BYTES_MAX = 4 * 1024 * 1024;
const FILES_MAX = 1_000;

/**
 * The `.wit` files below a path, or the one that it is, with paths relative to it.
 *
 * @throws cli/cannot-read    the file system refuses
 * @throws cli/file-too-large one has more than 4 MiB
 * @throws cli/no-wit         there is no `.wit` file, or there are more than 1,000
 */
export async function readWitFiles(system: System, path: string): Promise<WitFile[]> {
  const names = await system.listFiles(path, FILES_MAX * 10);
  // No folder: a file, whose name is its path for messages.
  if (names === undefined) return [{ path, text: await readText(system, path) }];
  const found = names.filter((name) => name.endsWith(".wit")).sort();
  if (found.length === 0 || found.length > FILES_MAX) {
    throw cliErrors["no-wit"]({ path, found: found.length, filesMax: FILES_MAX });
  }
  return Promise.all(
    found.map(async (name) => ({ path: name, text: await readText(system, `${path}/${name}`) })),
  );
}

async function readText(system: System, file: string): Promise<string> {
  return new TextDecoder().decode(await readInput(system, file, FILE_BYTES_MAX));
}
