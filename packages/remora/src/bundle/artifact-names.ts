/** What an artifact imports and exports, read from its bytes. Decoded and checked, never compiled and never run. */

import { decodeComponent, isComponent, neededImports, prepareComponent } from "../component/index.ts";
import { decodeModule, importsOf } from "../wasm/index.ts";
import type { ArtifactNames } from "./capability-use.ts";
import { beginning, bundleErrors } from "./errors.ts";

const WASM = [0x00, 0x61, 0x73, 0x6d];

/**
 * The imports of a core module or a component, and the exports of a component, in the order of the binary.
 *
 * @throws bundle/not-an-artifact it does not begin as WebAssembly does
 * @throws wasm/… component/…     it cannot be read
 */
export function artifactNames(bytes: Uint8Array, file: string): ArtifactNames {
  checkArtifact(bytes, file);
  if (isComponent(bytes)) {
    const component = prepareComponent(decodeComponent(bytes));
    const imports = neededImports(component).map((from) => ({ from }));
    return { imports, exports: [...component.exports.keys()] };
  }
  const imports = importsOf(decodeModule(bytes)).map(({ module, name }) => ({ from: module, item: name }));
  return { imports, exports: [] };
}

export function checkArtifact(bytes: Uint8Array, file: string): void {
  if (WASM.some((byte, at) => bytes[at] !== byte)) {
    throw bundleErrors["not-an-artifact"]({ file, found: beginning(bytes) });
  }
}
