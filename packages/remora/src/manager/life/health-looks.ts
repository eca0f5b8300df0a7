/** Looks at the health of what serves, each time a while after the answer of the time before. */

import type { ManagerClock } from "../clock.ts";

interface Asked {
  /** @throws What is wrong with it; at once or by the promise. */
  checkHealth(): void | Promise<void>;
}

export interface HealthLookOptions<Version> {
  readonly clock: ManagerClock;
  /** 0 for never. */
  readonly healthEveryMs: number;
  /** Called when the one that is watched has failed to answer, or says that it is not healthy. */
  readonly onIll: (version: Version, error: unknown) => void;
}

export class HealthLooks<Version extends Asked> {
  readonly #options: HealthLookOptions<Version>;
  #watched: Version | undefined;
  #cancel = () => {};

  constructor(options: HealthLookOptions<Version>) {
    this.#options = options;
  }

  /** Looks at this one from now on, and at none that was watched before. */
  watch(version: Version): void {
    this.#watched = version;
    this.#plan(version);
  }

  stop(): void {
    this.#cancel();
    this.#watched = undefined;
  }

  #plan(version: Version): void {
    const { clock, healthEveryMs } = this.#options;
    this.#cancel();
    if (healthEveryMs > 0) this.#cancel = clock.after(healthEveryMs, () => void this.#look(version));
  }

  async #look(version: Version): Promise<void> {
    try {
      const answer = version.checkHealth();
      // On this thread the answer is there already, and nothing comes between it and what follows.
      if (answer !== undefined) await answer;
    } catch (error) {
      if (version === this.#watched) this.#options.onIll(version, error);
      return;
    }
    if (version === this.#watched) this.#plan(version);
  }
}
