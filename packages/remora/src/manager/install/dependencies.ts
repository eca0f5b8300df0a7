/** What is installed and needs each other: who needs whom, and in which order all of it starts. */

import type { Core } from "../core.ts";
import { managerErrors } from "../errors.ts";
import type { Entry } from "../store/entry.ts";

/** Installed plugins that need this one, and the ranges in which they do. */
export function dependents(name: string, entries: ReadonlyMap<string, Entry>): Map<string, string> {
  const found = new Map<string, string>();
  for (const { name: plugin, current } of entries.values()) {
    const range = current?.needs[name];
    if (range !== undefined) found.set(plugin, range);
  }
  return found;
}

/** @throws manager/needed-by somebody who is enabled needs it */
export function checkUnneeded(plugin: string, what: string, entries: ReadonlyMap<string, Entry>): void {
  const by = [...dependents(plugin, entries).keys()].filter((one) => entries.get(one)?.isEnabled);
  if (by.length > 0) throw managerErrors["needed-by"]({ plugin, by, what });
}

/**
 * That what an installed plugin needs can answer it. In which versions, whoever installs one has looked at.
 *
 * @throws manager/unmet-needs some of it is not there, or disabled
 */
export function checkNeeds(
  { name: plugin, current }: Entry,
  what: string,
  entries: ReadonlyMap<string, Entry>,
): void {
  const needs = Object.keys(current?.needs ?? {}).flatMap((name) => {
    const needed = entries.get(name);
    if (needed?.current === undefined) return [{ name, found: "not installed" }];
    return needed.isEnabled ? [] : [{ name, found: "disabled" }];
  });
  if (needs.length > 0) throw managerErrors["unmet-needs"]({ what, plugin, needs });
}

/**
 * Each after those that it needs; those of the same rank by name. No circle is installed; of one that is there all the same, by
 * whatever somebody has written, each is in its turn.
 */
export function startOrder(entries: Core["entries"]): Entry[] {
  const ordered = new Set<string>();
  const begun = new Set<string>();
  const visit = (name: string) => {
    const entry = entries.get(name);
    if (entry === undefined || begun.has(name)) return;
    begun.add(name);
    for (const needs of Object.keys(entry.current?.needs ?? {}).sort()) visit(needs);
    ordered.add(name);
  };
  for (const name of [...entries.keys()].sort()) visit(name);
  return [...ordered].map((name) => entries.get(name)).filter((entry) => entry !== undefined);
}
