/**
 * What the sandbox needs of a running instance. The engine gives it; here nothing names `WebAssembly`.
 */

import type { RemoraError } from "../base/index.ts";

export interface GuestMemory {
  /** All bytes of the guest's first memory as it is now; a new view after it grew. Called in host calls only. */
  view(): Uint8Array;
  /** To be called after bytes of the view were changed. */
  wrote?(at: number, length: number): void;
}

export interface Guest {
  /** Read when a core module calls; a component has no need of it. */
  readonly memory: GuestMemory;
  /** Ends the running call with this error; the guest cannot catch it. */
  abort(error: RemoraError): never;
}
