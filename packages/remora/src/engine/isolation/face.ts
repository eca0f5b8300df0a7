/**
 * What a remote instance is made of on the host's side: names of exports to numbers and packets, and calls of the host
 * to host functions. Components and core modules have different faces; the rest is the same for both.
 */

import type { CancelSignal, CoreFunction } from "../../component/index.ts";
import type { ValueType } from "../../component/types.ts";
import type { EndsPeer } from "./crossing-ends.ts";
import type { Message } from "./protocol.ts";

/** An exported function. */
export interface RemoteFunction {
  readonly number: number;
  /** Of a function of a core module. */
  readonly parameterCount?: number;
  /** Of an asynchronous component: it is called by `RemoteTasks`. */
  readonly isTask: boolean;
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
  call(called: RemoteFunction, args: readonly unknown[], signal?: CancelSignal): Promise<unknown>;
  /** Lets go of the guest's resource with this number, of this type. */
  release(resource: number, number: number): void;
  /** Asks for values of the guest's streams and futures. */
  readonly ends: EndsPeer;
}

/** What guests of asynchronous components do with the host. */
export interface FaceTasks {
  /** Calls a host function of asynchronous type. */
  serve(item: number, payload: Uint8Array): Served;
  /** The next value of a stream of the host's, or the value of a future. */
  nextValue(number: number): Served;
  /** The guest lets go of a stream of the host's; or nobody is there any more. */
  letGo(number: number): void;
  letGoOfAll(): void;
  /** As `IsolatedInstance.onceQuiet`. */
  onceQuiet(act: () => void): boolean;
  /** One value of a type out of a payload; throws anything when it is none. */
  readValue(type: ValueType | undefined, payload: Uint8Array): unknown;
}

/** What becomes of something that a guest asked. */
export interface Served {
  /** As what an event says: how it ended, and a payload of its own. */
  readonly answer: Promise<{ readonly item?: number; readonly payload?: Uint8Array }>;
  /** Nobody waits for it any more: takes back what was lent to the host for it. @returns whether nothing is kept for it then */
  forget(): boolean;
}

export interface Face {
  /** Milliseconds that a guest has for a call which is cancelled before it is ended. */
  readonly cancelGraceMs: number;
  /** To be called once, before anything else. */
  attach(owner: FaceOwner): void;
  /**
   * What the path names: a function of the guest's, or one of the host's own that is exported again.
   *
   * @throws component/no-such-export
   */
  find(path: readonly string[]): RemoteFunction | CoreFunction;
  /**
   * Does what the guest asks of the host, and makes the payload of the answer: now, or when a promise is kept.
   *
   * @throws ForgedMessage what came is no call of a host function
   * @throws RemoraError   what ends the guest
   */
  hostCall(call: Message): Uint8Array | Promise<Uint8Array>;
  /** What else the answer is to say, once. */
  takeNext?(): Partial<Message> | undefined;
  /** Undefined for what is not asynchronous. */
  readonly tasks?: FaceTasks;
  /** To be asked when the arguments of a call are written: takes back what they lend, when the call is over. */
  lendings(): () => void;
  /** The guest is gone: disposes of what it owned of the host's. */
  close(): void;
}

/** What comes from the guest's side is not what it can send. */
export class ForgedMessage extends Error {
  override readonly name = "ForgedMessage";
}
