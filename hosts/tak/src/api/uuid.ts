/** OmniTAK's ids are UUIDs; ours are names. A name's UUID is of version 8 (RFC 9562 §5.8), from its SHA-256. */

import { createHash } from "node:crypto";

/** @param kind Keeps names of different things apart. */
export function uuidOf(kind: "connection" | "key" | "record" | "message", name: string): string {
  const bytes = createHash("sha256").update(`${kind} ${name}`).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** RFC 9562 §5.9: of what has no id, such as the connection of an event that was played or sent by hand. */
export const nilUuid = "00000000-0000-0000-0000-000000000000";
