/**
 * Calls that their caller may lose interest in. A guest is asked to end such a call, by what the specification has for
 * it (CanonicalABI.md, "Task.request_cancellation"), and may go on; whoever asked need not wait for that for long.
 */

import { componentErrors } from "../errors.ts";

/** As much of an `AbortSignal` as is used here: this layer knows no platform. */
export interface CancelSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

type Abortable = (args: readonly unknown[], signal: CancelSignal, self?: unknown) => Promise<unknown>;

const known = new WeakMap<object, Abortable>();

/** Makes an export known as one whose calls can be aborted, and gives it back. */
export function withAbort<Callable extends object>(callable: Callable, call: Abortable): Callable {
  known.set(callable, call);
  return callable;
}

/** Makes a function that only hands its arguments on to another one known like that one, and gives it back. */
export function withAbortOf<Callable extends object>(
  callable: Callable,
  other: object,
  handOn: (
    args: readonly unknown[],
    self: unknown,
  ) => { readonly args: readonly unknown[]; readonly self?: unknown },
): Callable {
  const call = known.get(other);
  if (call === undefined) return callable;
  return withAbort(callable, (given, signal, givenSelf) => {
    const { args, self } = handOn(given, givenSelf);
    return call(args, signal, self);
  });
}

/**
 * The same export, whose calls end when the signal is aborted: with `component/cancelled`, which has the signal's reason
 * as its cause.
 *
 * A call that stands in line never begins. A guest in the middle of one is asked to end it: by its callback, or where it
 * waits and can be cancelled. If it does, its instance is as good as before; it may also give its result, which is then
 * what the call gives. After a tenth of a second the call is ended without it, and the instance is gone; so is
 * that of a core module at once, which has no way to be asked.
 *
 * @param callable A function among the exports of an instance, or a method of an object of the guest's, that gives a
 *                 promise. A method is called with its object: `abortable(thing.find, signal).call(thing, "harbour")`.
 * @throws TypeError it is none
 *
 * @example
 * const search = abortable(instance.exports.search, AbortSignal.timeout(500));
 * const found = await search("harbour");
 */
export function abortable<Callable extends (...args: never[]) => unknown>(
  callable: Callable,
  signal: CancelSignal,
): Callable {
  const call = known.get(callable);
  if (call === undefined) throw new TypeError("Only an export that gives a promise can be aborted");
  const bound = function (this: unknown, ...args: unknown[]) {
    return call(args, signal, this);
  };
  return bound as unknown as Callable; // It takes and gives what the export does.
}

/**
 * Calls an export while somebody wants its result: as `abortable`, and one that gives its result at once is only kept
 * from beginning.
 *
 * @throws component/cancelled the signal is aborted already
 */
export function callWhileWanted(
  callable: (...args: unknown[]) => unknown,
  args: readonly unknown[],
  signal: CancelSignal,
): unknown {
  const call = known.get(callable);
  if (call !== undefined) return call(args, signal);
  if (signal.aborted) throw componentErrors.cancelled({ afterMs: undefined }, signal.reason);
  return callable(...args);
}

/**
 * Calls, and tells `withdraw` when the signal is aborted before the call is over.
 *
 * @throws component/cancelled it is aborted already
 */
export async function untilAborted<Result>(
  signal: CancelSignal,
  call: () => Promise<Result>,
  withdraw: () => void,
): Promise<Result> {
  if (signal.aborted) throw componentErrors.cancelled({ afterMs: undefined }, signal.reason);
  signal.addEventListener("abort", withdraw);
  try {
    return await call();
  } finally {
    signal.removeEventListener("abort", withdraw);
  }
}
