/** What passes the gate of each plugin, as lines of the audit trail. */

import { type AuditSink, auditFacts } from "../../sandbox/index.ts";
import type { AuditTrail } from "./trail.ts";

/**
 * @param linesPerSecondMax Of all plugins together, as `auditFacts` shares them; what exceeds it is counted. A guest
 *                          decides how often it asks, and must not fill the disk by it. Default 100.
 */
export function gateAudit(
  trail: Pick<AuditTrail, "append">,
  options: { linesPerSecondMax?: number } = {},
): AuditSink {
  return auditFacts(
    (fact) => {
      if ("omitted" in fact) trail.append({ kind: "gate.omitted", of: fact.at, passages: fact.omitted });
      else {
        const { at: _, ...decision } = fact; // the line says when
        trail.append({ kind: "gate.decided", ...decision });
      }
    },
    { linesPerSecondMax: options.linesPerSecondMax ?? 100 },
  );
}
