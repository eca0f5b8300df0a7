/** What of the suite does not pass, and why. */

export interface KnownFailure {
  readonly file: string;
  /** Lines on which the failing commands begin; `all` for a file of which nothing is expected to pass. */
  readonly lines: readonly number[] | "all";
  readonly reason: string;
}

export const known: readonly KnownFailure[] = [];
