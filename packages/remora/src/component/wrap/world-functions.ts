/** The functions of a world as a component has them: those of resources by their annotated names, with `self` written out. */

import { unreachable } from "../../base/index.ts";
import { primitiveType } from "../link/type-scope.ts";
import type { FuncType, ResourceType, ValueType } from "../types.ts";
import { definitionOf, type Func, type Interface, type Type, type TypeDef, typesIn } from "../wit/model.ts";

export interface WorldFunction {
  /** `evaluate`, `[method]message.lat` */
  readonly name: string;
  /** What a language without such names calls it: `evaluate`, `message_lat` in camel case. */
  readonly label: readonly string[];
  readonly isAsync: boolean;
  readonly params: readonly { readonly name: string; readonly type: Type }[];
  readonly result: Type | undefined;
}

export function functionsOf(owner: Interface): WorldFunction[] {
  const free = [...owner.functions.values()].map(plainFunction);
  const ofResources = [...owner.types.values()].flatMap((resource) =>
    resource.body.kind === "resource" ? resource.body.functions.map((func) => annotated(resource, func)) : [],
  );
  return [...free, ...ofResources];
}

export function plainFunction({ name, isAsync, params, result }: Func): WorldFunction {
  return { name, label: [name], isAsync, params, result };
}

function annotated(resource: TypeDef, func: Func): WorldFunction {
  const { name, role, isAsync, params, result } = func;
  const label = [resource.name, name];
  const own: Type = { kind: "named", type: resource };
  if (role === "constructor") {
    return { name: `[constructor]${resource.name}`, label, isAsync, params, result: result ?? own };
  }
  const self = { name: "self", type: { kind: "borrow", resource } } as const;
  const all = role === "method" ? [self, ...params] : params;
  return { name: `[${role}]${resource.name}.${name}`, label, isAsync, params: all, result };
}

export function* typesOf({ params, result }: WorldFunction): Generator<Type> {
  for (const { type } of params) yield type;
  if (result !== undefined) yield result;
}

/** Types that stand in the definition of another, each with what is inside of it. */
export function* partsOf({ body }: TypeDef): Generator<Type> {
  switch (body.kind) {
    case "alias":
      return yield* typesIn(body.type);
    case "record":
      for (const { type } of body.fields) yield* typesIn(type);
      return;
    case "variant":
      for (const { type } of body.cases) if (type !== undefined) yield* typesIn(type);
      return;
    case "use":
    case "enum":
    case "flags":
    case "resource":
      return;
    default:
      unreachable(body);
  }
}

/** A type and all that it is made of, what is inside first. */
export function* withParts(type: TypeDef, seen: Set<TypeDef>): Generator<TypeDef> {
  if (seen.has(type)) return;
  seen.add(type);
  if (type.body.kind === "use") yield* withParts(type.body.target, seen);
  yield* namedTypes(partsOf(type), seen);
  yield type;
}

export function* namedTypes(types: Iterable<Type>, seen: Set<TypeDef>): Generator<TypeDef> {
  for (const type of types) {
    if (type.kind === "named") yield* withParts(type.type, seen);
    if (type.kind === "borrow") yield* withParts(type.resource, seen);
  }
}

/** A function's type as the canonical ABI needs it: shapes alone, of which resources are all alike. */
export function funcTypeOf(func: WorldFunction): FuncType {
  return {
    kind: "func",
    isAsync: func.isAsync,
    params: func.params.map(({ name, type }) => ({ name, type: valueTypeOf(type) })),
    result: func.result === undefined ? undefined : valueTypeOf(func.result),
  };
}

const anyResource: ResourceType = { id: 0, name: "resource" };
const named = new WeakMap<TypeDef, ValueType>();

function valueTypeOf(type: Type): ValueType {
  const optional = (each: Type | undefined) => (each === undefined ? undefined : valueTypeOf(each));
  switch (type.kind) {
    case "primitive":
      return primitiveType(type.primitive);
    case "named":
      return namedType(definitionOf(type.type));
    case "borrow":
      return { kind: "borrow", resource: anyResource };
    case "list":
      return { kind: "list", element: valueTypeOf(type.element), length: type.length };
    case "map":
      return { kind: "map", key: valueTypeOf(type.key), value: valueTypeOf(type.value) };
    case "tuple":
      return { kind: "tuple", elements: type.elements.map(valueTypeOf) };
    case "option":
      return { kind: "option", some: valueTypeOf(type.some) };
    case "result":
      return { kind: "result", ok: optional(type.ok), err: optional(type.err) };
    case "stream":
    case "future":
      return { kind: type.kind, element: optional(type.element) };
    default:
      return unreachable(type);
  }
}

/** One object a definition: sizes are kept by object. */
function namedType(definition: TypeDef): ValueType {
  let found = named.get(definition);
  if (found === undefined) {
    found = bodyType(definition);
    named.set(definition, found);
  }
  return found;
}

function bodyType({ body }: TypeDef): ValueType {
  switch (body.kind) {
    case "alias":
      return valueTypeOf(body.type);
    case "use":
      return namedType(definitionOf(body.target));
    case "record":
      return {
        kind: "record",
        fields: body.fields.map(({ name, type }) => ({ name, type: valueTypeOf(type) })),
      };
    case "variant": {
      const cases = body.cases.map(({ name, type }) => ({
        name,
        type: type === undefined ? undefined : valueTypeOf(type),
      }));
      return { kind: "variant", cases };
    }
    case "enum":
    case "flags":
      return { kind: body.kind, names: body.labels.map(({ name }) => name) };
    case "resource":
      return { kind: "own", resource: anyResource };
    default:
      return unreachable(body);
  }
}
