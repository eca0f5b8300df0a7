// A transformer answers `result<list<u8>, string>`: the bytes, or why there are none.

let reason: string | null = null;

/** Says why there is no result: `return fail("there is no detail element")`. */
export function fail(why: string): Uint8Array {
  reason = why;
  return new Uint8Array(0);
}

/** The reason of the call that just returned, which is forgotten by asking; null when it succeeded. */
export function takeFailure(): string | null {
  const taken = reason;
  reason = null;
  return taken;
}
