/** What an artifact imports, read from its bytes. Decoded and checked, never compiled and never run. */

import { decodeComponent, isComponent, neededImports, prepareComponent } from "../component/index.ts";
import type { ImportNeed } from "../policy/index.ts";
import { decodeModule, importsOf } from "../wasm/index.ts";
import { beginning, bundleErrors } from "./errors.ts";

const WASM = [0x00, 0x61, 0x73, 0x6d];

/**
 * The imports of a core module or a component, in the order of the binary.
 *
 * @throws bundle/not-an-artifact it does not begin as WebAssembly does
 * @throws wasm/… component/…     it cannot be read
 */
export function artifactImports(bytes: Uint8Array, file: string): ImportNeed[] {
  checkArtifact(bytes, file);
  if (isComponent(bytes)) {
    return neededImports(prepareComponent(decodeComponent(bytes))).map((from) => ({ from }));
  }
  return importsOf(decodeModule(bytes)).map(({ module, name }) => ({ from: module, item: name }));
}

export function checkArtifact(bytes: Uint8Array, file: string): void {
  if (WASM.some((byte, at) => bytes[at] !== byte)) {
    throw bundleErrors["not-an-artifact"]({ file, found: beginning(bytes) });
  }
}
