/** What a managed plugin asks of its manager, and by which rules it is kept running. */

import type { RemoraError } from "../base/index.ts";
import type { CallObservers } from "./call-observer.ts";
import type { ManagerClock } from "./clock.ts";
import type { BackOffOptions } from "./life/back-off.ts";
import type { BreakerOptions } from "./life/breaker.ts";
import type { ManagerEvent } from "./manager-event.ts";
import type { RunningVersion } from "./running-version.ts";
import type { InstalledVersion } from "./store/entry.ts";

export interface SupervisorOptions {
  readonly clock: ManagerClock;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly breaker: BreakerOptions;
  readonly backOff: BackOffOptions;
  readonly probationMs: number;
  readonly healthEveryMs: number;
}

/** What a plugin asks of its manager. */
export interface PluginOwner {
  readonly supervisor: SupervisorOptions;
  /** Of the calls of all plugins. */
  readonly observers: CallObservers;
  /** Makes the current version anew. Rejects with what it failed with. */
  prepareAgain(plugin: string): Promise<RunningVersion>;
  /** Another version serves, or none does. */
  served(plugin: string): void;
  /** Why a version before cannot serve again, as others are installed now. */
  misfitOf(plugin: string, version: InstalledVersion): RemoraError | undefined;
  /** The version before serves again, because the newer one failed with a code: to be written down. */
  returned(plugin: string, to: RunningVersion, failed: { version: RunningVersion; code: string }): void;
  tell(event: ManagerEvent): void;
}
