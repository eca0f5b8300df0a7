/**
 * Where a trap is in the modules that the publisher built. The map from rewritten to original offsets is made at the
 * first trap of a compiled module, by rewriting it once more, and then kept with it: a plugin that never traps pays
 * nothing, and one that traps all the time pays once.
 */

import type { MeterOptions } from "../wasm/metering/contract.ts";
import { mapOffsets, type OffsetMap } from "../wasm/metering/offset-map.ts";
import type { KnownModule } from "./compile.ts";
import type { TrapPlace } from "./errors.ts";
import type { ResolveFrame } from "./trap.ts";

/** Rewriting more than this for an error message takes longer than anyone wants to wait for one. */
const mappedBytesMax = 512 * 1024;

const maps = new WeakMap<KnownModule, OffsetMap | undefined>();

export class Places {
  readonly #options: MeterOptions;
  readonly #modules: { readonly bytes: Uint8Array; readonly compiled: KnownModule }[] = [];

  constructor(options: MeterOptions) {
    this.#options = options;
  }

  /** `bytes` is the original that `compiled` was made of. */
  add(bytes: Uint8Array, compiled: KnownModule): void {
    if (this.#modules.every((module) => module.compiled !== compiled))
      this.#modules.push({ bytes, compiled });
  }

  /** V8 does not say in which module a frame is: the one place that fits it, or nothing when two modules do. */
  readonly resolve: ResolveFrame = (functionIndex, offset) => {
    let found: TrapPlace | undefined;
    for (const { bytes, compiled } of this.#modules) {
      const place = this.#mapOf(bytes, compiled)?.toOriginal(offset);
      if (place === undefined || place.func !== functionIndex) continue;
      if (found !== undefined) return undefined;
      found = {
        functionIndex,
        offset: place.offset,
        ...(place.name !== undefined && { functionName: place.name }),
        ...(place.line !== undefined && { line: `${place.line.file}:${place.line.line}` }),
      };
    }
    return found;
  };

  #mapOf(bytes: Uint8Array, compiled: KnownModule): OffsetMap | undefined {
    if (!maps.has(compiled)) maps.set(compiled, this.#makeMap(bytes));
    return maps.get(compiled);
  }

  #makeMap(bytes: Uint8Array): OffsetMap | undefined {
    if (bytes.length > mappedBytesMax) return undefined;
    try {
      return mapOffsets(bytes, this.#options);
    } catch {
      // The trap is what the caller wants to hear of, with or without its place.
      return undefined;
    }
  }
}
