/**
 * One line of the audit trail. It carries its number, the hash of the line before it and its own, so that no line can
 * be changed, taken out or moved without the next one showing it. The hash is SHA-256 of the line's text up to it.
 */

import { hash } from "node:crypto";
import type { Json } from "../../bundle/index.ts";

/** What happened. `kind` is ours; the other fields are facts, made harmless by whoever knows them. */
export interface AuditEvent {
  /** `area.happened`: `gate.decided`, `plugin.installed`. */
  readonly kind: string;
  /** There was more of it than a line has room for. */
  readonly isShortened?: true;
  readonly [field: string]: Json;
}

export interface AuditRecord {
  /** 1 for the first line that was ever written. */
  readonly seq: number;
  /** By the wall clock, which may have been set back: the order is that of `seq`. */
  readonly at: string;
  readonly previous: string;
  readonly event: AuditEvent;
  readonly hash: string;
}

/** A number and a hash: where a chain stands. */
export interface ChainEnd {
  readonly seq: number;
  readonly hash: string;
}

/** Before the first line. */
export const chainStart: ChainEnd = { seq: 0, hash: "0".repeat(64) };

/** An event that is longer as JSON is shortened: a line stays readable, and the trail cannot be filled by one field. */
export const auditEventBytesMax = 16 * 1024;

/** The next line of a chain, without its end. */
export function printRecord(
  end: ChainEnd,
  at: string,
  event: AuditEvent,
): { readonly text: string; readonly record: AuditRecord } {
  const seq = end.seq + 1;
  const body = `{"seq":${seq},"at":"${at}","previous":"${end.hash}","event":${JSON.stringify(event)}`;
  const hash = sha256(body);
  return { text: `${body},"hash":"${hash}"}`, record: { seq, at, previous: end.hash, event, hash } };
}

const shape =
  /^(\{"seq":([1-9]\d{0,14}),"at":"([^"\\]{20,30})","previous":"([0-9a-f]{64})","event":(\{.*\})),"hash":"([0-9a-f]{64})"\}$/s;

/** A line as it was written, or undefined when it is none or its own hash is not that of its text. */
export function parseRecord(text: string): AuditRecord | undefined {
  const match = shape.exec(text);
  if (match === null) return undefined;
  const [, body = "", seq = "", at = "", previous = "", event = "", hash = ""] = match;
  if (sha256(body) !== hash) return undefined;
  try {
    // Its hash is right, so it is what `printRecord` printed, or somebody who can count hashes made it up.
    return { seq: Number(seq), at, previous, event: JSON.parse(event) as AuditEvent, hash };
  } catch {
    return undefined; // made up, and badly
  }
}

function sha256(text: string): string {
  return hash("sha256", text);
}
