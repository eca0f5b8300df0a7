/**
 * Names for the exports of a world that a language can write: `filter_getMetadata` for `omnitak:plugin/filter@0.1.0#get-metadata`.
 * AssemblyScript, for one, exports what is an identifier and nothing else.
 */

import { decodeModule, findSection, renameExports } from "../../wasm/index.ts";
import { camelCase } from "../names.ts";
import type { World } from "../wit/model.ts";
import { coreName, exportedFunctions } from "./joints.ts";
import type { WorldFunction } from "./world-functions.ts";

/** The module with canonical names where it has the others. */
export function withCanonicalNames(core: Uint8Array, world: World): Uint8Array {
  const exported = new Set((findSection(decodeModule(core), "export")?.items ?? []).map(({ name }) => name));
  const names: Record<string, string> = {};
  for (const { key, func } of exportedFunctions(world)) {
    const [canonical, written] = [coreName(key, func), writtenName(world, key, func)];
    if (!exported.has(canonical) && exported.has(written)) names[written] = canonical;
  }
  return Object.keys(names).length === 0 ? core : renameExports(core, names);
}

function writtenName(world: World, key: string | undefined, func: WorldFunction): string {
  const item = key === undefined ? undefined : world.exports.get(key);
  const owner = item?.kind === "interface" ? [item.interface.name] : [];
  return [...owner, ...(key === undefined ? [func.name] : func.label)].map(camelCase).join("_");
}
