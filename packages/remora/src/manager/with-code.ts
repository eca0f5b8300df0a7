/**
 * What goes on by itself has nobody to throw to, and tells what it met. An error that has no code is a mistake of ours or of
 * the host's: it must neither end the host nor go unseen.
 */

import { isRemoraError, type RemoraError } from "../base/index.ts";
import { managerErrors } from "./errors.ts";

export function withCode(error: unknown, plugin: string): RemoraError {
  if (isRemoraError(error)) return error;
  const reason =
    error instanceof Error ? `${error.name}: ${error.message}` : `something was thrown: ${typeof error}`;
  return managerErrors.unexpected({ plugin, reason }, error);
}
