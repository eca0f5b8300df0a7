/** Plugins that need others: found, installed before the one that needs them, and never in a circle. */

import { type Manifest, versionFits } from "../../bundle/index.ts";
import type { Core } from "../core.ts";
import { managerErrors } from "../errors.ts";
import type { Entry } from "../store/entry.ts";

/**
 * Sees to it that all that a plugin needs is there, in versions that fit, and that it fits those that need it.
 *
 * @param chain      The plugins that need this one, the first of them first.
 * @param installOne Installs one by name and range.
 * @throws manager/dependency-cycle with the path
 * @throws manager/dependency       another version is installed, or somebody needs another version of this one
 */
export async function installDependencies(
  manifest: Manifest,
  chain: readonly string[],
  { entries }: Core,
  installOne: (ref: string, chain: readonly string[]) => Promise<unknown>,
): Promise<void> {
  const { name, version, dependencies } = manifest;
  const path = [...chain, name];
  checkCycles(name, [...dependencies.keys()], path, entries);
  for (const [plugin, range] of dependents(name, entries)) {
    if (versionFits(version, range)) continue;
    throw managerErrors.dependency({ plugin, needs: name, range, found: `this is ${version}` });
  }
  for (const [needs, range] of dependencies) {
    const found = entries.get(needs)?.current?.version;
    if (found === undefined) await installOne(`${needs}@${range}`, path);
    else if (!versionFits(found, range)) {
      throw managerErrors.dependency({ plugin: name, needs, range, found: `${found} is installed` });
    }
  }
}

/** Along what is being installed, and along what is installed already. */
function checkCycles(
  name: string,
  needs: readonly string[],
  path: readonly string[],
  entries: Core["entries"],
): void {
  for (const one of needs) {
    const at = path.indexOf(one);
    const back = at >= 0 ? undefined : pathTo(name, one, entries, new Set());
    if (at >= 0) throw managerErrors["dependency-cycle"]({ path: [...path.slice(at), one] });
    if (back !== undefined) throw managerErrors["dependency-cycle"]({ path: [name, ...back] });
  }
}

/** From one installed plugin along its needs to another. */
function pathTo(
  target: string,
  from: string,
  entries: Core["entries"],
  seen: Set<string>,
): readonly string[] | undefined {
  if (seen.has(from)) return undefined;
  seen.add(from);
  for (const needs of Object.keys(entries.get(from)?.current?.needs ?? {})) {
    const rest = needs === target ? [target] : pathTo(target, needs, entries, seen);
    if (rest !== undefined) return [from, ...rest];
  }
  return undefined;
}

/** Installed plugins that need this one, and the ranges in which they do. */
export function dependents(name: string, entries: Core["entries"]): Map<string, string> {
  const found = new Map<string, string>();
  for (const { name: plugin, current } of entries.values()) {
    const range = current?.needs[name];
    if (range !== undefined) found.set(plugin, range);
  }
  return found;
}

/** Each after those that it needs; those of the same rank by name. There are no circles in what is installed. */
export function startOrder(entries: Core["entries"]): Entry[] {
  const ordered = new Set<string>();
  const visit = (name: string) => {
    const entry = entries.get(name);
    if (entry === undefined || ordered.has(name)) return;
    for (const needs of Object.keys(entry.current?.needs ?? {}).sort()) visit(needs);
    ordered.add(name);
  };
  for (const name of [...entries.keys()].sort()) visit(name);
  return [...ordered].map((name) => entries.get(name)).filter((entry) => entry !== undefined);
}
