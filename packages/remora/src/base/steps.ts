/**
 * Long work in steps of a millisecond or so: whoever goes through them decides what happens in between, and whoever needs the
 * result at once goes through all of them.
 */
export type Steps<Result> = Generator<undefined, Result, undefined>;

/** Does all that is left. @throws what a step throws */
export function finish<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
