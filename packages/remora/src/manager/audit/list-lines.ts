/** An event with a list that may be too long for a line of the audit trail, as events that fit: nothing is left out. */

import type { Json } from "../../bundle/index.ts";
import { type AuditEvent, auditEventBytesMax } from "./record.ts";

/**
 * The event, or several with a part of the list each and which part it is. An item that fits in no line has one to itself,
 * which the trail shortens and marks.
 *
 * @param field That of the list.
 */
export function listLines(event: AuditEvent, field: string, list: readonly string[]): AuditEvent[] {
  const numbered = { part: list.length, parts: list.length };
  const room = auditEventBytesMax - bytesOf({ ...event, [field]: [], ...numbered });
  const parts = partsOf(list, room);
  return parts.map((part, at) => ({
    ...event,
    [field]: part,
    ...(parts.length > 1 && { part: at + 1, parts: parts.length }),
  }));
}

function partsOf(list: readonly string[], room: number): string[][] {
  let part: string[] = [];
  let left = room;
  const parts = [part];
  for (const item of list) {
    const bytes = bytesOf(item) + 1; // with its comma
    if (bytes > left && part.length > 0) {
      part = [];
      parts.push(part);
      left = room;
    }
    part.push(item);
    left -= bytes;
  }
  return parts;
}

function bytesOf(value: Json): number {
  return Buffer.byteLength(JSON.stringify(value));
}
