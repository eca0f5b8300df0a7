/** What happens to plugins, as lines of a log. */

import type { Happening } from "@remora/admin";
import { harmless } from "remora/policy";

/** Undefined for what is no line: the accounts that come every second. */
export function happeningLine(happening: Happening): string | undefined {
  const { kind, atMs } = happening;
  if (kind === "metrics") return undefined;
  const { plugin, atMs: _, kind: __, ...facts } = happening as { plugin: string; atMs: number; kind: string };
  const at = new Date(atMs).toISOString();
  return harmless(`${at} ${plugin} ${kind} ${textOf(kind, facts)}`.trimEnd(), LINE_MAX);
}

/** Guests choose what they log, and how long it is. */
const LINE_MAX = 4_000;

function textOf(kind: string, facts: Readonly<Record<string, unknown>>): string {
  if (kind === "log") return `${facts.level}: ${facts.text}`;
  if (kind === "state") return `${facts.from} → ${facts.to}`;
  return Object.entries(facts)
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");
}
