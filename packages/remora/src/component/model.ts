/**
 * A component as it stands in its binary: definitions in their order, each referring to earlier ones by index
 * (Binary.md). Nothing is resolved or checked here beyond the grammar; `validate.ts` and `plan.ts` do that.
 */

import type { PrimitiveKind } from "./types.ts";

export type CoreSort = "func" | "table" | "memory" | "global" | "tag" | "type" | "module" | "instance";
export type Sort = "func" | "value" | "type" | "component" | "instance" | { readonly core: CoreSort };

export interface SortIndex {
  readonly sort: Sort;
  readonly index: number;
}

export interface CoreSortIndex {
  readonly sort: CoreSort;
  readonly index: number;
}

/** Bytes of a nested core module inside the whole file. */
export interface CoreModuleDefinition {
  readonly kind: "core-module";
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export interface CoreInstanceDefinition {
  readonly kind: "core-instance";
  readonly offset: number;
  readonly expr:
    | {
        readonly kind: "instantiate";
        readonly module: number;
        readonly args: readonly { readonly name: string; readonly instance: number }[];
      }
    | {
        readonly kind: "exports";
        readonly exports: readonly { readonly name: string; readonly item: CoreSortIndex }[];
      };
}

export type CoreValueType = "i32" | "i64" | "f32" | "f64" | "v128" | { readonly ref: string };

/** A core `externtype`, with types as indices into the surrounding core type space. */
export type CoreExternDecl =
  | { readonly kind: "func"; readonly type: number }
  | { readonly kind: "table"; readonly type: CoreTableType }
  | { readonly kind: "memory"; readonly type: CoreMemoryType }
  | { readonly kind: "global"; readonly valueType: CoreValueType; readonly isMutable: boolean }
  | { readonly kind: "tag"; readonly type: number };

export interface CoreTableType {
  readonly element: CoreValueType;
  readonly is64: boolean;
  readonly isShared: boolean;
  readonly min: bigint;
  readonly max: bigint | undefined;
}

export interface CoreMemoryType {
  readonly is64: boolean;
  readonly isShared: boolean;
  readonly min: bigint;
  readonly max: bigint | undefined;
}

export interface CoreFuncTypeDecl {
  readonly kind: "func";
  readonly params: readonly CoreValueType[];
  readonly results: readonly CoreValueType[];
}

export type CoreTypeDecl =
  | CoreFuncTypeDecl
  | { readonly kind: "module"; readonly decls: readonly CoreModuleDecl[] }
  /** A struct, array, subtype or recursive group: counts in the index space; nothing here needs its shape. */
  | { readonly kind: "opaque"; readonly count: number };

export type CoreModuleDecl =
  | {
      readonly kind: "import";
      readonly offset: number;
      readonly module: string;
      readonly name: string;
      readonly type: CoreExternDecl;
    }
  | { readonly kind: "type"; readonly offset: number; readonly type: CoreTypeDecl }
  | { readonly kind: "outer-alias"; readonly offset: number; readonly count: number; readonly index: number }
  | {
      readonly kind: "export";
      readonly offset: number;
      readonly name: string;
      readonly type: CoreExternDecl;
    };

export interface CoreTypeDefinition {
  readonly kind: "core-type";
  readonly offset: number;
  readonly type: CoreTypeDecl;
}

export interface ComponentDefinition {
  readonly kind: "component";
  readonly offset: number;
  readonly component: Component;
}

export interface InstanceDefinition {
  readonly kind: "instance";
  readonly offset: number;
  readonly expr:
    | {
        readonly kind: "instantiate";
        readonly component: number;
        readonly args: readonly { readonly name: string; readonly item: SortIndex }[];
      }
    | {
        readonly kind: "exports";
        readonly exports: readonly {
          readonly name: string;
          readonly attributes: NameAttributes | undefined;
          readonly item: SortIndex;
        }[];
      };
}

export interface AliasDefinition {
  readonly kind: "alias";
  readonly offset: number;
  readonly sort: Sort;
  readonly target:
    | { readonly kind: "export"; readonly instance: number; readonly name: string }
    | { readonly kind: "core-export"; readonly instance: number; readonly name: string }
    | { readonly kind: "outer"; readonly count: number; readonly index: number };
}

/** A value type where it is used: a primitive in place, or an index into the type space. */
export type ValueTypeRef = PrimitiveKind | number;

export type DefinedValueType =
  | { readonly kind: "primitive"; readonly primitive: PrimitiveKind }
  | {
      readonly kind: "record";
      readonly fields: readonly { readonly name: string; readonly type: ValueTypeRef }[];
    }
  | {
      readonly kind: "variant";
      readonly cases: readonly { readonly name: string; readonly type: ValueTypeRef | undefined }[];
    }
  | { readonly kind: "list"; readonly element: ValueTypeRef; readonly length: number | undefined }
  | { readonly kind: "map"; readonly key: ValueTypeRef; readonly value: ValueTypeRef }
  | { readonly kind: "tuple"; readonly elements: readonly ValueTypeRef[] }
  | { readonly kind: "flags"; readonly names: readonly string[] }
  | { readonly kind: "enum"; readonly names: readonly string[] }
  | { readonly kind: "option"; readonly some: ValueTypeRef }
  | { readonly kind: "result"; readonly ok: ValueTypeRef | undefined; readonly err: ValueTypeRef | undefined }
  | { readonly kind: "own"; readonly resource: number }
  | { readonly kind: "borrow"; readonly resource: number }
  | { readonly kind: "stream"; readonly element: ValueTypeRef | undefined }
  | { readonly kind: "future"; readonly element: ValueTypeRef | undefined };

export interface FuncTypeDecl {
  readonly kind: "func";
  readonly isAsync: boolean;
  readonly params: readonly { readonly name: string; readonly type: ValueTypeRef }[];
  readonly result: ValueTypeRef | undefined;
}

export interface ResourceTypeDecl {
  readonly kind: "resource";
  readonly rep: CoreValueType;
  readonly destructor: number | undefined;
}

export interface ScopeTypeDecl {
  readonly kind: "component" | "instance";
  readonly decls: readonly TypeDecl[];
}

export type TypeDeclBody =
  | { readonly kind: "value"; readonly type: DefinedValueType }
  | FuncTypeDecl
  | ResourceTypeDecl
  | ScopeTypeDecl;

export interface TypeDefinition {
  readonly kind: "type";
  readonly offset: number;
  readonly type: TypeDeclBody;
}

export type ExternDecl =
  | { readonly kind: "core-module"; readonly type: number }
  | { readonly kind: "func"; readonly type: number }
  | { readonly kind: "value"; readonly type: ValueTypeRef | { readonly equalTo: number } }
  | { readonly kind: "type"; readonly bound: { readonly equalTo: number } | "resource" }
  | { readonly kind: "component"; readonly type: number }
  | { readonly kind: "instance"; readonly type: number };

export interface NameAttributes {
  readonly implements: string | undefined;
  readonly versionSuffix: string | undefined;
  readonly externalId: string | undefined;
}

export interface ImportDefinition {
  readonly kind: "import";
  readonly offset: number;
  readonly name: string;
  readonly attributes: NameAttributes | undefined;
  readonly type: ExternDecl;
}

export interface ExportDecl {
  readonly kind: "export-decl";
  readonly offset: number;
  readonly name: string;
  readonly attributes: NameAttributes | undefined;
  readonly type: ExternDecl;
}

/** What may stand inside a component type or an instance type. */
export type TypeDecl = CoreTypeDefinition | TypeDefinition | AliasDefinition | ImportDefinition | ExportDecl;

export interface ExportDefinition {
  readonly kind: "export";
  readonly offset: number;
  readonly name: string;
  readonly attributes: NameAttributes | undefined;
  readonly item: SortIndex;
  readonly ascribed: ExternDecl | undefined;
}

export type StringEncoding = "utf8" | "utf16" | "latin1+utf16";

/** Each option keeps its own index into the list of what was written, so that duplicates can be refused. */
export interface CanonOptions {
  readonly encoding: StringEncoding | undefined;
  readonly memory: number | undefined;
  readonly realloc: number | undefined;
  readonly postReturn: number | undefined;
  readonly isAsync: boolean;
  readonly callback: number | undefined;
  /** The first option that was written twice. */
  readonly duplicate: string | undefined;
}

export type CanonBody =
  | { readonly kind: "lift"; readonly func: number; readonly options: CanonOptions; readonly type: number }
  | { readonly kind: "lower"; readonly func: number; readonly options: CanonOptions }
  | { readonly kind: "resource.new" | "resource.drop" | "resource.rep"; readonly type: number }
  /** A builtin of the asynchronous ABI or of threads. */
  | {
      readonly kind: "builtin";
      readonly name: string;
      readonly type: number | undefined;
      readonly options: CanonOptions | undefined;
      readonly memory: number | undefined;
      readonly table: number | undefined;
      /** `async` or `cancellable`, where that is part of the builtin and not among its options. */
      readonly isFlagged: boolean;
      /** Of `task.return`. */
      readonly result: ValueTypeRef | undefined;
      /** Of `context.get` and `context.set`. */
      readonly slot: { readonly type: CoreValueType; readonly index: number } | undefined;
    };

export interface CanonDefinition {
  readonly kind: "canon";
  readonly offset: number;
  readonly body: CanonBody;
}

/** Values and start functions are a gated feature of the specification: decoded by length, refused by name. */
export interface StartDefinition {
  readonly kind: "start";
  readonly offset: number;
}

export interface ValueDefinition {
  readonly kind: "value";
  readonly offset: number;
}

export interface CustomSection {
  readonly kind: "custom";
  readonly offset: number;
  readonly name: string;
  readonly bytes: Uint8Array;
}

export type Definition =
  | CoreModuleDefinition
  | CoreInstanceDefinition
  | CoreTypeDefinition
  | ComponentDefinition
  | InstanceDefinition
  | AliasDefinition
  | TypeDefinition
  | CanonDefinition
  | StartDefinition
  | ValueDefinition
  | ImportDefinition
  | ExportDefinition;

export interface Component {
  readonly kind: "component";
  /** In the order of the binary, which is the order in which they are instantiated. */
  readonly definitions: readonly Definition[];
  readonly customSections: readonly CustomSection[];
}
