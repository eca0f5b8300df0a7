/**
 * Calls that stood in line when their version was replaced or stopped: nothing of them ran, so that another version can
 * answer them, or nobody.
 */

import type { RemoraError } from "../base/index.ts";

const errors = new WeakSet<object>();

/** Marks what such a call is answered with. */
export function turnedAway(error: RemoraError): RemoraError {
  errors.add(error);
  return error;
}

export function isTurnedAway(error: unknown): boolean {
  return typeof error === "object" && error !== null && errors.has(error);
}
