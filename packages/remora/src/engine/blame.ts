/**
 * Whose failure an error is. A host function may call another guest, and what that one failed with then comes out of the host
 * function: it is no failure of the guest that called the host, whatever the error says of its fault.
 */

import { isRemoraError, type RemoraError } from "../base/index.ts";
import { engineErrors } from "./errors.ts";

/** Errors that have ended a call into an instance. */
const ended = new WeakSet<RemoraError>();

/** Remembers that this error is what a call ended with; gives it back. */
export function endsCall(error: RemoraError): RemoraError {
  ended.add(error);
  return error;
}

/** What a host function threw, for the guest that called it: what has ended another call is a failure of the host's. */
export function thrownByHost(error: RemoraError, plugin: string): RemoraError {
  if (!ended.has(error)) return error;
  return engineErrors["host-failure"]({ plugin, reason: describe(error) }, error);
}

/** What was thrown, in a few words; anything can be, also what cannot be made a text. */
export function describe(error: unknown): string {
  if (isRemoraError(error)) return `${error.code}: ${error.message}`;
  return error instanceof Error ? `${error.name}: ${error.message}` : typeof error;
}
