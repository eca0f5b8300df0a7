/**
 * A core module as data. A section that was read and not touched remembers where it stood (`source`) and is written
 * by copying those bytes; one without `source` is written from its items. So what nobody rewrites stays as it was,
 * numbers in longer forms than necessary included.
 */

import type { Composite, RefType, ValueType } from "./sections/value-types.ts";

export interface Module {
  readonly bytes: Uint8Array;
  /** In the order of the bytes, custom sections among them. */
  readonly sections: readonly Section[];
}

/** Offsets into `Module.bytes`. */
export interface SourceRange {
  /** Of the section's id. */
  readonly start: number;
  /** Behind the id and the size. */
  readonly contentStart: number;
  readonly end: number;
}

interface SectionOf<Kind extends string, Items> {
  readonly kind: Kind;
  readonly items: Items;
  readonly source?: SourceRange;
}

export type Section =
  | CustomSection
  | SectionOf<"type", readonly RecGroup[]>
  | SectionOf<"import", readonly Import[]>
  | SectionOf<"function", readonly number[]>
  | SectionOf<"table", readonly Table[]>
  | SectionOf<"memory", readonly MemoryType[]>
  | SectionOf<"tag", readonly number[]>
  | SectionOf<"global", readonly Global[]>
  | SectionOf<"export", readonly Export[]>
  | SectionOf<"start", number>
  | SectionOf<"element", readonly ElementSegment[]>
  | SectionOf<"dataCount", number>
  | SectionOf<"code", readonly Body[]>
  | SectionOf<"data", readonly DataSegment[]>;

export type SectionKind = Section["kind"];

export interface CustomSection {
  readonly kind: "custom";
  readonly name: string;
  /** Behind the name: a view. */
  readonly items: Uint8Array;
  readonly source?: SourceRange;
}

/** Types that may refer to one another. A type outside of an explicit `rec` is a group of its own. */
export interface RecGroup {
  readonly isExplicit: boolean;
  readonly types: readonly SubType[];
}

export interface SubType {
  readonly isFinal: boolean;
  readonly supertypes: readonly number[];
  readonly composite: Composite;
}

export interface Import {
  readonly module: string;
  readonly name: string;
  readonly type: ExternType;
}

export type ExternType =
  | { readonly kind: "func"; readonly type: number }
  | { readonly kind: "table"; readonly type: TableType }
  | { readonly kind: "memory"; readonly type: MemoryType }
  | { readonly kind: "global"; readonly type: GlobalType }
  | { readonly kind: "tag"; readonly type: number };

export type ExternKind = ExternType["kind"];

/** Sizes are bigints: a 64-bit memory or table may name more than a number holds exactly. */
export interface SizeLimits {
  readonly min: bigint;
  readonly max: bigint | undefined;
  readonly is64: boolean;
  readonly isShared: boolean;
}

/** In pages of 64 KiB. */
export type MemoryType = SizeLimits;

export interface TableType {
  readonly element: RefType;
  readonly limits: SizeLimits;
}

export interface Table {
  readonly type: TableType;
  /** Given for tables whose elements cannot be null. */
  readonly init: ConstExpr | undefined;
}

export interface GlobalType {
  readonly value: ValueType;
  readonly isMutable: boolean;
}

export interface Global {
  readonly type: GlobalType;
  readonly init: ConstExpr;
}

export interface Export {
  readonly name: string;
  readonly kind: ExternKind;
  readonly index: number;
}

/** A constant expression as its bytes, its `end` included, and the indices in it. */
export interface ConstExpr {
  readonly bytes: Uint8Array;
  readonly functions: readonly number[];
  readonly globals: readonly number[];
}

export interface ElementSegment {
  readonly mode:
    | { readonly kind: "active"; readonly table: number; readonly offset: ConstExpr }
    | { readonly kind: "passive" }
    | { readonly kind: "declarative" };
  readonly type: RefType;
  /** Function indices, or an expression an element. */
  readonly elements: readonly number[] | readonly ConstExpr[];
  /** The flag in the binary, which says which of the eight forms it has. */
  readonly form: number;
}

export interface DataSegment {
  /** Undefined when passive. */
  readonly active: { readonly memory: number; readonly offset: ConstExpr } | undefined;
  readonly form: number;
  readonly bytes: Uint8Array;
}

/** A function's locals and operators, without the size before them. */
export interface Body {
  /** What it is a part of: `Module.bytes`, if it was read. A view a body would take longer to make than to read. */
  readonly within: Uint8Array;
  readonly offset: number;
  readonly size: number;
}
