/** Opens a level of isolation. */

import { unreachable } from "../../base/index.ts";
import { InlineIsolation } from "./inline.ts";
import type { Isolation, IsolationLevel } from "./isolation.ts";
import { ProcessIsolation, type ProcessOptions } from "./process.ts";
import { WorkerIsolation, type WorkerOptions } from "./worker.ts";

/**
 * Opens a level: one for all plugins of a host that run at it.
 *
 * @example
 * await using isolation = openIsolation("inline");
 * const guest = await isolation.instantiate(openArtifact(bytes), { imports: {}, limits: defaultLimits });
 * const { result, report } = await guest.call(["filter", "evaluate"], [message], { deadlineMs: 5 });
 */
export function openIsolation(
  level: IsolationLevel,
  options: WorkerOptions & ProcessOptions = {},
): Isolation {
  switch (level) {
    case "inline":
      return new InlineIsolation();
    case "worker":
      return new WorkerIsolation(options);
    case "process":
      return new ProcessIsolation(options);
    default:
      return unreachable(level);
  }
}
