/** What `loading.ts` finds in its folder, and what it says of it. */

/** Milliseconds of each, in the order in which they were loaded. */
export interface Loaded {
  readonly small: readonly number[];
  readonly large: readonly number[];
}

export const loadedOfEach = 15;

/** What the `run` of the first adds; the next adds one more. */
export const firstConstant = 1_000;

export const fileOf = (size: keyof Loaded, at: number): string => `${size}-${at}.bundle`;
