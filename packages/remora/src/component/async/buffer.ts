/** Where values of a stream or future are copied from and to (CanonicalABI.md, "Buffer State"). */

import type { Codec } from "../abi/codec.ts";
import type { Context } from "../abi/context.ts";
import { heldAsPart } from "../abi/held.ts";
import { trap } from "../abi/trap.ts";
import { componentErrors } from "../errors.ts";
import type { Element } from "./element.ts";

/** CanonicalABI.md, Buffer.MAX_LENGTH: a count fits into 28 bits beside the result of a copy. */
const lengthMax = 2 ** 28 - 1;

/** What a value costs the host beside its parts while it is copied, however small it is in the guest. */
const heldBytesMin = 16;

export type Buffer = GuestBuffer | HostBuffer;

/** A range of a guest's memory. It was checked when it was handed over, and memory does not shrink. */
export class GuestBuffer {
  readonly kind = "guest";
  readonly cx: Context;
  readonly element: Element;
  readonly length: number;
  progress = 0;
  readonly #pointer: number;

  constructor(cx: Context, element: Element, pointer: number, length: number) {
    if (length > lengthMax) trap(`a buffer of ${length} values`);
    cx.refreshIfDetached();
    if (element.type !== undefined && length > 0)
      cx.checkRange(pointer, element.align, length * element.size);
    this.cx = cx;
    this.element = element;
    this.length = length;
    this.#pointer = pointer;
  }

  get remain(): number {
    return this.length - this.progress;
  }

  get #at(): number {
    return this.#pointer + this.progress * this.element.size;
  }

  /** The next bytes, for values that are numbers. */
  bytes(count: number): Uint8Array {
    const bytes = count * this.element.size;
    this.cx.refreshIfDetached();
    this.cx.noteCopied(bytes);
    return this.cx.bytes.subarray(this.#at, this.#at + bytes);
  }

  load(side: "raw" | "host", count: number): unknown[] {
    const { cx, element } = this;
    const codec = element[side];
    if (codec === undefined) return new Array(count).fill(undefined);
    cx.beginLift();
    const heldSize = Math.max(element.size, heldBytesMin + heldAsPart(codec.type));
    cx.spendLift(count * heldSize);
    const at = this.#at;
    return Array.from({ length: count }, (_, index) => {
      cx.pace(heldSize);
      return codec.load(cx, at + index * element.size);
    });
  }

  /** What the host gives need not be what the type says. */
  storeChecked(values: readonly unknown[]): void {
    const { cx } = this;
    const codec = this.element.host;
    if (codec === undefined) return;
    cx.beginCheck();
    for (const value of values) {
      if (codec.check(value, cx)) continue;
      throw componentErrors["host-result"]({
        name: "stream or future",
        expected: codec.type.kind,
        found: typeof value,
      });
    }
    cx.beginLower();
    this.#store(codec, values);
  }

  /** Values of another guest. */
  store(values: readonly unknown[]): void {
    if (this.element.raw !== undefined) this.#store(this.element.raw, values);
  }

  #store(codec: Codec, values: readonly unknown[]): void {
    const { cx, element } = this;
    cx.refreshIfDetached();
    const at = this.#at;
    cx.state.mayLeave = false;
    values.forEach((value, index) => {
      codec.store(cx, value, at + index * element.size);
    });
    cx.state.mayLeave = true;
  }
}

/** Values of the host's, or room for some. */
export class HostBuffer {
  readonly kind = "host";
  readonly length: number;
  progress = 0;
  /** What it has to give, or was given. */
  readonly values: unknown[] | Uint8Array;

  constructor(length: number, values: unknown[] | Uint8Array) {
    this.length = length;
    this.values = values;
  }

  get remain(): number {
    return this.length - this.progress;
  }
}

/** Copies `count` values, which both buffers have room for. */
export function copy(element: Element, source: Buffer, target: Buffer, count: number): void {
  move(element, source, target, count);
  source.progress += count;
  target.progress += count;
}

function move(element: Element, source: Buffer, target: Buffer, count: number): void {
  if (source.kind === "guest") {
    if (target.kind === "guest") {
      if (element.isNumber) target.bytes(count).set(source.bytes(count));
      else target.store(source.load("raw", count));
      return;
    }
    const into = target.values;
    if (into instanceof Uint8Array) into.set(source.bytes(count), target.progress);
    else into.push(...source.load("host", count));
    return;
  }
  const values = source.values.slice(source.progress, source.progress + count);
  if (target.kind === "host") {
    if (target.values instanceof Uint8Array)
      target.values.set(values as Uint8Array, target.progress); // Of bytes, as the stream is.
    else target.values.push(...values);
  } else if (values instanceof Uint8Array) target.bytes(count).set(values);
  else target.storeChecked(values);
}
