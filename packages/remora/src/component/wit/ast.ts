/** One WIT file as it is written: names are not looked up yet, and each keeps its place. */

import type { PrimitiveKind } from "../types.ts";
import type { Span } from "./source.ts";

export interface Name {
  readonly text: string;
  readonly span: Span;
}

export interface PackageDecl {
  readonly namespace: string;
  readonly name: string;
  readonly version: string | undefined;
  readonly docs: string | undefined;
  readonly span: Span;
}

export type Gate =
  | { readonly kind: "unstable"; readonly feature: string; readonly span: Span }
  | { readonly kind: "since" | "deprecated"; readonly version: string; readonly span: Span };

/** What may stand in front of an item. */
export interface Attributes {
  readonly docs: string | undefined;
  readonly gates: readonly Gate[];
  readonly externalId: string | undefined;
}

/** `types`, or `wasi:http/types@1.0.0`. */
export interface UsePath {
  readonly package:
    | { readonly namespace: string; readonly name: string; readonly version: string | undefined }
    | undefined;
  readonly name: Name;
  readonly span: Span;
}

export type TypeExpr = { readonly span: Span } & (
  | { readonly kind: "primitive"; readonly primitive: PrimitiveKind }
  | { readonly kind: "name"; readonly name: Name }
  | { readonly kind: "borrow"; readonly resource: Name }
  | { readonly kind: "own"; readonly resource: Name }
  | { readonly kind: "list"; readonly element: TypeExpr; readonly length: number | undefined }
  | { readonly kind: "map"; readonly key: TypeExpr; readonly value: TypeExpr }
  | { readonly kind: "tuple"; readonly elements: readonly TypeExpr[] }
  | { readonly kind: "option"; readonly some: TypeExpr }
  | { readonly kind: "result"; readonly ok: TypeExpr | undefined; readonly err: TypeExpr | undefined }
  | { readonly kind: "stream" | "future"; readonly element: TypeExpr | undefined }
);

export interface NamedType {
  readonly name: Name;
  readonly type: TypeExpr;
  readonly docs: string | undefined;
}

export interface Label {
  readonly name: Name;
  readonly docs: string | undefined;
}

export interface CaseExpr extends Label {
  readonly type: TypeExpr | undefined;
}

export interface FuncExpr {
  readonly isAsync: boolean;
  readonly params: readonly NamedType[];
  readonly result: TypeExpr | undefined;
}

export interface FuncItem {
  readonly kind: "func";
  readonly attributes: Attributes;
  readonly name: Name;
  readonly func: FuncExpr;
}

export interface ResourceFunc {
  readonly role: "constructor" | "method" | "static";
  readonly attributes: Attributes;
  /** Of a constructor, the keyword. */
  readonly name: Name;
  readonly func: FuncExpr;
}

export type TypeBody =
  | { readonly kind: "alias"; readonly type: TypeExpr }
  | { readonly kind: "record"; readonly fields: readonly NamedType[] }
  | { readonly kind: "variant"; readonly cases: readonly CaseExpr[] }
  | { readonly kind: "enum" | "flags"; readonly labels: readonly Label[] }
  | { readonly kind: "resource"; readonly funcs: readonly ResourceFunc[] };

export interface TypeItem {
  readonly kind: "type";
  readonly attributes: Attributes;
  readonly name: Name;
  readonly body: TypeBody;
}

/** `use types.{a, b as c};` inside an interface or a world. */
export interface UseItem {
  readonly kind: "use";
  readonly attributes: Attributes;
  readonly path: UsePath;
  readonly names: readonly { readonly name: Name; readonly as: Name | undefined }[];
}

export interface InterfaceItem {
  readonly kind: "interface";
  readonly attributes: Attributes;
  readonly name: Name;
  readonly items: readonly (UseItem | TypeItem | FuncItem)[];
}

/** `import` or `export` in a world. */
export interface ExternItem {
  readonly kind: "import" | "export";
  readonly attributes: Attributes;
  readonly span: Span;
  readonly extern:
    | { readonly kind: "path"; readonly path: UsePath }
    | { readonly kind: "named-path"; readonly name: Name; readonly path: UsePath }
    | { readonly kind: "func"; readonly name: Name; readonly func: FuncExpr }
    | { readonly kind: "inline"; readonly name: Name; readonly items: InterfaceItem["items"] };
}

export interface IncludeItem {
  readonly kind: "include";
  readonly attributes: Attributes;
  readonly path: UsePath;
  readonly renames: readonly { readonly name: Name; readonly as: Name }[];
}

export interface WorldItem {
  readonly kind: "world";
  readonly attributes: Attributes;
  readonly name: Name;
  readonly items: readonly (ExternItem | IncludeItem | UseItem | TypeItem)[];
}

/** `use wasi:http/types@1.0.0 as http-types;` at the top of a file. */
export interface TopLevelUse {
  readonly kind: "top-level-use";
  readonly path: UsePath;
  readonly as: Name | undefined;
}

export type PackageItem = TopLevelUse | InterfaceItem | WorldItem;

/** The part of a package that one file, or one pair of braces, has of it. */
export interface PackagePart {
  readonly package: PackageDecl | undefined;
  readonly items: readonly PackageItem[];
  /** Of the whole part: two parts are the same when their texts are. */
  readonly text: string;
}

export interface FileTree {
  readonly own: PackagePart;
  /** `package a:b { … }` */
  readonly nested: readonly PackagePart[];
}
