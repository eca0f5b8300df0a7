/**
 * External visibility (Explainer.md, "External Visibility of Types"): whoever uses an import or export must be able
 * to name the resources, records, variants, enums and flags in its type, so each must have been imported or
 * exported before. An object stands for one such name: importing or exporting a type makes a new one.
 */

import type { FuncType, ResourceType, ValueType } from "../types.ts";
import type { ComponentType, Entity, TypeEntity } from "./entity.ts";
import { innerTypes } from "./value-types.ts";
import type { Work } from "./work.ts";

export class VisibleNames {
  readonly #names = new Set<ValueType | ResourceType>();
  readonly #work: Work;
  readonly #also: VisibleNames | undefined;

  /** @param also Exports may also use what was imported. */
  constructor(work: Work, also?: VisibleNames) {
    this.#work = work;
    this.#also = also;
  }

  /** The first thing in the type of an import or export that has no name; registers the names that it gives. */
  admit(entity: Entity, offset: number): string | undefined {
    this.#work.step(offset);
    switch (entity.kind) {
      case "func":
        return this.#hiddenInFunc(entity.type, offset);
      case "type":
        return this.#admitType(entity.type, offset);
      case "instance":
        for (const [name, inner] of entity.type.exports) {
          const hidden = this.admit(inner, offset);
          if (hidden !== undefined) return `"${name}": ${hidden}`;
        }
        return undefined;
      default:
        return undefined;
    }
  }

  #admitType(type: TypeEntity, offset: number): string | undefined {
    if (type.kind === "resource") this.#names.add(type.resource);
    if (type.kind === "func") return this.#hiddenInFunc(type.type, offset);
    if (type.kind === "instance") return new VisibleNames(this.#work, this).admit(type, offset);
    if (type.kind === "component") return this.#hiddenInComponent(type.type, offset);
    if (type.kind !== "value") return undefined;
    const seen = new Set<ValueType>();
    const hidden = needsName(type.type)
      ? firstOf(innerTypes(type.type), (inner) => this.#hidden(inner, seen, offset))
      : this.#hidden(type.type, seen, offset);
    this.#names.add(type.type);
    return hidden;
  }

  /** The type of a component has names of its own for what it imports and exports. */
  #hiddenInComponent(type: ComponentType, offset: number): string | undefined {
    const names = new VisibleNames(this.#work, this);
    return firstOf([...type.imports.values(), ...type.exports.values()], (entity) =>
      names.admit(entity, offset),
    );
  }

  #hiddenInFunc(type: FuncType, offset: number): string | undefined {
    const seen = new Set<ValueType>();
    const types = type.params.map((param) => param.type);
    if (type.result !== undefined) types.push(type.result);
    return firstOf(types, (inner) => this.#hidden(inner, seen, offset));
  }

  #hidden(type: ValueType, seen: Set<ValueType>, offset: number): string | undefined {
    if (seen.has(type)) return undefined;
    seen.add(type);
    this.#work.step(offset);
    if (type.kind === "own" || type.kind === "borrow") {
      return this.#has(type.resource) ? undefined : "it uses a resource type that has no name outside";
    }
    if (needsName(type))
      return this.#has(type) ? undefined : `it uses a ${type.kind} that has no name outside`;
    return firstOf(innerTypes(type), (inner) => this.#hidden(inner, seen, offset));
  }

  #has(name: ValueType | ResourceType): boolean {
    return this.#names.has(name) || (this.#also?.has(name) ?? false);
  }

  has(name: ValueType | ResourceType): boolean {
    return this.#has(name);
  }
}

function needsName(type: ValueType): boolean {
  return type.kind === "record" || type.kind === "variant" || type.kind === "enum" || type.kind === "flags";
}

function firstOf<T>(items: readonly T[], find: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The same type under a new name: another object. */
export function renamed(entity: Entity, name: string): Entity {
  if (entity.kind !== "type") return entity;
  const { type } = entity;
  if (type.kind === "resource") {
    return { ...entity, type: { kind: "resource", resource: { id: type.resource.id, name } } };
  }
  // Primitives have one object for all; they need no name.
  if (type.kind === "value" && needsName(type.type)) {
    return { ...entity, type: { kind: "value", type: { ...type.type } } };
  }
  return entity;
}
