/**
 * Types as a component's definitions give them, with the names under which interfaces export them. A record has no
 * name in the binary until something exports it; the first export names it, further ones are `use` or aliases.
 */

import { componentErrors } from "../errors.ts";
import type { DefinedValueType, FuncTypeDecl, ValueTypeRef } from "../model.ts";
import { parseFuncName } from "../names.ts";
import type { Func, Interface, Type, TypeDef, TypeDefBody, World } from "./model.ts";

/** The parts of one type, all that it is made of counted: twenty tuples of pairs unfold to a million. */
const typePartsMax = 1000;

/** A type whose name is found later than its body. */
export type OpenTypeDef = { -readonly [Key in keyof TypeDef]: TypeDef[Key] };

/** An interface that is still being filled. */
export interface OpenInterface extends Interface {
  id: string | undefined;
  name: string;
  readonly types: Map<string, TypeDef>;
  readonly functions: Map<string, Func>;
  /** Every function by its name in the component, `[method]file.read` among them. */
  readonly shapes: Map<string, FuncShape>;
  /** Of an instance that a component makes for another: a guest's own WASI is one instance full of them. */
  readonly instances: Map<string, OpenInterface>;
}

export interface FuncShape {
  readonly isAsync: boolean;
  readonly params: readonly { readonly name: string; readonly type: Type }[];
  readonly result: Type | undefined;
}

export function openInterface(): OpenInterface {
  return {
    kind: "interface",
    id: undefined,
    name: "",
    docs: undefined,
    stability: {},
    types: new Map(),
    functions: new Map(),
    shapes: new Map(),
    instances: new Map(),
  };
}

/** Owner of types that nothing has exported yet. */
const nowhere: Interface = openInterface();

export function isNamed(type: TypeDef): boolean {
  return type.owner !== nowhere;
}

export function unnamed(body: TypeDefBody): Type {
  return { kind: "named", type: { name: "", owner: nowhere, docs: undefined, stability: {}, body } };
}

/** Label grammar of Explainer.md, "Import and Export Definitions": names are printed, and must not be more than names. */
const labelPattern = /^(?:[a-z][0-9a-z]*|[A-Z][0-9A-Z]*)(?:-(?:[0-9a-z]+|[0-9A-Z]+))*$/;

export function checkLabel(name: string, offset: number): string {
  if (labelPattern.test(name)) return name;
  throw componentErrors.invalid({
    what: `${JSON.stringify(name)} is no name of the Component Model`,
    offset,
  });
}

/** Makes types out of definitions, and refuses those that would unfold to more than anyone can read. */
export class TypeMaker {
  readonly #sizes = new Map<Type, number>();

  /** A type where it is used: `at` gives what an index stands for. */
  reference(ref: ValueTypeRef, at: (index: number) => Type): Type {
    return typeof ref === "number" ? at(ref) : { kind: "primitive", primitive: ref };
  }

  defined(type: DefinedValueType, at: (index: number) => Type, offset: number): Type {
    const of = (ref: ValueTypeRef) => this.reference(ref, at);
    const maybe = (ref: ValueTypeRef | undefined) => (ref === undefined ? undefined : of(ref));
    const label = (name: string) => checkLabel(name, offset);
    const labels = (names: readonly string[]) =>
      names.map((name) => ({ name: label(name), docs: undefined }));
    switch (type.kind) {
      case "primitive":
        return { kind: "primitive", primitive: type.primitive };
      case "record":
        return unnamed({
          kind: "record",
          fields: type.fields.map((field) => ({
            name: label(field.name),
            docs: undefined,
            type: of(field.type),
          })),
        });
      case "variant":
        return unnamed({
          kind: "variant",
          cases: type.cases.map((each) => ({
            name: label(each.name),
            docs: undefined,
            type: maybe(each.type),
          })),
        });
      case "enum":
      case "flags":
        return unnamed({ kind: type.kind, labels: labels(type.names) });
      case "own":
      case "borrow": {
        const resource = at(type.resource);
        if (resource.kind !== "named")
          throw componentErrors.invalid({ what: "a handle to what is no resource", offset });
        return type.kind === "own" ? resource : { kind: "borrow", resource: resource.type };
      }
      case "list":
        return this.#sized({ kind: "list", element: of(type.element), length: type.length }, offset);
      case "map":
        return this.#sized({ kind: "map", key: of(type.key), value: of(type.value) }, offset);
      case "tuple":
        return this.#sized({ kind: "tuple", elements: type.elements.map(of) }, offset);
      case "option":
        return this.#sized({ kind: "option", some: of(type.some) }, offset);
      case "result":
        return this.#sized({ kind: "result", ok: maybe(type.ok), err: maybe(type.err) }, offset);
      case "stream":
      case "future":
        return this.#sized({ kind: type.kind, element: maybe(type.element) }, offset);
    }
  }

