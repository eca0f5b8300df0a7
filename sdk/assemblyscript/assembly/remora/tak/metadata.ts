import { lowerString } from "../abi/values";

/** What becomes of a message. */
export enum FilterResult {
  Pass,
  Block,
}

/** What a filter says about itself: `return { id: "geofence", … }`. */
export class FilterMetadata {
  id: string;
  name: string;
  version: string;
  author: string;
  description: string;
  /** The longest that one evaluation should take; the host's own limits stand. */
  maxExecutionTimeUs: u64;
}

/** What a transformer says about itself. */
export class TransformerMetadata {
  id: string;
  name: string;
  version: string;
  author: string;
  description: string;
  /** Patterns of the event types that it wants to see, `a-f-*`. */
  supportedTypes: string[];
}

/** Writes the record `filter-metadata`; returns its address. */
export function lowerFilterMetadata(value: FilterMetadata): usize {
  const at = memory.data(48, 8);
  lowerString(value.id, at);
  lowerString(value.name, at + 8);
  lowerString(value.version, at + 16);
  lowerString(value.author, at + 24);
  lowerString(value.description, at + 32);
  store<u64>(at, value.maxExecutionTimeUs, 40);
  return at;
}

/** Writes the record `transformer-metadata`; returns its address. */
export function lowerTransformerMetadata(value: TransformerMetadata): usize {
  const at = memory.data(48, 8);
  lowerString(value.id, at);
  lowerString(value.name, at + 8);
  lowerString(value.version, at + 16);
  lowerString(value.author, at + 24);
  lowerString(value.description, at + 32);
  const types = value.supportedTypes;
  const pairs = new StaticArray<u64>(types.length);
  for (let i = 0; i < types.length; i++) lowerString(types[i], changetype<usize>(pairs) + ((<usize>i) << 3));
  store<usize>(at, changetype<usize>(pairs), 40);
  store<usize>(at, <usize>types.length, 44);
  return at;
}
