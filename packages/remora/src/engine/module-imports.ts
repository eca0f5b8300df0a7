/** What a rewritten module imports, read from the original once. */

import { decodeSections } from "../wasm/decode.ts";
import { funcTypeAt, importsOf, indexSpaces } from "../wasm/index-spaces.ts";
import type { ValueType } from "../wasm/sections/value-types.ts";
import type { KnownModule } from "./compile.ts";

export interface ModuleImport {
  readonly module: string;
  readonly name: string;
  /** How many parameters the function has; undefined for what is no function. */
  readonly parameters: number | undefined;
  readonly results: readonly ValueType[];
}

const known = new WeakMap<KnownModule, readonly ModuleImport[]>();

/** The imports of a module, read once. `original` is what it was made of, and so is known to be valid. */
export function moduleImports(compiled: KnownModule, original: Uint8Array): readonly ModuleImport[] {
  let imports = known.get(compiled);
  if (imports === undefined) {
    const decoded = decodeSections(original, ["type", "import"]);
    const spaces = indexSpaces(decoded);
    imports = importsOf(decoded).map(({ module, name, type }) => {
      const func = type.kind === "func" ? funcTypeAt(spaces, type.type, 0) : undefined;
      return { module, name, parameters: func?.parameters.length, results: func?.results ?? [] };
    });
    known.set(compiled, imports);
  }
  return imports;
}
