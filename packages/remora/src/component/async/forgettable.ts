/**
 * Promises that somebody may stop waiting for: a guest that cancels a call, or lets go of a future. Whoever gave the
 * promise can have itself told, to let go of what it keeps for it.
 */

const forgetters = new WeakMap<PromiseLike<unknown>, () => void>();

/** @param forget Called at most once, and not after the promise was waited for to its end. */
export function forgettable<Kept extends PromiseLike<unknown>>(promise: Kept, forget: () => void): Kept {
  forgetters.set(promise, forget);
  return promise;
}

/** Nobody waits for it any more. @returns whether somebody was told */
export function forget(promise: PromiseLike<unknown>): boolean {
  const told = forgetters.get(promise);
  forgetters.delete(promise);
  told?.();
  return told !== undefined;
}
