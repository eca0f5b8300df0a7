// Bytes.
export { ByteReader } from "./byte-reader.ts";
export { ByteWriter } from "./byte-writer.ts";
// Reading and writing a module.
export { decodeModule, findSection } from "./decode.ts";
// Metering.
export type { SourceLine } from "./dwarf/line-table.ts";
export { encodeModule } from "./encode.ts";
export { wasmErrors } from "./errors.ts";
export { type Feature, type FeatureUse, scanFeatures } from "./features.ts";
export { externTypeOf, funcTypeAt, type IndexSpaces, importsOf, indexSpaces } from "./index-spaces.ts";
export { type DecodeLimits, defaultDecodeLimits } from "./limits.ts";
export {
  counterModule,
  type InjectedExports,
  type MemoryFacts,
  type MeteredModule,
  type MeterMode,
  type MeterOptions,
  type ProfileName,
  reservedPrefix,
  rewriterVersion,
  type TableFacts,
} from "./metering/contract.ts";
export { meterModule } from "./metering/meter-module.ts";
export { mapOffsets, type OffsetMap, type OriginalPlace } from "./metering/offset-map.ts";
export type {
  Body,
  ConstExpr,
  CustomSection,
  DataSegment,
  ElementSegment,
  Export,
  ExternKind,
  ExternType,
  Global,
  GlobalType,
  Import,
  MemoryType,
  Module,
  RecGroup,
  Section,
  SectionKind,
  SizeLimits,
  SourceRange,
  SubType,
  Table,
  TableType,
} from "./module.ts";
export { type Names, readNames } from "./names.ts";
// For people.
export { type PrintOptions, printModule } from "./print/module.ts";
// Rewriting.
export { renameExports } from "./rename-exports.ts";
export type {
  Composite,
  FuncType,
  HeapType,
  RefType,
  StorageType,
  ValueType,
} from "./sections/value-types.ts";
export {
  type ExportSummary,
  type ExternSummary,
  formatExternType,
  type ImportSummary,
  type ModuleSummary,
  summarizeModule,
} from "./summary.ts";
