/** What came of a command: what its handler says, or that it could not. */

import { isRemoraError } from "remora/base";
import { failureStatus } from "../failure-status.ts";
import type { PutRegistration, PutResult } from "../server-port.ts";

/** A handler that fails has completed the command, with a number that says how. */
export async function putResult({ handle }: PutRegistration, value: unknown): Promise<PutResult> {
  try {
    return await handle(value);
  } catch (error) {
    if (!isRemoraError(error)) throw error;
    return { state: "COMPLETED", statusCode: failureStatus(error), message: error.message };
  }
}
