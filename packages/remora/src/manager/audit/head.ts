/**
 * The head of the audit trail: the last line that was written, and the first that is kept. Lines alone cannot show
 * that their tail is missing; the head can. It is a file of two slots, of which each write replaces the older one, so
 * that a process that is killed in the middle of one leaves the other.
 */

import { hash } from "node:crypto";
import type { ChainEnd } from "./record.ts";

export interface AuditHead {
  readonly last: ChainEnd;
  /** Where the chain stood before the first line that is kept: its beginning, until old files are removed. */
  readonly keptAfter: ChainEnd;
}

export const headSlotBytes = 512;

/** The slot that the head of this line goes into, as an offset in the file. */
export function headSlotOffset(head: AuditHead): number {
  return (head.last.seq % 2) * headSlotBytes;
}

export function printHead(head: AuditHead): Uint8Array {
  const body = JSON.stringify({ last: head.last, keptAfter: head.keptAfter });
  return new TextEncoder().encode(`${checksum(body)} ${body}`.padEnd(headSlotBytes - 1).concat("\n"));
}

/** The newest slot that is whole, or undefined when none is. */
export function parseHead(bytes: Uint8Array): AuditHead | undefined {
  let newest: AuditHead | undefined;
  for (const offset of [0, headSlotBytes]) {
    const slot = parseSlot(new TextDecoder().decode(bytes.subarray(offset, offset + headSlotBytes)));
    // The same line twice: the later write removed old files.
    if (slot !== undefined && (newest === undefined || isNewer(slot, newest))) newest = slot;
  }
  return newest;
}

function isNewer(one: AuditHead, other: AuditHead): boolean {
  if (one.last.seq !== other.last.seq) return one.last.seq > other.last.seq;
  return one.keptAfter.seq > other.keptAfter.seq;
}

function parseSlot(text: string): AuditHead | undefined {
  const space = text.indexOf(" ");
  const body = text.slice(space + 1).trimEnd();
  if (space < 0 || checksum(body) !== text.slice(0, space)) return undefined;
  // Its checksum is right: `printHead` printed it.
  return JSON.parse(body) as AuditHead;
}

function checksum(body: string): string {
  return hash("sha256", body).slice(0, 16);
}
