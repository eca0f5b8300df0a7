/**
 * The profile `strict`, where the host calls in: the bits of a NaN that it computed depend on its machine. So an
 * exported function that takes floats is exported by way of another that makes them canonical. What the guest passes
 * on inside keeps its bits.
 */

import { ByteWriter } from "../byte-writer.ts";
import { findSection } from "../decode.ts";
import type { IndexSpaces } from "../index-spaces.ts";
import type { Module } from "../module.ts";
import { type ValueType, writeValueType } from "../sections/value-types.ts";
import { op } from "./emitted.ts";
import { canonicalize, Float } from "./nan.ts";
import { frameSlots, slotsOf } from "./stack-slots.ts";

/** A function that is exported by way of one of ours. */
export interface CanonicalEntry {
  readonly func: number;
  readonly type: number;
  readonly parameters: readonly ValueType[];
  /** Stack slots of our frame: its parameters, and once more as arguments. */
  readonly slots: number;
}

/** Those of the module's own: what it imports and exports again was made canonical by whoever has it. */
export function canonicalEntries(module: Module, spaces: IndexSpaces): CanonicalEntry[] {
  const entries = new Map<number, CanonicalEntry>();
  for (const { kind, index: func } of findSection(module, "export")?.items ?? []) {
    if (kind !== "func" || func < spaces.imported.functions) continue;
    const type = spaces.functions[func] ?? 0;
    const composite = spaces.types[type]?.composite;
    if (composite?.kind !== "func" || !composite.parameters.some(isFloat)) continue;
    const { parameters } = composite;
    entries.set(func, { func, type, parameters, slots: 2 * slotsOf(parameters) + frameSlots });
  }
  return [...entries.values()];
}

/** From its locals to its end. */
export function entryBody({ func, parameters }: CanonicalEntry): Uint8Array {
  const temporaries = (["f32", "f64"] as const).filter((type) => parameters.includes(type));
  const writer = new ByteWriter(16 + 32 * parameters.length);
  writer.vector(temporaries, (to, type) => writeValueType(to.u32(1), type));
  for (const [index, type] of parameters.entries()) {
    writer.byte(op.localGet).u32(index);
    if (type !== "f32" && type !== "f64") continue;
    const temporary = parameters.length + temporaries.indexOf(type);
    writer.raw(Uint8Array.from(canonicalize(Float[type], temporary)));
  }
  return writer.byte(op.call).u32(func).byte(op.end).finish();
}

function isFloat(type: ValueType): boolean {
  return type === "f32" || type === "f64";
}
