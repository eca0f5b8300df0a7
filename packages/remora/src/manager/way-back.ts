/**
 * The way back from the version that serves: to the one that it has taken over from, until that is written down, and then
 * for as long as it is on probation. A version that is made anew meanwhile keeps the way back that it had.
 */

import type { ManagerClock } from "./clock.ts";
import type { RunningVersion } from "./running-version.ts";

export interface WayBackOptions {
  readonly clock: ManagerClock;
  readonly probationMs: number;
  /** Whether a version before can still serve, as all else is by now. */
  readonly isFit: (version: RunningVersion) => boolean;
  /** Is given what nobody goes back to any more. */
  readonly retire: (version: RunningVersion) => void;
}

export class WayBack {
  readonly #options: WayBackOptions;
  /** What the version that serves has taken over from, while that is not written down. */
  #replaced: RunningVersion | undefined;
  #before: RunningVersion | undefined;
  #stopTimer = () => {};

  constructor(options: WayBackOptions) {
    this.#options = options;
  }

  /** Those that are ready to serve again. */
  get versions(): RunningVersion[] {
    return [this.#replaced, this.#before].filter((version) => version !== undefined);
  }

  /** What was there before the version that is on probation. */
  get before(): RunningVersion | undefined {
    return this.#before;
  }

  /** Another one serves in its place. Followed by `settle`, `takeBack` or a failure. */
  open(replaced: RunningVersion | undefined): void {
    this.#replaced = replaced;
  }

  /** The takeover is written down: another version is on probation from here on, and one that was only made anew is not. */
  settle(serving: RunningVersion | undefined): void {
    const { clock, probationMs, retire } = this.#options;
    const replaced = this.#takeReplaced();
    if (replaced === undefined) return;
    const isAnother = !isSame(replaced, serving);
    if (isAnother) this.#endProbation();
    if (isAnother && probationMs > 0) {
      this.#before = replaced;
      this.#stopTimer = clock.after(probationMs, () => this.#endProbation());
    } else retire(replaced);
  }

  /** The takeover could not be written down. @returns What it was taken over from; its own probation goes on. */
  takeBack(): RunningVersion | undefined {
    return this.#takeReplaced();
  }

  /** @returns What serves in the place of a version that failed. */
  returnFrom(failed: RunningVersion): RunningVersion | undefined {
    if (this.#replaced !== undefined && !isSame(this.#replaced, failed)) return this.#takeReplaced();
    const before = this.#before;
    if (before === undefined) return undefined;
    if (!this.#options.isFit(before)) {
      this.#endProbation();
      return undefined;
    }
    this.#before = undefined;
    this.close();
    return before;
  }

  /** There is no way back any more. */
  close(): void {
    this.#endProbation();
    const replaced = this.#takeReplaced();
    if (replaced !== undefined) this.#options.retire(replaced);
  }

  #takeReplaced(): RunningVersion | undefined {
    const replaced = this.#replaced;
    this.#replaced = undefined;
    return replaced;
  }

  #endProbation(): void {
    this.#stopTimer();
    const before = this.#before;
    this.#before = undefined;
    if (before !== undefined) this.#options.retire(before);
  }
}

function isSame({ version }: RunningVersion, other: RunningVersion | undefined): boolean {
  return version.digest === other?.version.digest;
}
