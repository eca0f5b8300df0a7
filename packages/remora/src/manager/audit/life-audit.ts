/** What becomes of plugins, as lines of the audit trail: who decided is in the line of whoever asked for it. */

import { isRemoraError } from "../../base/index.ts";
import { type Grant, harmless } from "../../policy/index.ts";
import { itemText } from "../consent/decide-request.ts";
import type { ManagerEvent } from "../manager-event.ts";
import type { PublisherChange } from "../signer.ts";
import { listLines } from "./list-lines.ts";
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
  const line = { ...facts, kind: `plugin.${event.kind}`, plugin: event.plugin };
  const { field, list } = listOf(event);
  try {
    for (const part of field === undefined ? [line] : listLines(line, field, list)) trail.append(part);
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
      };
    case "refused":
    case "superseded":
      return { version: event.version, digest: event.digest, origin: originText(event.origin) };
    case "publisher":
      return { version: event.version, ...publisherFacts(event) };
    case "recovered":
      return { operation: event.operation, from: event.from, to: event.to, found: event.found };
    case "reloaded":
      return { version: event.version };
    case "granted":
    case "revoked":
    case "settings":
    case "enabled":
    case "disabled":
      return {};
    default:
      return undefined;
  }
}

/** What is wanted, given or taken, all of it: whose order decides would decide what is left out, too. */
function listOf(event: ManagerEvent): { readonly field?: string; readonly list: readonly string[] } {
  const whole = (text: string) => harmless(text, text.length);
  switch (event.kind) {
    case "held":
      return { field: "items", list: event.request.items.map((item) => whole(itemText(item))) };
    case "granted":
    case "revoked":
      return { field: "grants", list: event.grants.flatMap(targetTexts).map(whole) };
    default:
      return { list: [] };
  }
}

/** As `grantText`, for each target. */
function targetTexts({ capability, ...targets }: Grant): string[] {
  const texts = Object.values(targets).flat();
  return texts.length === 0 ? [capability] : texts.map((target) => `${capability} ${target}`);
}

function publisherFacts({ from, to }: PublisherChange) {
  return { publisherFrom: harmless(from), publisherTo: harmless(to) };
}

/** A path, or what a caller of the admin interface said of an upload. */
function originText(origin: string): string {
  return harmless(origin, 1_000);
}
