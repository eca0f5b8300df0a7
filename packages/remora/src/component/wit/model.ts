/**
 * WIT after every name is looked up: packages, interfaces and worlds, whose types point at each other. What types,
 * printing and a linker work on, whether it came from text or from a component.
 */

import type { PrimitiveKind } from "../types.ts";

/** What an item's gates say (WIT.md, "Feature Gates"); items behind a gate that is closed are not here at all. */
export interface Stability {
  readonly since?: string;
  readonly unstable?: string;
  readonly deprecated?: string;
}

export interface PackageName {
  readonly namespace: string;
  readonly name: string;
  readonly version: string | undefined;
}

export interface WitPackage {
  readonly name: PackageName;
  readonly docs: string | undefined;
  readonly interfaces: ReadonlyMap<string, Interface>;
  readonly worlds: ReadonlyMap<string, World>;
}

/** What one reading gave: the package that was asked for, and all that it stands on. */
export interface WitPackages {
  readonly root: WitPackage;
  /** By `namespace:name@version`, the root included; a package comes after those that it uses. */
  readonly packages: ReadonlyMap<string, WitPackage>;
}

export interface Interface {
  readonly kind: "interface";
  /** `omnitak:plugin/filter@0.1.0`; undefined for one that is written inside a world. */
  readonly id: string | undefined;
  /** `filter`; of one inside a world, the name it is imported or exported under. */
  readonly name: string;
  readonly docs: string | undefined;
  readonly stability: Stability;
  /** In the order of the text, those of `use` included. */
  readonly types: ReadonlyMap<string, TypeDef>;
  /** Those outside of resources. */
  readonly functions: ReadonlyMap<string, Func>;
}

export interface World {
  readonly kind: "world";
  /** `omnitak:plugin/filter-plugin@0.1.0` */
  readonly id: string;
  readonly name: string;
  readonly docs: string | undefined;
  readonly stability: Stability;
  /** Types written in the world itself, and those it uses. */
  readonly types: ReadonlyMap<string, TypeDef>;
  /** By the name in a component. An interface comes after those whose types it uses. */
  readonly imports: ReadonlyMap<string, WorldItem>;
  readonly exports: ReadonlyMap<string, WorldItem>;
}

export type WorldItem =
  | {
      readonly kind: "interface";
      readonly interface: Interface;
      readonly stability: Stability;
      /** Not written in the world: an interface that it does name uses types of this one. */
      readonly isImplied: boolean;
      readonly externalId: string | undefined;
    }
  | {
      readonly kind: "func";
      readonly func: Func;
      readonly stability: Stability;
      readonly externalId: string | undefined;
    };

export interface TypeDef {
  readonly name: string;
  readonly owner: Interface | World;
  readonly docs: string | undefined;
  readonly stability: Stability;
  readonly body: TypeDefBody;
}

export interface DocumentedLabel {
  readonly name: string;
  readonly docs: string | undefined;
}

export type TypeDefBody =
  | { readonly kind: "alias"; readonly type: Type }
  /** `use types.{target as name}` */
  | { readonly kind: "use"; readonly target: TypeDef }
  | { readonly kind: "record"; readonly fields: readonly (DocumentedLabel & { readonly type: Type })[] }
  | {
      readonly kind: "variant";
      readonly cases: readonly (DocumentedLabel & { readonly type: Type | undefined })[];
    }
  | { readonly kind: "enum" | "flags"; readonly labels: readonly DocumentedLabel[] }
  | { readonly kind: "resource"; readonly functions: readonly Func[] };

export type Type =
  | { readonly kind: "primitive"; readonly primitive: PrimitiveKind }
  /** A type by its name; of a resource, a handle that owns. */
  | { readonly kind: "named"; readonly type: TypeDef }
  | { readonly kind: "borrow"; readonly resource: TypeDef }
  | { readonly kind: "list"; readonly element: Type; readonly length: number | undefined }
  | { readonly kind: "map"; readonly key: Type; readonly value: Type }
  | { readonly kind: "tuple"; readonly elements: readonly Type[] }
  | { readonly kind: "option"; readonly some: Type }
  | { readonly kind: "result"; readonly ok: Type | undefined; readonly err: Type | undefined }
  | { readonly kind: "stream" | "future"; readonly element: Type | undefined };

export interface Func {
  readonly name: string;
  readonly role: "free" | "constructor" | "method" | "static";
  readonly isAsync: boolean;
  /** Without `self`. */
  readonly params: readonly { readonly name: string; readonly type: Type }[];
  /** Of a constructor only when it may fail: `result<r, …>`. */
  readonly result: Type | undefined;
  readonly docs: string | undefined;
  readonly stability: Stability;
}

/** `omnitak:plugin@0.1.0` */
export function packageId(name: PackageName): string {
  const version = name.version === undefined ? "" : `@${name.version}`;
  return `${name.namespace}:${name.name}${version}`;
}

/** `omnitak:plugin/filter@0.1.0` */
export function itemId(name: PackageName, item: string): string {
  const version = name.version === undefined ? "" : `@${name.version}`;
  return `${name.namespace}:${name.name}/${item}${version}`;
}

/** The definition behind aliases and `use`: where a record or resource is really defined. */
export function definitionOf(type: TypeDef): TypeDef {
  let found = type;
  for (;;) {
    if (found.body.kind === "use") found = found.body.target;
    else if (found.body.kind === "alias" && found.body.type.kind === "named") found = found.body.type.type;
    else return found;
  }
}

export function isResource(type: TypeDef): boolean {
  return definitionOf(type).body.kind === "resource";
}

/** Every type that stands inside this one, itself first. */
export function* typesIn(type: Type): Generator<Type> {
  yield type;
  switch (type.kind) {
    case "list":
      return yield* typesIn(type.element);
    case "map":
      yield* typesIn(type.key);
      return yield* typesIn(type.value);
    case "tuple":
      for (const element of type.elements) yield* typesIn(element);
      return;
    case "option":
      return yield* typesIn(type.some);
    case "result":
      if (type.ok !== undefined) yield* typesIn(type.ok);
      if (type.err !== undefined) yield* typesIn(type.err);
      return;
    case "stream":
    case "future":
      if (type.element !== undefined) yield* typesIn(type.element);
      return;
    case "primitive":
    case "named":
    case "borrow":
  }
}

/** The interfaces whose types this one uses, each once, in the order of the text. */
export function usedInterfaces(types: Iterable<TypeDef>): Set<Interface> {
  const used = new Set<Interface>();
  for (const { body } of types) {
    if (body.kind === "use" && body.target.owner.kind === "interface") used.add(body.target.owner);
  }
  return used;
}
