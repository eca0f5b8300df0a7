/** What planning a component may cost, however often it instantiates what it defines. */

import { componentErrors } from "../errors.ts";

/** What a component may make the host hold when it is planned; all nested instances are counted. */
export interface PlanLimits {
  /** Core and component instances that one instantiation makes. */
  readonly instancesMax: number;
  /** Definitions walked over, those of a component counted each time it is instantiated. */
  readonly stepsMax: number;
}

export const defaultPlanLimits: PlanLimits = { instancesMax: 1_000, stepsMax: 500_000 };

/** What is left of the limits while a component is planned. */
export class PlanBudget {
  readonly #limits: PlanLimits;
  #instances = 0;
  #walked = 0;

  constructor(limits: Partial<PlanLimits>) {
    this.#limits = { ...defaultPlanLimits, ...limits };
  }

  /** @throws component/limit before one instance more than allowed is planned */
  instance(offset: number): void {
    const { instancesMax } = this.#limits;
    if (++this.#instances > instancesMax)
      throw componentErrors.limit({ what: "instances", max: instancesMax, offset });
  }

  /** @throws component/limit when one definition more than allowed is walked over */
  step(offset: number): void {
    const { stepsMax } = this.#limits;
    if (++this.#walked > stepsMax)
      throw componentErrors.limit({ what: "definitions to instantiate", max: stepsMax, offset });
  }
}
