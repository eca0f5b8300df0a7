/**
 * Host functions that may take longer than some microseconds. A guest spends no fuel while it waits for one, so the
 * clock has to be looked at when it goes on; for a getter that takes nanoseconds that look would cost more than the
 * call, which is why the host says which functions are slow.
 */

const slow = new WeakSet<object>();

/**
 * Marks a host function as slow and gives it back: the deadline of a call starts to run before it at the latest, and
 * a guest that is late when it returns is stopped at its first check after it.
 */
export function slowHostFunction<Callable extends (...args: never[]) => unknown>(
  callable: Callable,
): Callable {
  slow.add(callable);
  return callable;
}

/** Marks all functions of an interface, and all methods of its classes. */
export function slowHostInterface<Interface extends Readonly<Record<string, unknown>>>(
  host: Interface,
): Interface {
  for (const item of Object.values(host)) {
    if (typeof item !== "function") continue;
    slow.add(item);
    // A class has its methods in its prototype; an arrow function has none.
    const prototype: unknown = item.prototype;
    if (typeof prototype !== "object" || prototype === null) continue;
    for (const key of Object.getOwnPropertyNames(prototype)) {
      const method: unknown = Object.getOwnPropertyDescriptor(prototype, key)?.value;
      if (typeof method === "function") slow.add(method);
    }
  }
  return host;
}

/** Whether a host function was marked. */
export function isSlowHostFunction(callable: object): boolean {
  return slow.has(callable);
}
