/**
 * Codecs of streams, futures and error contexts (CanonicalABI.md, "lift_async_value", "lower_stream"). What crosses is
 * an end for reading; between guests it is what both ends share, and towards the host an object of the host's.
 */

import { componentErrors } from "../errors.ts";
import type { ValueType } from "../types.ts";
import type { Codec, Side } from "./codec.ts";
import { handleCodec } from "./codec-resource.ts";
import type { Context } from "./context.ts";

export type AsyncType =
  | Extract<ValueType, { kind: "stream" | "future" }>
  | { readonly kind: "error-context" };

/** What codecs ask of the part that knows streams and futures. */
export interface AsyncValues {
  /** Takes what a guest's handle stands for out of its table. */
  take(cx: Context, index: number, type: AsyncType): unknown;
  /** Puts it into a guest's table. */
  put(cx: Context, shared: unknown, type: AsyncType): number;
  /** What the host gets for it. */
  toHost(shared: unknown, type: AsyncType): unknown;
  /** Whether a value of the host's may stand for it. */
  accepts(value: unknown, type: AsyncType): boolean;
  fromHost(value: unknown, type: AsyncType): unknown;
}

export function asyncCodec(type: AsyncType, side: Side): Codec {
  if (side === "packet")
    throw componentErrors.unsupported({ what: `a ${type.kind} between threads or processes`, offset: 0 });
  if (side === "raw") {
    return handleCodec(
      type,
      () => true,
      (cx, shared) => valuesOf(cx).put(cx, shared, type),
      (cx, index) => valuesOf(cx).take(cx, index, type),
    );
  }
  return handleCodec(
    type,
    (value, cx) => valuesOf(cx).accepts(value, type),
    (cx, value) => valuesOf(cx).put(cx, valuesOf(cx).fromHost(value, type), type),
    (cx, index) => valuesOf(cx).toHost(valuesOf(cx).take(cx, index, type), type),
  );
}

function valuesOf(cx: Context): AsyncValues {
  return cx.asyncValues as AsyncValues; // Set wherever a type of a component has such values.
}
