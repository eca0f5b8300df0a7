/**
 * The types and functions of one interface or world, from the names in its text to what they mean. Types may be
 * used before they are written, and may not contain themselves.
 */

import type {
  Attributes,
  FuncExpr,
  Label,
  Name,
  NamedType,
  ResourceFunc,
  TypeBody,
  TypeExpr,
  TypeItem,
  UseItem,
} from "./ast.ts";
import { witErrors } from "./errors.ts";
import type { GateVerdict } from "./gates.ts";
import {
  definitionOf,
  type Func,
  type Interface,
  isResource,
  type Type,
  type TypeDef,
  type TypeDefBody,
  type World,
} from "./model.ts";
import { claimAll, gatedName, invalid, Names, unknownName } from "./scope.ts";
import { placeOf } from "./source.ts";

/** Longer chains of types that each name the next are nothing that a person wrote. */
const chainMax = 500;
const flagsMax = 32;

const mapKeys = new Set(["bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "char", "string"]);

export interface TypeScopeInput {
  readonly owner: Interface | World;
  readonly items: readonly (UseItem | TypeItem | { readonly kind: string })[];
  /** The other names of the same scope, to which those of types must differ. */
  readonly names: Names;
  readonly judge: (attributes: Attributes) => GateVerdict;
  /** The interface that a `use` names. */
  readonly interfaceAt: (use: UseItem) => Interface;
  /** Which feature would show a type of another interface, if one would. */
  readonly hiddenIn: (owner: Interface, name: string) => string | undefined;
}

/** A definition while it is being looked into: its body is filled in once. */
type Unfinished = { -readonly [Key in keyof TypeDef]: TypeDef[Key] };

export class TypeScope {
  readonly types = new Map<string, TypeDef>();
  /** Names behind closed gates, with the feature that opens them. */
  readonly hidden = new Map<string, string>();
  readonly #input: TypeScopeInput;
  readonly #items = new Map<string, TypeItem>();
  readonly #done = new Set<string>();
  readonly #open: Name[] = [];
  /** `type t = own<r>` is a handle, and no second name of the resource. */
  readonly #handles = new Set<TypeDef>();

  constructor(input: TypeScopeInput) {
    this.#input = input;
    // Three rounds: note what there is, in order; look into each type; and at the end into the functions of
    // resources, which may name any type, that which names the resource included.
    for (const item of input.items) {
      if (isUse(item)) this.#use(item);
      else if (isType(item)) this.#declare(item);
    }
    for (const item of this.#items.values()) this.#finish(item.name);
    for (const item of this.#items.values()) {
      if (item.body.kind === "resource")
        this.#setBody(item.name, this.#resourceBody(item.name, item.body.funcs));
    }
  }

  #use(use: UseItem): void {
    const { stability, closedBy } = this.#input.judge(use.attributes);
    const source = closedBy === undefined ? this.#input.interfaceAt(use) : undefined;
    for (const { name, as } of use.names) {
      const local = as ?? name;
      this.#input.names.claim(local, "name");
      if (source === undefined) {
        this.hidden.set(local.text, closedBy ?? "");
        continue;
      }
      const target = source.types.get(name.text);
      if (target === undefined) {
        const feature = this.#input.hiddenIn(source, name.text);
        if (feature !== undefined) throw gatedName(name, feature);
        throw unknownName(name, {
          what: "type",
          where: source.id ?? source.name,
          candidates: source.types.keys(),
        });
      }
      const docs = use.attributes.docs;
      this.types.set(local.text, {
        name: local.text,
        owner: this.#input.owner,
        docs,
        stability,
        body: { kind: "use", target },
      });
      this.#done.add(local.text);
    }
  }

  #declare(item: TypeItem): void {
    this.#input.names.claim(item.name, "name");
    const { stability, closedBy } = this.#input.judge(item.attributes);
    if (closedBy !== undefined) {
      this.hidden.set(item.name.text, closedBy);
      return;
    }
    const { docs } = item.attributes;
    const name = item.name.text;
    // A placeholder of the right place in the order; `#finish` gives it its body before anyone sees it.
    this.types.set(name, {
      name,
      owner: this.#input.owner,
      docs,
      stability,
      body: { kind: "resource", functions: [] },
    });
    this.#items.set(name, item);
  }

  /** Gives a definition its body, after those it is made of. */
  #finish(name: Name): TypeDef {
    const found = this.types.get(name.text);
    const item = this.#items.get(name.text);
    if (found === undefined) {
      const feature = this.hidden.get(name.text);
      if (feature !== undefined) throw gatedName(name, feature);
      throw unknownName(name, { what: "type", where: this.#input.owner.name, candidates: this.types.keys() });
    }
    if (this.#done.has(name.text) || item === undefined) return found;
    if (this.#open.length > chainMax) {
      throw witErrors["wit-limit"]({
        ...placeOf(name.span),
        what: "types that each name the next",
        max: chainMax,
      });
    }
    if (item.body.kind !== "resource") {
      this.#refuseCycle(name);
      this.#open.push(item.name);
      this.#setBody(item.name, this.#body(item.name, item.body));
      if (item.body.kind === "alias" && item.body.type.kind === "own") this.#handles.add(found);
      this.#open.pop();
    }
    this.#done.add(name.text);
    return found;
  }

  #setBody(name: Name, body: TypeDefBody): void {
    // The definition is ours until the scope is complete, which is what makes it writable here.
    const unfinished = this.types.get(name.text) as Unfinished | undefined;
    if (unfinished !== undefined) unfinished.body = body;
  }

  #refuseCycle(name: Name): void {
    const from = this.#open.findIndex((open) => open.text === name.text);
    if (from < 0) return;
    const path = [...this.#open.slice(from).map((open) => open.text), name.text].join(" → ");
    throw witErrors["wit-cycle"]({ ...placeOf(name.span), what: `a type cannot contain itself: ${path}` });
  }

  #body(name: Name, body: Exclude<TypeBody, { kind: "resource" }>): TypeDefBody {
    switch (body.kind) {
      case "alias":
        return { kind: "alias", type: this.type(body.type) };
      case "record":
        claimAll(
          body.fields.map((field) => field.name),
          "field",
        );
        this.#refuseEmpty(body.fields, name, "record", "field");
        return { kind: "record", fields: body.fields.map((field) => this.#field(field)) };
      case "variant":
        claimAll(
          body.cases.map((each) => each.name),
          "case",
        );
        this.#refuseEmpty(body.cases, name, "variant", "case");
        return {
          kind: "variant",
          cases: body.cases.map((each) => ({
            name: each.name.text,
            docs: each.docs,
            type: each.type && this.type(each.type),
          })),
        };
      case "enum":
      case "flags":
        claimAll(
          body.labels.map((label) => label.name),
          body.kind === "enum" ? "case" : "flag",
        );
        this.#refuseEmpty(body.labels, name, body.kind, body.kind === "enum" ? "case" : "flag");
        if (body.kind === "flags" && body.labels.length > flagsMax) {
          throw invalid(
            name.span,
            `flags "${name.text}" has ${body.labels.length} names: at most ${flagsMax} fit`,
          );
        }
        return {
          kind: body.kind,
          labels: body.labels.map((label) => ({ name: label.name.text, docs: label.docs })),
        };
    }
  }

  #resourceBody(name: Name, funcs: readonly ResourceFunc[]): TypeDefBody {
    const functions: Func[] = [];
    const names = new Names();
    for (const each of funcs) {
      names.claim(each.name, each.role === "constructor" ? "constructor" : "function");
      const { stability, closedBy } = this.#input.judge(each.attributes);
      if (closedBy !== undefined) continue;
      const func = this.func(each.name, each.func, each.attributes.docs, stability);
      if (each.role === "constructor") this.#checkConstructor(each.func.result, func, name);
      functions.push({ ...func, role: each.role });
    }
    return { kind: "resource", functions };
  }

  #refuseEmpty(list: readonly (Label | NamedType)[], name: Name, what: string, part: string): void {
    if (list.length === 0)
      throw invalid(name.span, `${what} "${name.text}" has no ${part}: it needs at least one`);
  }

  #field(field: NamedType): { name: string; docs: string | undefined; type: Type } {
    return { name: field.name.text, docs: field.docs, type: this.type(field.type) };
  }

  /** "Fallible constructors have an explicitly-written return type which must be of the form `result<r, ...>`". */
  #checkConstructor(written: TypeExpr | undefined, func: Func, resource: Name): void {
    if (written === undefined) return;
    const { result } = func;
    const ok = result?.kind === "result" ? result.ok : undefined;
    if (ok?.kind === "named" && ok.type.name === resource.text) return;
    throw invalid(
      written.span,
      `a constructor of "${resource.text}" gives nothing, or "result<${resource.text}, …>"`,
    );
  }

  func(name: Name, expr: FuncExpr, docs: string | undefined, stability: Func["stability"]): Func {
    claimAll(
      expr.params.map((param) => param.name),
      "parameter",
    );
    return {
      name: name.text,
      role: "free",
      isAsync: expr.isAsync,
      params: expr.params.map((param) => ({ name: param.name.text, type: this.type(param.type) })),
      result: expr.result && this.#resultType(expr.result),
      docs,
      stability,
    };
  }

  /** A function cannot give away what it was only lent. */
  #resultType(expr: TypeExpr): Type {
    const type = this.type(expr);
    if (containsBorrow(type, new Set())) throw invalid(expr.span, "a result cannot hold a borrowed handle");
    return type;
  }

  type(expr: TypeExpr): Type {
    switch (expr.kind) {
      case "primitive":
        return { kind: "primitive", primitive: expr.primitive };
      case "name":
        return { kind: "named", type: this.#finish(expr.name) };
      case "borrow":
      case "own": {
        const resource = this.#finish(expr.resource);
        if (!isResource(resource) || this.#handles.has(resource))
          throw invalid(expr.resource.span, `"${resource.name}" is no resource: only resources have handles`);
        return expr.kind === "own" ? { kind: "named", type: resource } : { kind: "borrow", resource };
      }
      case "list":
        return { kind: "list", element: this.type(expr.element), length: expr.length };
      case "map": {
        const key = this.type(expr.key);
        if (key.kind !== "primitive" || !mapKeys.has(key.primitive)) {
          throw invalid(expr.key.span, `a map's key is one of ${[...mapKeys].join(", ")}`);
        }
        return { kind: "map", key, value: this.type(expr.value) };
      }
      case "tuple":
        if (expr.elements.length === 0) throw invalid(expr.span, "a tuple has at least one element");
        return { kind: "tuple", elements: expr.elements.map((element) => this.type(element)) };
      case "option":
        return { kind: "option", some: this.type(expr.some) };
      case "result":
        return { kind: "result", ok: expr.ok && this.type(expr.ok), err: expr.err && this.type(expr.err) };
      case "stream":
      case "future":
        return { kind: expr.kind, element: expr.element && this.type(expr.element) };
    }
  }
}

function isUse(item: { readonly kind: string }): item is UseItem {
  return item.kind === "use";
}

function isType(item: { readonly kind: string }): item is TypeItem {
  return item.kind === "type";
}

/** Looks into named types, each once. */
function containsBorrow(type: Type, seen: Set<TypeDef>): boolean {
  switch (type.kind) {
    case "primitive":
      return false;
    case "borrow":
      return true;
    case "named": {
      const found = definitionOf(type.type);
      if (seen.has(found)) return false;
      seen.add(found);
      const { body } = found;
      if (body.kind === "alias") return containsBorrow(body.type, seen);
      if (body.kind === "record") return body.fields.some((field) => containsBorrow(field.type, seen));
      if (body.kind === "variant")
        return body.cases.some((each) => each.type !== undefined && containsBorrow(each.type, seen));
      return false;
    }
    case "list":
      return containsBorrow(type.element, seen);
    case "map":
      return containsBorrow(type.value, seen);
    case "tuple":
      return type.elements.some((element) => containsBorrow(element, seen));
    case "option":
      return containsBorrow(type.some, seen);
    case "result":
      return [type.ok, type.err].some((half) => half !== undefined && containsBorrow(half, seen));
    case "stream":
    case "future":
      return type.element !== undefined && containsBorrow(type.element, seen);
  }
}
