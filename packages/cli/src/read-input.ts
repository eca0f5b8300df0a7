/** Reads a file that the operator named, and looks for a folder. */

import { unreachable } from "remora/base";
import { cliErrors } from "./errors.ts";
import type { System } from "./system.ts";

const SPECIAL = "it is a pipe, a socket or a device";

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "this account may not read it",
  EISDIR: "it is a folder",
  ELOOP: "its links go round in a circle",
  // Sockets cannot even be opened.
  ENXIO: SPECIAL,
};

/**
 * Whether there is such a folder.
 *
 * @throws cli/cannot-read it may be there, and cannot be seen
 */
export async function hasFolder(system: System, folder: string): Promise<boolean> {
  return await system.hasFolder(folder).catch(refuse(folder));
}

/** Where a path leads, as `System.targetOf` has it. @throws cli/cannot-read */
export async function leadingTo(system: System, path: string): Promise<string> {
  return await system.targetOf(path).catch(refuse(path));
}

function refuse(file: string): (error: unknown) => never {
  return (error) => {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    throw cliErrors["cannot-read"]({ file, reason: REASONS[code] ?? code }, error);
  };
}

/** More than any plugin of ours or of the hosts that we know: a JavaScript engine in a component has 12 MB. */
export const INPUT_BYTES_MAX = 256 * 1024 * 1024;

/**
 * The whole file.
 *
 * @param only `file` for one that the operator did not name: a pipe in its place is refused, not waited for.
 * @throws cli/cannot-read    the file system refuses
 * @throws cli/file-too-large it is longer than 256 MiB
 */
export async function readInput(
  system: System,
  file: string,
  bytesMax: number = INPUT_BYTES_MAX,
  only?: "file",
): Promise<Uint8Array> {
  const found = await system.readFile(file, bytesMax, only);
  switch (found.kind) {
    case "whole":
      return found.bytes;
    case "too-large":
      throw cliErrors["file-too-large"]({ file, bytesMax });
    case "special":
      throw cliErrors["cannot-read"]({ file, reason: SPECIAL });
    case "refused":
      throw cliErrors["cannot-read"]({ file, reason: REASONS[found.code] ?? found.code }, found.cause);
    default:
      return unreachable(found);
  }
}