  func(type: FuncTypeDecl, at: (index: number) => Type, offset: number): FuncShape {
    return {
      isAsync: type.isAsync,
      params: type.params.map((param) => ({
        name: checkLabel(param.name, offset),
        type: this.reference(param.type, at),
      })),
      result: type.result === undefined ? undefined : this.reference(type.result, at),
    };
  }

  #sized(type: Type, offset: number): Type {
    const size = 1 + partsOf(type).reduce((sum, part) => sum + (this.#sizes.get(part) ?? 1), 0);
    if (size > typePartsMax) {
      throw componentErrors.limit({ what: "parts of one type", max: typePartsMax, offset });
    }
    this.#sizes.set(type, size);
    return type;
  }
}

function partsOf(type: Type): readonly Type[] {
  switch (type.kind) {
    case "list":
      return [type.element];
    case "map":
      return [type.key, type.value];
    case "tuple":
      return type.elements;
    case "option":
      return [type.some];
    case "result":
      return [type.ok, type.err].filter((part) => part !== undefined);
    case "stream":
    case "future":
      return type.element === undefined ? [] : [type.element];
    default:
      return [];
  }
}

/** Gives a type a name in an interface or world; returns what refers to it from there. */
export function exportType(owner: Interface | World, name: string, type: Type): Type {
  // Both are ours while the component is read.
  const types = owner.types as Map<string, TypeDef>;
  if (type.kind === "named" && !isNamed(type.type)) {
    const found = type.type as OpenTypeDef;
    found.name = name;
    found.owner = owner;
    types.set(name, found);
    return type;
  }
  const isOther = type.kind === "named" && type.type.owner !== owner;
  const body: TypeDefBody = isOther ? { kind: "use", target: type.type } : { kind: "alias", type };
  const made: TypeDef = { name, owner, docs: undefined, stability: {}, body };
  types.set(name, made);
  return { kind: "named", type: made };
}

/** Puts a function where its name says: into the interface, or to the resource that it belongs to. */
export function addFunction(target: OpenInterface, name: string, shape: FuncShape, offset: number): void {
  const parsed = parseFuncName(name);
  target.shapes.set(name, shape);
  if (parsed.kind === "plain") {
    target.functions.set(checkLabel(name, offset), funcOf(name, "free", shape));
    return;
  }
  const resource = target.types.get(parsed.resource);
  if (resource?.body.kind !== "resource") {
    const what = `"${name}" belongs to "${parsed.resource}", which is no resource of its interface`;
    throw componentErrors.invalid({ what, offset });
  }
  const label = parsed.kind === "constructor" ? "constructor" : checkLabel(parsed.label, offset);
  // The list is ours while the component is read.
  (resource.body.functions as Func[]).push(resourceFunction(label, parsed.kind, shape));
}

function resourceFunction(name: string, role: "constructor" | "method" | "static", shape: FuncShape): Func {
  if (role === "method") return funcOf(name, role, { ...shape, params: shape.params.slice(1) });
  const isPlainConstructor = role === "constructor" && shape.result?.kind === "named";
  return funcOf(name, role, isPlainConstructor ? { ...shape, result: undefined } : shape);
}

export function funcOf(name: string, role: Func["role"], shape: FuncShape): Func {
  return { name, role, ...shape, docs: undefined, stability: {} };
}
