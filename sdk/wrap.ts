/** From a core module that has the canonical ABI's exports to a component of a world. */

import { componentEmbed, componentNew } from "@bytecodealliance/jco-transpile/wasm-tools";
import { witSource } from "./wit-source.ts";

export interface WorldRef {
  /** With package and version: `remora:tak/lazy-filter@0.1.0`. */
  readonly world: string;
  /** The folder of the world's package, its dependencies in `deps/`. */
  readonly witFolder: string;
}

export interface WrapOptions extends WorldRef {
  /** How the guest writes its strings. */
  readonly stringEncoding: "utf8" | "utf16";
}

/** Wraps a core module. Throws what the tool says when an export is missing or has another type. */
export async function wrap(core: Uint8Array, options: WrapOptions): Promise<Uint8Array> {
  const { world, witFolder, stringEncoding } = options;
  const embedded = await componentEmbed({
    binary: core,
    witSource: witSource(witFolder),
    world,
    stringEncoding,
  });
  return componentNew(embedded);
}
