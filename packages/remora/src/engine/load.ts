/** The short way from bytes to callable functions, for a host that needs one instance and no manager. */

import { didYouMean } from "../base/index.ts";
import type { HostImports } from "../component/index.ts";
import { checkImports } from "../policy/index.ts";
import { type ArtifactOptions, openArtifact } from "./artifact.ts";
import { importNames } from "./import-names.ts";
import type { Instance } from "./instance.ts";
import { type Limits, limitsWith } from "./limits.ts";

export interface LoadOptions extends ArtifactOptions {
  /**
   * Host functions by interface or module name, as in `HostImports`; the interface that `remora types` writes for a
   * world fits as well. The plugin reaches these and nothing else.
   */
  readonly imports?: object;
  /** What it may spend; `defaultLimits` where nothing is said. */
  readonly limits?: Partial<Limits>;
}

const optionNames = [
  "imports",
  "limits",
  "plugin",
  "cache",
  "profile",
  "mode",
] as const satisfies readonly (keyof LoadOptions)[];

/**
 * Loads a plugin, a component or a core module, and makes one instance of it.
 *
 * @param bytes The `.wasm`; must not change while the instance lives.
 * @returns An instance whose `exports` are typed functions; `close` it when done.
 * @throws wasm/… component/…     the bytes are malformed, invalid or use what is not supported; with the offset
 * @throws policy/imports-refused it imports what `imports` does not have; all of it is listed
 * @throws engine/…               its start function failed or spent its budget
 * @throws TypeError RangeError   an option or a limit that is none, or an import that is no function
 *
 * @example
 * const instance = await load(bytes, { limits: { fuelMax: 100_000, deadlineMs: 1 } });
 * instance.exports.filter.evaluate(message);
 */
export async function load<Exports = unknown>(
  bytes: Uint8Array,
  options: LoadOptions = {},
): Promise<Instance & { readonly exports: Exports }> {
  for (const name of Object.keys(options)) {
    // Misspelt limits would be no limits.
    if (optionNames.some((known) => known === name)) continue;
    throw new TypeError(`load: there is no option ${name}${didYouMean(name, optionNames)}`);
  }
  const limits = limitsWith(options.limits ?? {});
  const artifact = openArtifact(bytes, options);
  // An interface has no index signature, which is all that it lacks to be one.
  const imports = (options.imports ?? {}) as HostImports;
  const check = checkImports(artifact.imports, {
    plugin: options.plugin ?? artifact.digest.slice(0, 12),
    hostFunctions: importNames(imports),
    offers: [],
    grants: [],
  });
  if (check.kind === "refused") throw check.error;
  await artifact.prepare(limits);
  const instance = artifact.instantiate({ imports, limits });
  // The caller says what the world exports, as generated types do.
  return instance as Instance & { readonly exports: Exports };
}
