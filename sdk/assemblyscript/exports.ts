/**
 * From the names that AssemblyScript can export to those of the canonical ABI: `filter_getMetadata` is
 * `omnitak:plugin/filter@0.1.0#get-metadata`, `cabi_realloc` is itself.
 */

import { camelCase, type WitWorld } from "remora/component";
import { decodeModule, findSection } from "remora/wasm";

/**
 * What each export of a plugin's module is to be called.
 *
 * @param core  The module as compiled; throws when it lacks a function that the world exports.
 * @param world The world that it is for.
 */
export function canonicalNames(core: Uint8Array, world: WitWorld): Record<string, string> {
  const found = new Set((findSection(decodeModule(core), "export")?.items ?? []).map((item) => item.name));
  const names: Record<string, string> = {};
  const missing: string[] = [];
  for (const [written, canonical] of exportedFunctions(world)) {
    if (found.has(written)) names[written] = canonical;
    else missing.push(`${written} (${canonical})`);
  }
  if (missing.length > 0)
    throw new Error(`Cannot build for "${world.id}": nothing exports ${missing.join(", ")}`);
  return names;
}

/** Each function of a world by the name that the glue gives it, and by that of the canonical ABI. */
function* exportedFunctions(world: WitWorld): Generator<[written: string, canonical: string]> {
  for (const [key, item] of world.exports) {
    if (item.kind === "func") {
      yield [camelCase(key), key];
      continue;
    }
    const prefix = camelCase(item.interface.name);
    for (const name of item.interface.functions.keys())
      yield [`${prefix}_${camelCase(name)}`, `${key}#${name}`];
    for (const [resource, { body }] of item.interface.types) {
      if (body.kind !== "resource") continue;
      for (const { name, role } of body.functions) {
        const label = role === "constructor" ? resource : `${resource}.${name}`;
        yield [`${prefix}_${camelCase(resource)}_${camelCase(name)}`, `${key}#[${role}]${label}`];
      }
    }
  }
}
