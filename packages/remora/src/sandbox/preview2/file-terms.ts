/** What files and listings have in common in `wasi:filesystem`: types and failures in the interface's terms. */

import { ComponentError } from "../../component/index.ts";
import { FsError } from "../fs/errno.ts";
import type { NodeType } from "../fs/volume.ts";

/** The enum `descriptor-type`. */
export const types: Readonly<Record<NodeType, string>> = {
  file: "regular-file",
  folder: "directory",
  link: "symbolic-link",
  other: "unknown",
};

/** An errno as the error half of a result. */
export function coded(error: FsError): ComponentError<string> {
  return new ComponentError(error.code);
}

/** Runs what may fail as a file: its errno is the error code of the interface. */
export function inCodes<Result>(act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    throw error instanceof FsError ? coded(error) : error;
  }
}
