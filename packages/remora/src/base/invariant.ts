/** Our own mistakes, as opposed to those of a guest, a publisher or an operator: these are bugs in Remora. */

/** Throws when something that our code guarantees does not hold. Never for input: that gets a coded error. */
export function invariant(holds: boolean, claim: string): asserts holds {
  if (!holds) throw new Error(`Invariant broken: ${claim}`);
}

/** Ends a `switch` over a union: the compiler complains when a case is missing. */
export function unreachable(value: never): never {
  throw new Error(`Invariant broken: unexpected case ${String(value)}`);
}
