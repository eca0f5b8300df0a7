/** Programs of the suite that do not do what they should, and why. One that begins to pass fails the run. */

export interface KnownFailure {
  /** `rust/dangling_fd` */
  readonly program: string;
  readonly reason: string;
}

export const known: readonly KnownFailure[] = [];
