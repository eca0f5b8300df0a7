/** The operator's ceiling and rules, as `openManager` takes them. What is not allowed in here is not possible. */

import type { Isolation, TrustRule, TrustStore } from "../bundle/index.ts";
import type { Limits } from "../engine/index.ts";
import type { Grant } from "../policy/index.ts";
import type { SandboxOptions } from "../sandbox/index.ts";
import type { BackOffOptions } from "./life/back-off.ts";
import type { BreakerOptions } from "./life/breaker.ts";

export interface ManagerPolicy {
  /** The lowest level of trust that runs. Default: `verified`. */
  readonly trust?: TrustRule;
  /** Whose signatures are trusted. Default: nobody's. */
  readonly keys?: TrustStore;
  /** Given to whoever asks for it, without a question. Default: nothing. */
  readonly grants?: readonly Grant[];
  /** Never given, whoever consents. */
  readonly denials?: readonly Grant[];
  /** What may be given when somebody consents. Default: all that is not denied. */
  readonly consents?: readonly Grant[];
  /** The most that a plugin may ask for. Default: `limitsMaxDefault`. */
  readonly limitsMax?: Partial<Limits>;
  /** The same for one on the host's own thread, where all others wait meanwhile. Default: as `limitsMax`. */
  readonly limitsMaxInline?: Partial<Limits>;
  /** What a plugin gets that asks for nothing. Default: the engine's. */
  readonly limits?: Partial<Limits>;
  /** The weakest isolation: a plugin may ask for a stronger one. Default: `inline`. */
  readonly isolation?: Isolation;
  /** Versions that are kept to go back to. Default: 5. */
  readonly versionsKept?: number;
  /**
   * Bytes of rewritten modules and plans that are kept in the folder for the next start, of all plugins together. What would go
   * beyond is made anew at each start. Default: `rewrittenBytesMaxDefault`, 512 MiB.
   */
  readonly rewrittenBytesMax?: number;
  /** Live instances of one plugin. Default: 8. */
  readonly instancesMax?: number;
  readonly breaker?: Partial<BreakerOptions>;
  readonly backOff?: Partial<BackOffOptions>;
  /**
   * After an update, the version before stays ready for so many milliseconds: when the new one fails within them, the
   * old one takes over again and answers the call that failed. Default: 30,000; 0 for not at all.
   */
  readonly probationMs?: number;
  /** Between health calls, in milliseconds. Default: 30,000; 0 for none but the first. */
  readonly healthEveryMs?: number;
  /** For one plugin, by name: in place of the above, and grants and denials besides them. */
  readonly plugins?: Readonly<Record<string, PluginPolicy>>;
}

export interface PluginPolicy {
  readonly trust?: TrustRule;
  readonly grants?: readonly Grant[];
  readonly denials?: readonly Grant[];
  readonly limits?: Partial<Limits>;
  readonly isolation?: Isolation;
  /** What its sandbox is made of: folders behind granted paths, variables, bounds, networks. */
  readonly sandbox?: Partial<
    Pick<SandboxOptions, "limits" | "clock" | "random" | "environment" | "folders" | "network">
  >;
}

/** More than this no plugin gets without the operator saying so. */
export const limitsMaxDefault: Limits = {
  fuelMax: 100_000_000_000,
  deadlineMs: 60_000,
  memoryPagesMax: 16_384,
  tableElementsMax: 1_000_000,
  stackSlotsMax: 1_048_576,
  waitMsFree: 300_000,
};
