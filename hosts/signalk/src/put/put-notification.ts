/** What anybody may change of a notification that stands: its state, or how it shows itself. */

import { isRecord, isShallow } from "../delta/delta.ts";
import type { SignalkServer } from "../server.ts";
import type { PutResult } from "../server-port.ts";
import type { PutRequest } from "./put-requests.ts";

const fields: ReadonlySet<string> = new Set(["state", "method"]);

/** The field that a path below `notifications` ends with; undefined for another path. */
export function notificationField(path: string): string | undefined {
  const parts = path.split(".");
  return parts[0] === "notifications" && parts.length > 2 ? parts.at(-1) : undefined;
}

export function putNotification(server: SignalkServer, { context, path, value }: PutRequest): PutResult {
  const field = notificationField(path) ?? "";
  const place = path.slice(0, -field.length - 1);
  const leaf = server.model.leaf(context, place);
  const standing = leaf?.value;
  if (!isRecord(standing)) return { state: "COMPLETED", statusCode: 404 };
  if (!fields.has(field)) return { state: "COMPLETED", statusCode: 405 };
  if (!isShallow(value, 2)) return { state: "COMPLETED", statusCode: 400 };
  const values = [{ path: place, value: { ...standing, [field]: value } }];
  // It stays the notification of whoever raised it.
  const $source = typeof leaf?.$source === "string" ? leaf.$source : "server";
  server.input({ context, updates: [{ $source, values }] }, "server");
  return { state: "COMPLETED", statusCode: 200 };
}
