/**
 * Types of the Component Model after all indices are resolved: what a function takes and gives, what an import
 * wants. Plain data, compared by structure, except resource types, which are compared by identity.
 */

/** A resource type is equal only to itself. */
export interface ResourceType {
  /** Number of this type within one prepared component. */
  readonly id: number;
  /** The name it was imported or exported under, for error messages and class names. */
  readonly name: string;
}

export type PrimitiveKind =
  | "bool"
  | "s8"
  | "u8"
  | "s16"
  | "u16"
  | "s32"
  | "u32"
  | "s64"
  | "u64"
  | "f32"
  | "f64"
  | "char"
  | "string"
  | "error-context";

export interface Field {
  readonly name: string;
  readonly type: ValueType;
}

export interface Case {
  readonly name: string;
  readonly type: ValueType | undefined;
}

export type ValueType =
  | { readonly kind: PrimitiveKind }
  | { readonly kind: "record"; readonly fields: readonly Field[] }
  | { readonly kind: "variant"; readonly cases: readonly Case[] }
  | { readonly kind: "list"; readonly element: ValueType; readonly length: number | undefined }
  | { readonly kind: "map"; readonly key: ValueType; readonly value: ValueType }
  | { readonly kind: "tuple"; readonly elements: readonly ValueType[] }
  | { readonly kind: "flags"; readonly names: readonly string[] }
  | { readonly kind: "enum"; readonly names: readonly string[] }
  | { readonly kind: "option"; readonly some: ValueType }
  | { readonly kind: "result"; readonly ok: ValueType | undefined; readonly err: ValueType | undefined }
  | { readonly kind: "own"; readonly resource: ResourceType }
  | { readonly kind: "borrow"; readonly resource: ResourceType }
  | { readonly kind: "stream"; readonly element: ValueType | undefined }
  | { readonly kind: "future"; readonly element: ValueType | undefined };

export type ValueKind = ValueType["kind"];

export interface FuncType {
  readonly kind: "func";
  readonly isAsync: boolean;
  readonly params: readonly Field[];
  readonly result: ValueType | undefined;
}
