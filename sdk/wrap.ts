/** From a core module that has the exports of a world to a component of it: `remora wrap`, for builds of the repository. */

import { selectWorld, type WrapOptions, wrapModule } from "remora/component";
import { readWit } from "./wit-source.ts";

export interface WorldRef {
  /** With package and version: `remora:tak/lazy-filter@0.1.0`. */
  readonly world: string;
  /** The folder of the world's package, its dependencies in `deps/`. */
  readonly witFolder: string;
}

/** @throws component/cannot-wrap, which says all that is missing */
export function wrap(
  core: Uint8Array,
  { world, witFolder, stringEncoding }: WorldRef & WrapOptions,
): Uint8Array {
  return wrapModule(core, selectWorld(readWit(witFolder), world), { stringEncoding });
}
