/** Values between the server, where they are JSON, and `remora:signalk/types`, where the common ones cross as they are. */

import type { PathValue } from "../delta/delta.ts";

export type WorldValue =
  | { readonly tag: "number"; readonly val: number }
  | { readonly tag: "text"; readonly val: string }
  | { readonly tag: "boolean"; readonly val: boolean }
  | { readonly tag: "json"; readonly val: string };

export interface WorldPathValue {
  readonly path: string;
  readonly value: WorldValue;
}

export function toWorld(value: unknown): WorldValue {
  if (typeof value === "number") return { tag: "number", val: value };
  if (typeof value === "string") return { tag: "text", val: value };
  if (typeof value === "boolean") return { tag: "boolean", val: value };
  return { tag: "json", val: JSON.stringify(value) ?? "null" };
}

/** @throws SyntaxError the guest's text is no JSON */
export function fromWorld(value: WorldValue): unknown {
  if (value.tag === "json") return JSON.parse(value.val);
  // JSON has no such numbers: Signal K 1.7 has null for what is not known.
  if (value.tag === "number" && !Number.isFinite(value.val)) return null;
  return value.val;
}

export function toWorldItems(items: readonly PathValue[] | undefined): WorldPathValue[] {
  return (items ?? []).map(({ path, value }) => ({ path, value: toWorld(value) }));
}

/** @throws SyntaxError */
export function fromWorldItems(items: readonly WorldPathValue[]): PathValue[] {
  return items.map(({ path, value }) => ({ path, value: fromWorld(value) }));
}
