/** Opens a level of isolation. */

import { InlineIsolation } from "./inline.ts";
import type { Isolation, IsolationLevel } from "./isolation.ts";
import { WorkerIsolation, type WorkerOptions } from "./worker.ts";

/**
 * Opens a level: one for all plugins of a host that run at it.
 *
 * @example
 * await using isolation = openIsolation("inline");
 * const guest = await isolation.instantiate(openArtifact(bytes), { imports: {}, limits: defaultLimits });
 * const { result, report } = await guest.call(["filter", "evaluate"], [message], { deadlineMs: 5 });
 */
export function openIsolation(level: IsolationLevel, options: WorkerOptions = {}): Isolation {
  if (level === "inline") return new InlineIsolation();
  if (level === "worker") return new WorkerIsolation(options);
  throw new RangeError(`Cannot open the isolation "${level}": expected "inline" or "worker"`);
}
