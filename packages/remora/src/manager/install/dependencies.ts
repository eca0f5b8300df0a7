/** What is installed and needs each other: who needs whom, and in which order all of it starts. */

import type { RemoraError } from "../../base/index.ts";
import { versionFits } from "../../bundle/index.ts";
import type { Core } from "../core.ts";
import { managerErrors } from "../errors.ts";
import type { Entry, InstalledVersion } from "../store/entry.ts";

/** Installed plugins that need this one, and the ranges in which they do. */
export function dependents(name: string, entries: ReadonlyMap<string, Entry>): Map<string, string> {
  const found = new Map<string, string>();
  for (const { name: plugin, current } of entries.values()) {
    // The name is the publisher's, and may be one that every object answers to: "constructor".
    const range =
      current !== undefined && Object.hasOwn(current.needs, name) ? current.needs[name] : undefined;
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
  const needs = unmet(Object.keys(current?.needs ?? {}), entries);
  if (needs.length > 0) throw managerErrors["unmet-needs"]({ what, plugin, needs });
}

/**
 * The same for a version that comes to run, as far as what it needs is here: the rest comes with it.
 *
 * @throws manager/unmet-needs some of it is disabled
 */
export function checkNeedsHere(plugin: string, names: Iterable<string>, entries: Core["entries"]): void {
  const here = [...names].filter((name) => entries.get(name)?.current !== undefined);
  const needs = unmet(here, entries);
  if (needs.length > 0) throw managerErrors["unmet-needs"]({ what: "run", plugin, needs });
}

function unmet(names: readonly string[], entries: ReadonlyMap<string, Entry>) {
  return names.flatMap((name) => {
    const needed = entries.get(name);
    if (needed?.current === undefined) return [{ name, found: "not installed" }];
    return needed.isEnabled ? [] : [{ name, found: "disabled" }];
  });
}

/**
 * Why a version that ran before cannot go on with what is installed now; undefined when it can.
 *
 * @returns manager/dependency what it needs is gone, disabled or another, or somebody needs another version of it
 */
export function misfitOf(
  plugin: string,
  { version, needs }: InstalledVersion,
  entries: ReadonlyMap<string, Entry>,
): RemoraError | undefined {
  for (const [name, range] of Object.entries(needs)) {
    const { current, isEnabled } = entries.get(name) ?? {};
    if (current !== undefined && isEnabled && versionFits(current.version, range)) continue;
    const found =
      current === undefined
        ? "it is not installed"
        : `${current.version} is ${isEnabled ? "installed" : "disabled"}`;
    return managerErrors.dependency({ plugin, needs: name, range, found });
  }
  for (const [by, range] of dependents(plugin, entries)) {
    if (versionFits(version, range)) continue;
    return managerErrors.dependency({ plugin: by, needs: plugin, range, found: `this is ${version}` });
  }
  return undefined;
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
