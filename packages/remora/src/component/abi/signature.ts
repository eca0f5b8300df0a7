/** A function's type as calls need it: its codecs, and whether its values go in core values or in memory. */

import type { FuncType, ValueType } from "../types.ts";
import type { AddressType } from "./address.ts";
import type { Codec, Codecs } from "./codec.ts";
import { flatSignature, layoutOf, layoutOfFields, offsetsOf } from "./layout.ts";

/** All about a function's values that is the same for every instance. */
export interface Signature {
  readonly type: FuncType;
  readonly codecs: Codecs;
  readonly params: readonly Codec[];
  /** Set when the parameters are too many: they go as one tuple in memory. */
  readonly spilled:
    | { readonly size: number; readonly align: number; readonly offsets: readonly number[] }
    | undefined;
  /** Core values of the parameters when they are not spilled. */
  readonly flatCount: number;
  readonly result: Codec | undefined;
  readonly isResultInMemory: boolean;
}

/** Bytes in memory whose parts take some microseconds to look at. */
const largeBytes = 256;

/** Whether a call takes that long by its types alone, whatever it is given. */
export function isLarge({ spilled, result }: Signature): boolean {
  return (spilled?.size ?? 0) + (result?.size ?? 0) > largeBytes;
}

export function isLargeType(type: ValueType | undefined, address: AddressType): boolean {
  return type !== undefined && layoutOf(type, address).size > largeBytes;
}

export function signatureOf(type: FuncType, codecs: Codecs): Signature {
  const { address } = codecs;
  const flat = flatSignature(type, address);
  const types = type.params.map((param) => param.type);
  return {
    type,
    codecs,
    params: types.map((param) => codecs.of(param)),
    spilled:
      flat.params === undefined
        ? { ...layoutOfFields(types, address), offsets: offsetsOf(types, address) }
        : undefined,
    flatCount: flat.params?.length ?? 1,
    result: type.result === undefined ? undefined : codecs.of(type.result),
    isResultInMemory: flat.results === undefined,
  };
}
