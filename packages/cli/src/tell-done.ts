/** Several changes by one command: what was done is told also when another one fails. */

import type { ChangeView } from "@remora/admin";
import { isRemoraError } from "remora/base";
import { type ConsentChoice, consentFrom } from "./consent.ts";
import type { ConsentPolicy } from "./consent-policy.ts";
import { errorText } from "./error-text.ts";
import type { House } from "./house.ts";
import { changeText } from "./plugin-text.ts";
import type { System } from "./system.ts";

/** A change that was made or waits for consent, and how it is made again after that. */
export interface Begun {
  readonly change: ChangeView;
  readonly again: () => Promise<ChangeView>;
}

export interface Outcome extends ConsentChoice {
  readonly begun: readonly Begun[];
  /** What the other changes failed with. */
  readonly failures: readonly unknown[];
  readonly policy: ConsentPolicy | undefined;
}

/**
 * Asks for the consent that the changes wait for, and tells those that are made.
 *
 * @throws the last of the failures, or of what could not be given; those before it are told
 */
export async function tellChanges(
  system: System,
  house: House,
  { begun, policy, ...outcome }: Outcome,
): Promise<void> {
  const failures = [...outcome.failures];
  const done: ChangeView[] = [];
  for (const { change, again } of begun) {
    try {
      done.push(await consentFrom(system, house, change, again, outcome, policy));
    } catch (error) {
      // Thrown below, behind what was done.
      failures.push(error);
    }
  }
  if (done.length > 0 || failures.length === 0) {
    system.out.write(outcome.json ? `${JSON.stringify({ plugins: done })}\n` : done.map(changeText).join(""));
  }
  const last = failures.pop();
  if (last === undefined) return;
  for (const one of failures) tellFailure(system, one);
  throw last;
}

/** What the command goes on after. Our own mistakes end it. */
export function tellFailure(system: System, error: unknown): void {
  if (!isRemoraError(error)) throw error;
  system.err.write(errorText(error));
}

/** Acts on each in order, and tells which that was done to; the first that fails ends it. */
export async function actOnEach(
  names: readonly string[],
  act: (name: string) => Promise<void>,
  tell: (done: readonly string[]) => void,
): Promise<void> {
  const done: string[] = [];
  try {
    for (const name of names) {
      await act(name);
      done.push(name);
    }
  } finally {
    if (done.length > 0) tell(done);
  }
}
