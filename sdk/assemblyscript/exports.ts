/**
 * From the names that AssemblyScript can export to those of the canonical ABI: `filter_getMetadata` is
 * `omnitak:plugin/filter@0.1.0#get-metadata`, `cabi_realloc` is itself. What the world wants is read from the
 * module that `componentEmbed` makes for it, which has nothing but the world's imports and exports.
 */

import { decodeModule, findSection } from "remora/wasm";

/** An interface that a world exports, with its whole version. */
export interface ExportedInterface {
  readonly namespace: string;
  readonly package: string;
  readonly interface: string;
  readonly version?: { readonly major: bigint; readonly minor: bigint; readonly patch: bigint };
}

/**
 * What each export of a plugin's module is to be called.
 *
 * @param core       The module as compiled; throws when it lacks a function that the world exports.
 * @param dummy      The world's empty module, whose names are `cm32p2|remora:tak/lazy@0.1|evaluate`.
 * @param interfaces The world's exported interfaces: the empty module shortens their versions.
 */
export function canonicalNames(
  core: Uint8Array,
  dummy: Uint8Array,
  interfaces: readonly ExportedInterface[],
): Record<string, string> {
  const found = new Set(exportNames(core));
  const names: Record<string, string> = {};
  const missing: string[] = [];
  for (const dummyName of exportNames(dummy)) {
    const [, path, func] = dummyName.split("|");
    if (path === undefined || func === undefined || func.endsWith("_post")) continue;
    const iface = interfaces.find((each) => interfaceId(each).startsWith(path));
    if (iface === undefined) throw new Error(`Cannot build: the world exports no interface "${path}"`);
    const written = `${camelCase(iface.interface)}_${camelCase(func)}`;
    const canonical = `${interfaceId(iface)}#${func}`;
    if (found.has(written)) names[written] = canonical;
    else missing.push(`${written} (${canonical})`);
  }
  if (missing.length > 0) throw new Error(`Cannot build: nothing exports ${missing.join(", ")}`);
  return names;
}

function exportNames(module: Uint8Array): string[] {
  return (findSection(decodeModule(module), "export")?.items ?? []).map((item) => item.name);
}

/** `remora:tak/lazy@0.1.0`. */
function interfaceId(iface: ExportedInterface): string {
  const path = `${iface.namespace}:${iface.package}/${iface.interface}`;
  const { version } = iface;
  return version === undefined ? path : `${path}@${version.major}.${version.minor}.${version.patch}`;
}

function camelCase(kebab: string): string {
  return kebab.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
