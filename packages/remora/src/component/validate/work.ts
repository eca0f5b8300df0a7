/**
 * How much validating one component may cost. Each check is linear in what it looks at, but the publisher chooses how
 * often the same large thing is looked at: a hundred thousand instances of a component with as many exports.
 */

import { componentErrors } from "../errors.ts";

/** Types and names looked at; a component of 1.3 MB takes some thousands. */
const stepsMax = 3_000_000;

export class Work {
  #left = stepsMax;

  /** @throws component/limit when all is spent */
  step(offset: number): void {
    if (this.#left-- <= 0) {
      throw componentErrors.limit({ what: "steps to validate", max: stepsMax, offset });
    }
  }
}
