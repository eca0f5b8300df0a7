/** What TCP and UDP have in common in `wasi:sockets`: the network resource, and failures in the interface's terms. */

import { ComponentError } from "../../component/index.ts";
import { SocketError } from "../net/sockets.ts";
import { StreamFailure } from "./streams.ts";

/** The resource `network`: it stands for what is granted, and holds nothing. */
export class Network {}

/** Runs what may fail as a socket: its problem is the error code of the interface. */
export function inCodes<Result>(act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    throw error instanceof SocketError ? new ComponentError(error.problem) : error;
  }
}

/** The same inside of a stream, which tells such a failure as an error of its own. */
export function inFailures<Result>(act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    throw error instanceof SocketError ? new StreamFailure(error.problem, error.problem) : error;
  }
}

/** What every numeric option of a socket asks for. */
export function checkPositive(value: bigint | number): void {
  if (BigInt(value) === 0n) throw new ComponentError("invalid-argument");
}

/** Gives a resource class methods that answer `not-supported`. */
export function notSupported(Class: { readonly prototype: object }, names: readonly string[]): void {
  const value = (): never => {
    throw new ComponentError("not-supported");
  };
  for (const name of names) Object.defineProperty(Class.prototype, name, { value });
}
