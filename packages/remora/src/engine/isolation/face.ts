/**
 * What a remote instance is made of on the host's side: names of exports to numbers and packets, and calls of the host
 * to host functions. Components and core modules have different faces; the rest is the same for both.
 */

import type { Message } from "./protocol.ts";

/** An exported function. */
export interface RemoteFunction {
  readonly number: number;
  /** @throws component/type-mismatch TypeError an argument of this one call does not fit */
  check(row: readonly unknown[]): void;
  /** @throws component/type-mismatch TypeError an argument does not fit */
  write(rows: readonly (readonly unknown[])[]): Uint8Array;
  /** The results of `count` calls; throws anything when the bytes are no such packet. */
  read(bytes: Uint8Array, count: number): unknown[];
}

/** What a face asks of its instance: for objects of the guest's that the host has. */
export interface FaceOwner {
  /** Calls a function within the instance's limits. */
  call(called: RemoteFunction, args: readonly unknown[]): Promise<unknown>;
  /** Lets go of the guest's resource with this number, of this type. */
  release(resource: number, number: number): void;
}

export interface Face {
  /** To be called once, before anything else. */
  attach(owner: FaceOwner): void;
  /** @throws component/no-such-export */
  find(path: readonly string[]): RemoteFunction;
  /**
   * Does what the guest asks of the host, and makes the payload of the answer: now, or when a promise is kept.
   *
   * @throws ForgedMessage what came is no call of a host function
   * @throws RemoraError   what ends the guest
   */
  hostCall(call: Message): Uint8Array | Promise<Uint8Array>;
  /** To be asked when the arguments of a call are written: takes back what they lend, when the call is over. */
  lendings(): () => void;
}

/** What comes from the guest's side is not what it can send. */
export class ForgedMessage extends Error {
  override readonly name = "ForgedMessage";
}
