/**
 * Asynchronous host functions: the guest calls them as any other, and waits for what they promise, while the thread
 * goes on. The host says which they are, since every export of a guest that may wait gives a promise itself.
 */

const asynchronous = new WeakSet<object>();

/**
 * Marks a host function that may give a promise, and gives it back. A guest that imports it waits for the promise
 * within the deadline of its call, on which the wall clock runs, and takes no other call meanwhile; all exports of its
 * instance give promises. What the promise rejects with is treated as what a function throws.
 */
export function asyncHostFunction<Callable extends (...args: never[]) => unknown>(
  callable: Callable,
): Callable {
  asynchronous.add(callable);
  return callable;
}

/** Whether a host function was marked. */
export function isAsyncHostFunction(callable: object): boolean {
  return asynchronous.has(callable);
}
