/** What all plugins of a host share, and what each may spend. */

import { defaultLimits, type IsolationLevel, type Limits } from "remora/engine";
import type { Grant } from "remora/policy";
import type { AuditSink } from "remora/sandbox";
import type { Clock } from "../clock.ts";
import type { ServerPort } from "../server-port.ts";
import type { BackOff } from "./back-off.ts";
import type { GivenGrant } from "./grants.ts";
import { waitMsMax } from "./guest-calls.ts";
import type { GuestClock } from "./guest-clock.ts";
import type { Pace } from "./pace.ts";
import type { Walls } from "./walls.ts";

export interface PluginDeps {
  readonly server: ServerPort;
  /** Where settings and private folders are: signalk-server's own configuration folder. */
  readonly dataFolder: string;
  readonly clock: Clock;
  readonly pace: Pace;
  readonly audit: AuditSink;
  readonly log: (plugin: string, level: "debug" | "warn" | "error", text: string) => void;
  readonly limits?: Partial<Limits>;
  /**
   * The clock that guests' deadlines are of, in milliseconds: the processor time of this thread, where the program around
   * this host can tell it; read at most once a millisecond. Default: the monotonic clock, by which a machine that is busy with others makes guests late.
   */
  readonly guestClock?: GuestClock;
  readonly backOff?: BackOff;
  /** Where a plugin runs, as the operator wants it. Default: on the event loop. */
  readonly isolation?: (plugin: string) => IsolationLevel;
  readonly walls?: Walls;
  /** What the operator gives a plugin beyond what its manifest asks for. */
  readonly moreGrants?: (plugin: string) => readonly Grant[];
  /** What the operator takes away again; a grant for which it is true is not given. */
  readonly isWithheld?: (plugin: string, given: GivenGrant) => boolean;
  /** Networks that a granted name may lead to though they are not public. */
  readonly networkAddresses?: readonly string[];
}

/**
 * A guest runs on the event loop, so its deadline is what everybody else may have to wait. Fuel ends most of what runs
 * for too long before that, at the same instruction on a fast machine and on a slow one.
 */
export const signalkLimits: Limits = {
  ...defaultLimits,
  fuelMax: 50_000_000,
  deadlineMs: 30,
  memoryPagesMax: 512,
  waitMsFree: waitMsMax,
};

/** Nobody waits for a guest behind a wall; and its time is the clock's there, however busy the machine. */
export const walledLimits: Limits = { ...signalkLimits, deadlineMs: 5_000 };
