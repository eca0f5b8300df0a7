/**
 * Promises that somebody may stop waiting for: a guest that cancels a call, or lets go of a future. Whoever gave the
 * promise can have itself told, to let go of what it keeps for it.
 */

/** @returns whether nothing is kept for the promise any more; else that is over when it is settled */
export type Forget = () => boolean;

const forgetters = new WeakMap<PromiseLike<unknown>, Forget>();

/** @param forget Called at most once, and not after the promise was waited for to its end. */
export function forgettable<Kept extends PromiseLike<unknown>>(promise: Kept, forget: Forget): Kept {
  forgetters.set(promise, forget);
  return promise;
}

/** Nobody waits for it any more. @returns as `Forget`; false when nobody was told */
export function forget(promise: PromiseLike<unknown>): boolean {
  const told = forgetters.get(promise);
  forgetters.delete(promise);
  return told?.() ?? false;
}
