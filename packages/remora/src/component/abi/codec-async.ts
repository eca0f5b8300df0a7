/**
 * Codecs of streams, futures and error contexts (CanonicalABI.md, "lift_async_value", "lower_stream"). What crosses is
 * an end for reading; between guests it is what both ends share, and towards the host an object of the host's.
 */

import type { ValueType } from "../types.ts";
import type { Codec, Side } from "./codec.ts";
import { handleCodec } from "./codec-resource.ts";
import type { Context } from "./context.ts";
import { loadString, storeStringAt } from "./strings.ts";

export type AsyncType =
  | Extract<ValueType, { kind: "stream" | "future" }>
  | { readonly kind: "error-context" };

/** Streams and futures towards the host. */
export interface HostValues {
  /** What the host gets for one. */
  toHost(shared: unknown, type: AsyncType): unknown;
  /** Whether a value of the host's may stand for it. */
  accepts(value: unknown, type: AsyncType): boolean;
  fromHost(value: unknown, type: AsyncType): unknown;
}

/** What codecs ask of the part that knows streams and futures. */
export interface AsyncValues extends HostValues {
  /** Takes what a guest's handle stands for out of its table. */
  take(cx: Context, index: number, type: AsyncType): unknown;
  /** Puts it into a guest's table. */
  put(cx: Context, shared: unknown, type: AsyncType): number;
}

export function asyncCodec(type: AsyncType, side: Side): Codec {
  if (side === "packet") return type.kind === "error-context" ? messageCodec(type) : numberCodec(type);
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

/** In a packet: a number that the two ends have agreed on. */
function numberCodec(type: AsyncType): Codec {
  return handleCodec(
    type,
    (value, cx) => valuesOf(cx).accepts(value, type),
    (cx, value) => valuesOf(cx).fromHost(value, type) as number, // A packet's values are given numbers.
    (cx, number) => valuesOf(cx).toHost(number, type),
  );
}

/** Whether a value of the host's may be an error context: a message can be anything. */
export function isErrorWithMessage(value: unknown): value is Error {
  return value instanceof Error && typeof value.message === "string";
}

const pairBytes = 8;

/** In a packet an error context is the address of its message's pointer and length. */
function messageCodec(type: AsyncType): Codec {
  return handleCodec(
    type,
    isErrorWithMessage,
    (cx, error) => {
      const pair = cx.allocate(4, pairBytes);
      storeStringAt(cx, (error as Error).message, pair); // Checked above.
      return pair;
    },
    (cx, pair) => {
      cx.checkRange(pair, 4, pairBytes);
      return new Error(loadString(cx, cx.view.getUint32(pair, true), cx.view.getUint32(pair + 4, true)));
    },
  );
}

function valuesOf(cx: Context): AsyncValues {
  return cx.asyncValues as AsyncValues; // Set wherever a type of a component has such values.
}
