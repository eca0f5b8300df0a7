/** Resolves type definitions against the index spaces that they stand in: what comes out has no indices left. */

import { componentErrors } from "../errors.ts";
import type { DefinedValueType, ScopeTypeDecl, TypeDeclBody, ValueTypeRef } from "../model.ts";
import type { FuncType, PrimitiveKind, ResourceType, ValueType } from "../types.ts";

/** The type index space of a component, a component type or an instance type, and the scope around it. */
export interface TypeScope {
  readonly types: readonly ScopedType[];
  readonly parent: TypeScope | undefined;
}

/** A type that needs no more than its parts. */
export type PlainType =
  | { readonly kind: "value"; readonly type: ValueType }
  | { readonly kind: "func"; readonly type: FuncType };

export type ScopedType =
  | PlainType
  | { readonly kind: "resource"; readonly resource: ResourceType }
  | { readonly kind: "scope"; readonly decl: ScopeTypeDecl; readonly definedIn: TypeScope };

/** A type index space as far as value and function types look into it. */
export interface Types {
  readonly types: readonly (
    | PlainType
    | { readonly kind: "resource"; readonly resource: ResourceType }
    | { readonly kind: "scope" | "component" | "instance" }
  )[];
}

/** Types are walked recursively, and the publisher chooses how deep they are. */
const typeDepthMax = 100;
const depths = new WeakMap<ValueType, number>();

export function resolveType(body: TypeDeclBody, scope: TypeScope, offset: number): ScopedType {
  switch (body.kind) {
    case "component":
    case "instance":
      return { kind: "scope", decl: body, definedIn: scope };
    case "resource":
      throw componentErrors.invalid({ what: "a resource type defined inside a type", offset });
    default:
      return resolvePlainType(body, scope, offset);
  }
}

export function resolvePlainType(
  body: Extract<TypeDeclBody, { kind: "value" | "func" }>,
  scope: Types,
  offset: number,
): PlainType {
  switch (body.kind) {
    case "value":
      return { kind: "value", type: resolveValueType(body.type, scope, offset) };
    case "func":
      return {
        kind: "func",
        type: {
          kind: "func",
          isAsync: body.isAsync,
          params: body.params.map(({ name, type }) => ({ name, type: resolveRef(type, scope, offset) })),
          result: body.result === undefined ? undefined : resolveRef(body.result, scope, offset),
        },
      };
  }
}

const primitives = new Map<PrimitiveKind, ValueType>();

/** One object for each primitive type, so that what is kept per type object is kept once. */
export function primitiveType(kind: PrimitiveKind): ValueType {
  let type = primitives.get(kind);
  if (type === undefined) {
    type = { kind };
    primitives.set(kind, type);
  }
  return type;
}

export function resolveRef(ref: ValueTypeRef, scope: Types, offset: number): ValueType {
  if (typeof ref === "string") return primitiveType(ref);
  const type = at(scope.types, ref, "type", offset);
  if (type.kind !== "value")
    throw componentErrors.invalid({ what: `type ${ref} is not a value type`, offset });
  return type.type;
}

function resolveResource(index: number, scope: Types, offset: number): ResourceType {
  const type = at(scope.types, index, "type", offset);
  if (type.kind !== "resource")
    throw componentErrors.invalid({ what: `type ${index} is not a resource type`, offset });
  return type.resource;
}

function resolveValueType(type: DefinedValueType, scope: Types, offset: number): ValueType {
  let depth = 0;
  const of = (ref: ValueTypeRef): ValueType => {
    const resolved = resolveRef(ref, scope, offset);
    depth = Math.max(depth, depths.get(resolved) ?? 0);
    return resolved;
  };
  const maybe = (ref: ValueTypeRef | undefined) => (ref === undefined ? undefined : of(ref));
  const resolved = build();
  if (depth + 1 > typeDepthMax)
    throw componentErrors.limit({ what: "types inside types", max: typeDepthMax, offset });
  depths.set(resolved, depth + 1);
  return resolved;

  function build(): ValueType {
    switch (type.kind) {
      case "primitive":
        return primitiveType(type.primitive);
      case "record":
        return {
          kind: "record",
          fields: type.fields.map((field) => ({ name: field.name, type: of(field.type) })),
        };
      case "variant":
        return {
          kind: "variant",
          cases: type.cases.map((entry) => ({ name: entry.name, type: maybe(entry.type) })),
        };
      case "list":
        return { kind: "list", element: of(type.element), length: type.length };
      case "map":
        return { kind: "map", key: of(type.key), value: of(type.value) };
      case "tuple":
        return { kind: "tuple", elements: type.elements.map(of) };
      case "option":
        return { kind: "option", some: of(type.some) };
      case "result":
        return { kind: "result", ok: maybe(type.ok), err: maybe(type.err) };
      case "own":
      case "borrow":
        return { kind: type.kind, resource: resolveResource(type.resource, scope, offset) };
      case "stream":
      case "future":
        return { kind: type.kind, element: maybe(type.element) };
      case "flags":
      case "enum":
        return type;
    }
  }
}

/** An index out of its space is what an invalid component has, and no crash of ours. */
export function at<T>(space: readonly T[], index: number, what: string, offset: number): T {
  const item = space[index];
  if (item === undefined) {
    throw componentErrors.invalid({ what: `unknown ${what} ${index}, there are ${space.length}`, offset });
  }
  return item;
}
