/** What becomes of plugins, as lines of the audit trail: who decided is in the line of whoever asked for it. */

import { isRemoraError } from "../../base/index.ts";
import { harmless } from "../../policy/index.ts";
import { grantText, itemText } from "../consent/decide-request.ts";
import type { ManagerEvent } from "../manager-event.ts";
import type { PublisherChange } from "../signer.ts";
import type { AuditEvent } from "./record.ts";
import type { AuditTrail } from "./trail.ts";

/**
 * Writes what happened into the trail. It has happened: when it cannot be written, that is told as trouble.
 *
 * @param tell Gets the trouble.
 */
export function auditLife(
  trail: Pick<AuditTrail, "append">,
  event: ManagerEvent,
  tell: (trouble: ManagerEvent) => void,
): void {
  const facts = factsOf(event);
  if (facts === undefined) return;
  try {
    trail.append({ ...facts, kind: `plugin.${event.kind}`, plugin: event.plugin });
  } catch (error) {
    if (!isRemoraError(error)) throw error;
    const { plugin, atMs } = event;
    tell({ kind: "trouble", plugin, atMs, code: error.code, reason: error.message });
  }
}

/** What a publisher or a guest chose is cut and escaped. Traps, states and logs are too many, and not decisions. */
function factsOf(event: ManagerEvent): Omit<AuditEvent, "kind"> | undefined {
  switch (event.kind) {
    case "changed":
      return {
        operation: event.operation,
        from: event.from,
        to: event.to,
        ...(event.origin !== "" && { origin: originText(event.origin) }),
      };
    case "returned":
      return { from: event.from, to: event.to, code: event.code, reason: harmless(event.reason) };
    case "held":
      return {
        version: event.request.version,
        digest: event.request.digest,
        origin: originText(event.request.origin),
        ...(event.request.publisher !== undefined && publisherFacts(event.request.publisher)),
        items: event.request.items.slice(0, itemsMax).map((item) => harmless(itemText(item))),
      };
    case "refused":
    case "superseded":
      return { version: event.version, digest: event.digest, origin: originText(event.origin) };
    case "publisher":
      return { version: event.version, ...publisherFacts(event) };
    case "granted":
    case "revoked":
      return { grants: event.grants.slice(0, itemsMax).map((grant) => harmless(grantText(grant), 500)) };
    case "recovered":
      return { operation: event.operation, from: event.from, to: event.to, found: event.found };
    case "reloaded":
      return { version: event.version };
    case "settings":
    case "enabled":
    case "disabled":
      return {};
    default:
      return undefined;
  }
}

function publisherFacts({ from, to }: PublisherChange) {
  return { publisherFrom: harmless(from), publisherTo: harmless(to) };
}

/** A line stays a line. */
const itemsMax = 20;

/** A path, or what a caller of the admin interface said of an upload. */
function originText(origin: string): string {
  return harmless(origin, 1_000);
}
