/**
 * An event that fits in a line of the audit trail, whatever a publisher, a guest or a caller put into it. What is longest
 * is shortened first, so that who, which version, by whom and which digest stay whole; and the line says so.
 */

import type { Json } from "../../bundle/index.ts";
import { type AuditEvent, auditEventBytesMax } from "./record.ts";

/**
 * The event without half of its longest field, as often as it takes. A text ends in "…", a list has its first items, and
 * what cannot be halved is gone.
 *
 * @returns It with `isShortened: true`.
 * @throws RangeError its kind alone is too long; that is ours to choose
 */
export function shortened({ kind, ...facts }: AuditEvent): AuditEvent {
  const kept = new Map<string, Json>(Object.entries(facts));
  const event = (): AuditEvent => ({ ...Object.fromEntries(kept), isShortened: true, kind });
  while (bytesOf(event()) > auditEventBytesMax) {
    const [longest] = [...kept].toSorted(([, one], [, other]) => bytesOf(other) - bytesOf(one));
    if (longest === undefined) throw new RangeError("Cannot audit an event whose kind is longer than a line");
    const [name, value] = longest;
    const half = halfOf(value);
    if (half === undefined) kept.delete(name);
    else kept.set(name, half);
  }
  return event();
}

/** Characters of a text that is not worth a half. */
const textLengthMin = 32;

/** Undefined when nothing can be left out of it. */
function halfOf(value: Json): Json | undefined {
  if (typeof value === "string") {
    return value.length < textLengthMin ? undefined : `${value.slice(0, value.length / 2)}…`;
  }
  if (!Array.isArray(value) || value.length === 0) return undefined;
  if (value.length > 1) return value.slice(0, value.length / 2);
  const half = halfOf(value[0]);
  return half === undefined ? undefined : [half];
}

/** As it is written, where a backslash is two and a letter of another script may be three. */
function bytesOf(value: Json): number {
  return Buffer.byteLength(JSON.stringify(value));
}
