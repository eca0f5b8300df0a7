/** What an artifact imports and exports, read from its bytes. Decoded and checked, never compiled and never run. */

import { decodeComponent, isComponent, neededImports, prepareComponent } from "../component/index.ts";
import { decodeModule, findSection, importsOf } from "../wasm/index.ts";
import type { ArtifactNames } from "./capability-use.ts";
import { beginning, bundleErrors } from "./errors.ts";

const WASM = [0x00, 0x61, 0x73, 0x6d];

/** Those of one artifact. */
export interface NamesOfArtifact extends ArtifactNames {
  /** All that it exports, also of a core module. */
  readonly exported: readonly string[];
}

/**
 * The imports and exports of a core module or a component, in the order of the binary.
 *
 * @throws bundle/not-an-artifact it does not begin as WebAssembly does
 * @throws wasm/… component/…     it cannot be read
 */
export function artifactNames(bytes: Uint8Array, file: string): NamesOfArtifact {
  checkArtifact(bytes, file);
  if (isComponent(bytes)) {
    const component = prepareComponent(decodeComponent(bytes));
    const imports = neededImports(component).map((from) => ({ from }));
    const exports = [...component.exports.keys()];
    return { imports, exports, exported: exports };
  }
  const module = decodeModule(bytes);
  const imports = importsOf(module).map(({ module: from, name }) => ({ from, item: name }));
  return {
    imports,
    exports: [],
    exported: (findSection(module, "export")?.items ?? []).map(({ name }) => name),
  };
}

export function checkArtifact(bytes: Uint8Array, file: string): void {
  if (WASM.some((byte, at) => bytes[at] !== byte)) {
    throw bundleErrors["not-an-artifact"]({ file, found: beginning(bytes) });
  }
}
