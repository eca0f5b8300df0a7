/**
 * Modules that are almost right: a few bytes of a valid one changed, cut, doubled, or replaced by the largest
 * numbers. The decoder and the rewriter are given them directly, without V8's judgement before: they must answer
 * with a module or a coded error, soon.
 */

import { isRemoraError, joinedBytes } from "remora/base";
import { meterModule } from "remora/wasm";
import { variants } from "../conformance/core/variants.ts";
import { webAssembly } from "../packages/remora/src/engine/webassembly.ts";
import { randomBytes } from "./random-modules.ts";

/** Generous: most take well under a millisecond. */
export const malformedMsMax = 1_000;

export type MalformedVerdict =
  | { readonly kind: "answered" }
  | { readonly kind: "wrong"; readonly what: string };

const largeNumbers: readonly (readonly number[])[] = [
  [0xff, 0xff, 0xff, 0xff, 0x0f],
  [0x80, 0x80, 0x80, 0x80, 0x08],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x80],
];

export function malformedModule(valid: Uint8Array, seed: number): Uint8Array {
  const random = randomBytes(seed ^ 0x5eed, 64);
  let at = 0;
  const next = () => random[at++ % random.length] ?? 0;
  const place = (length: number) => (next() * 65_536 + next() * 256 + next()) % Math.max(1, length);
  let bytes = valid;
  for (let change = 0; change <= next() % 4; change++) {
    const from = 8 + place(bytes.length - 8);
    const [before, after] = [bytes.subarray(0, from), bytes.subarray(from)];
    switch (next() % 6) {
      case 0:
        bytes = joinedBytes([before, [(after[0] ?? 0) ^ (1 << (next() % 8))], after.subarray(1)]);
        break;
      case 1:
        bytes = joinedBytes([before, [next()], after.subarray(1)]);
        break;
      case 2:
        bytes = Uint8Array.from(before);
        break;
      case 3:
        bytes = joinedBytes([before, largeNumbers[next() % largeNumbers.length] ?? [], after.subarray(1)]);
        break;
      case 4:
        bytes = joinedBytes([before, after.subarray(0, next() % 40), after]);
        break;
      default:
        bytes = joinedBytes([before, [], after.subarray(1 + (next() % 8))]);
    }
  }
  return bytes;
}

export function judgeMalformed(bytes: Uint8Array): MalformedVerdict {
  const [variant] = variants;
  if (variant === undefined) return { kind: "wrong", what: "no variant" };
  const start = performance.now();
  let rewritten: Uint8Array | undefined;
  try {
    rewritten = meterModule(bytes, variant.options).bytes;
  } catch (error) {
    if (!isRemoraError(error)) return { kind: "wrong", what: `threw ${String(error)}` };
  }
  const ms = performance.now() - start;
  if (ms > malformedMsMax) return { kind: "wrong", what: `took ${Math.round(ms)} ms` };
  if (!webAssembly.validate(bytes)) return { kind: "answered" };
  // Still valid by chance: then it must stay so.
  if (rewritten !== undefined && !webAssembly.validate(rewritten))
    return { kind: "wrong", what: "made invalid" };
  return { kind: "answered" };
}
