/** What a stream or future carries: a type, and how its values lie in memory and cross to the host. */

import type { Codec, Codecs } from "../abi/codec.ts";
import type { ValueType } from "../types.ts";

export interface Element {
  /** Undefined for a stream that only counts. */
  readonly type: ValueType | undefined;
  /** Bytes of a value in memory. */
  readonly size: number;
  readonly align: number;
  /** Numbers are copied as bytes, also within one component instance. */
  readonly isNumber: boolean;
  /** Between two guests. */
  readonly raw: Codec | undefined;
  /** Towards the host. */
  readonly host: Codec | undefined;
}

const numbers: ReadonlySet<string> = new Set([
  ...["u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "f32", "f64"],
]);

/** Makes elements, one for each type object. */
export class Elements {
  readonly #codecs: { readonly raw: Codecs; readonly host: Codecs };
  readonly #known = new Map<ValueType | undefined, Element>();

  constructor(codecs: { readonly raw: Codecs; readonly host: Codecs }) {
    this.#codecs = codecs;
  }

  of(type: ValueType | undefined): Element {
    let element = this.#known.get(type);
    if (element === undefined) {
      const raw = type === undefined ? undefined : this.#codecs.raw.of(type);
      element = {
        type,
        size: raw?.size ?? 0,
        align: raw?.align ?? 1,
        isNumber: type === undefined || numbers.has(type.kind),
        raw,
        host: type === undefined ? undefined : this.#codecs.host.of(type),
      };
      this.#known.set(type, element);
    }
    return element;
  }
}
