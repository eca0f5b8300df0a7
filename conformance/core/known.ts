/**
 * Differences between plain V8 and the rewritten modules that are meant. The run fails for one that is not here,
 * and for one that is here and no longer differs.
 */

export interface Known {
  readonly file: string;
  readonly line: number;
  readonly reason: string;
}

const withoutMeter =
  "The function came into a shared table from a module whose instantiation then failed; it was never attached to a meter, and so it traps at its first check instead of running unmetered";

export const known: readonly Known[] = [
  { file: "linking.wast", line: 410, reason: withoutMeter },
  { file: "linking.wast", line: 423, reason: withoutMeter },
  { file: "linking0.wast", line: 42, reason: withoutMeter },
];
