/**
 * A guest that the manager asks something, the same wherever it is. A conversation is written once, and each of its
 * questions may be answered at once or by a promise: it has its result at once when all of them were.
 */

import type { Instance, IsolatedInstance } from "../../engine/index.ts";

export interface AskedGuest {
  /** Whether it exports a function by that name. */
  has(path: string | readonly string[]): boolean;
  /** Gives the result, or a promise of it: to be yielded. @throws as `Instance.call` */
  call(path: string | readonly string[], args: readonly unknown[]): unknown;
  /** Gives a copy of a piece of a core module's memory, or a promise of it; undefined when it does not lie in it. */
  readMemory(at: number, length: number): unknown;
  /** Puts bytes there. Gives whether they lie in it, or a promise of that. */
  writeMemory(at: number, bytes: Uint8Array): unknown;
}

/** A conversation. What it yields is handed back to it when it is there. */
export type Asking<Result> = Generator<unknown, Result, unknown>;

/** Leads a conversation. @returns Its result, by a promise only when one of its questions was answered by one. */
export function lead<Result>(asking: Asking<Result>): Result | Promise<Result> {
  return goOn(asking, asking.next());
}

function goOn<Result>(
  asking: Asking<Result>,
  first: IteratorResult<unknown, Result>,
): Result | Promise<Result> {
  let step = first;
  while (step.done !== true) {
    const { value } = step;
    if (value instanceof Promise) {
      return value.then(
        (answer) => goOn(asking, asking.next(answer)),
        (error) => goOn(asking, asking.throw(error)),
      );
    }
    step = asking.next(value);
  }
  return step.value;
}

/** One on this thread: it answers at once, unless a host function that it imports is asynchronous. */
export function onThread(instance: Instance): AskedGuest {
  const piece = (at: number, length: number) => {
    const buffer = instance.kind === "module" ? instance.memory?.buffer : undefined;
    if (at + length > (buffer?.byteLength ?? 0)) return undefined;
    // The buffer is taken after the guest ran: growth replaces it.
    return new Uint8Array(buffer as ArrayBuffer, at, length);
  };
  return {
    has: (path) => instance.has(path),
    call: (path, args) => instance.call(path, args).result,
    readMemory: (at, length) => piece(at, length)?.slice(),
    writeMemory(at, bytes) {
      const room = piece(at, bytes.length);
      room?.set(bytes);
      return room !== undefined;
    },
  };
}

/** One behind a wall: it answers by promises, and its memory is read and written piece by piece. */
export function behindWall(guest: IsolatedInstance): AskedGuest {
  return {
    has: (path) => guest.has(path),
    call: async (path, args) => (await guest.call(path, args)).result,
    readMemory: (at, length) => guest.readMemory(at, length),
    writeMemory: (at, bytes) => guest.writeMemory(at, bytes),
  };
}
