/**
 * Asynchronous host functions: the guest calls them as any other, and waits for what they promise, while the thread
 * goes on. Which they are is known beforehand, since every export of a guest that may wait gives a promise itself: `async`
 * functions are, and what the host marks.
 */

const asynchronous = new WeakSet<object>();

/** What an `async` function is an instance of; it has no name of its own. */
const AsyncFunction = (async () => {}).constructor as new () => object; // Every constructor is one.

/**
 * Marks a host function that may give a promise, and gives it back. A guest that imports it waits for the promise
 * within the deadline of its call, on which the wall clock runs, and takes no other call meanwhile; all exports of its
 * instance give promises. What the promise rejects with is treated as what a function throws. An `async` function needs no
 * mark; any other that gives a promise does.
 */
export function asyncHostFunction<Callable extends (...args: never[]) => unknown>(
  callable: Callable,
): Callable {
  asynchronous.add(callable);
  return callable;
}

/** Whether a host function was marked, or is one that can give nothing but promises. */
export function isAsyncHostFunction(callable: object): boolean {
  return asynchronous.has(callable) || callable instanceof AsyncFunction;
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

/** For a promise that is refused: whoever is told so is not to be ended by it when it is rejected. */
export function letGoOfPromise(promise: PromiseLike<unknown>): void {
  promise.then(undefined, () => {});
}
