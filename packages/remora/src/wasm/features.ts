/** Which features a module uses, and where first: what a profile decides on and `inspect` shows. */

import { ByteReader } from "./byte-reader.ts";
import { findSection } from "./decode.ts";
import { wasmErrors } from "./errors.ts";
import { type IndexSpaces, importsOf, indexSpaces } from "./index-spaces.ts";
import type { DecodeLimits } from "./limits.ts";
import type { Module, SizeLimits } from "./module.ts";
import { type Feature as OperatorFeature, operators } from "./opcodes.ts";
import { readImmediates, readOpcode } from "./operators.ts";
import {
  type Composite,
  isGcHeap,
  isRefType,
  readValueType,
  type StorageType,
} from "./sections/value-types.ts";

/** Features of operators, and those that show in sections or immediates only. */
export type Feature =
  | OperatorFeature
  | "multi-value"
  | "multi-memory"
  | "memory64"
  | "shared-memory"
  | "mutable-global"
  /** An exception that a global, a table or another exception keeps. */
  | "stored-exceptions"
  | "extended-const";

export interface FeatureUse {
  /** Byte offset of the first use, or of the section that has it. */
  readonly offset: number;
  /** What was found: an operator's name, a type. */
  readonly found: string;
}

/**
 * Reads all sections and all operators.
 * @throws as `decodeModule`, for what is inside of bodies
 */
export function scanFeatures(module: Module, limits: DecodeLimits): ReadonlyMap<Feature, FeatureUse> {
  const uses = scanSections(module);
  const seer: LocalsReader = { see: (type, offset) => noteValueType(uses, type, offset) };
  for (const body of findSection(module, "code")?.items ?? []) {
    const reader = new ByteReader(module.bytes, body.offset, body.offset + body.size);
    skipLocals(reader, limits, seer);
    while (!reader.isAtEnd) {
      const offset = reader.position;
      const opcode = readOpcode(reader);
      const operator = operators[opcode];
      if (operator !== undefined && !uses.has(operator.feature)) {
        uses.set(operator.feature, { offset, found: operator.name });
      }
      readImmediates(reader, opcode, limits);
    }
  }
  return uses;
}

/** Is told of each group of locals: their type, its offset, and how many they are. */
export interface LocalsReader {
  see(type: StorageType, offset: number, count: number): void;
}

/** Reads a body's locals; the reader then stands at the first operator. Returns how many there are. */
export function skipLocals(reader: ByteReader, limits: DecodeLimits, seer: LocalsReader): number {
  const groups = reader.count("groups of locals", { max: limits.locals, itemBytesMin: 2 });
  let total = 0;
  for (let group = 0; group < groups; group++) {
    const offset = reader.position;
    const count = reader.u32("the number of locals");
    total += count;
    if (total > limits.locals)
      throw wasmErrors.limit({ offset, what: "locals", found: total, max: limits.locals });
    seer.see(readValueType(reader), offset, count);
  }
  return total;
}

type Uses = Map<Feature, FeatureUse>;

/** What shows without looking into bodies. */
export function scanSections(module: Module, spaces: IndexSpaces = indexSpaces(module)): Uses {
  const uses: Uses = new Map();
  const offsetOf = (kind: Parameters<typeof findSection>[1]) => findSection(module, kind)?.source?.start ?? 0;
  const typeOffset = offsetOf("type");
  for (const type of spaces.types) noteComposite(uses, type.composite, typeOffset);
  const hasGroups = findSection(module, "type")?.items.some((group) => group.isExplicit) ?? false;
  if (hasGroups || spaces.types.some((type) => !type.isFinal || type.supertypes.length > 0)) {
    note(uses, "gc", typeOffset, "a recursive or open type");
  }
  if (spaces.memories.length > 1)
    note(uses, "multi-memory", offsetOf("memory"), `${spaces.memories.length} memories`);
  if (spaces.tables.length > 1)
    note(uses, "reference-types", offsetOf("table"), `${spaces.tables.length} tables`);
  for (const memory of spaces.memories) noteSize(uses, memory, offsetOf("memory"));
  for (const table of spaces.tables) {
    noteSize(uses, table.limits, offsetOf("table"));
    noteValueType(uses, table.element, offsetOf("table"));
  }
  for (const global of spaces.globals) noteValueType(uses, global.value, offsetOf("global"));
  if (spaces.tags.length > 0) note(uses, "exceptions", offsetOf("tag"), "a tag");
  noteStoredExceptions(uses, spaces, offsetOf);
  if (findSection(module, "dataCount") !== undefined) {
    note(uses, "bulk-memory", offsetOf("dataCount"), "a data count section");
  }
  const isMutable = importsOf(module).some(({ type }) => type.kind === "global" && type.type.isMutable);
  if (isMutable) note(uses, "mutable-global", offsetOf("import"), "a mutable imported global");
  return uses;
}

function noteStoredExceptions(
  uses: Uses,
  spaces: IndexSpaces,
  offsetOf: (kind: "global" | "table" | "tag") => number,
): void {
  const carried = spaces.tags.flatMap((type) => {
    const composite = spaces.types[type]?.composite;
    return composite?.kind === "func" ? composite.parameters : [];
  });
  if (spaces.globals.some(({ value }) => isException(value)))
    note(uses, "stored-exceptions", offsetOf("global"), "a global of exceptions");
  if (spaces.tables.some(({ element }) => isException(element)))
    note(uses, "stored-exceptions", offsetOf("table"), "a table of exceptions");
  if (carried.some(isException))
    note(uses, "stored-exceptions", offsetOf("tag"), "an exception that carries an exception");
}

function isException(type: StorageType): boolean {
  return isRefType(type) && (type.heap === "exn" || type.heap === "noexn");
}

function note(uses: Uses, feature: Feature, offset: number, found: string): void {
  if (!uses.has(feature)) uses.set(feature, { offset, found });
}

function noteComposite(uses: Uses, type: Composite, offset: number): void {
  if (type.kind !== "func") {
    note(uses, "gc", offset, `a ${type.kind} type`);
    return;
  }
  if (type.results.length > 1) note(uses, "multi-value", offset, `${type.results.length} results`);
  for (const value of type.parameters) noteValueType(uses, value, offset);
  for (const value of type.results) noteValueType(uses, value, offset);
}

function noteSize(uses: Uses, size: SizeLimits, offset: number): void {
  if (size.is64) note(uses, "memory64", offset, "a 64-bit size");
  if (size.isShared) note(uses, "shared-memory", offset, "a shared memory");
}

export function noteValueType(uses: Uses, type: StorageType, offset: number): void {
  if (type === "v128") note(uses, "simd", offset, "v128");
  if (!isRefType(type)) return;
  if (isGcHeap(type.heap)) note(uses, "gc", offset, `(ref ${type.heap})`);
  else if (type.heap === "exn" || type.heap === "noexn") note(uses, "exceptions", offset, "exnref");
  else if (!type.isNullable || typeof type.heap === "number") {
    note(uses, "function-references", offset, `(ref ${type.heap})`);
  } else note(uses, "reference-types", offset, `${type.heap}ref`);
}
