/** Whether a type refers to a resource type that it does not itself bring into being. */

import type { FuncType, ValueType } from "../types.ts";
import type { Entity, ResourceRange, TypeEntity } from "./entity.ts";
import { innerTypes } from "./value-types.ts";

export function usesOuterResource(type: TypeEntity): boolean {
  return new Search().type(type, []);
}

class Search {
  // A type may hold the same part many times over.
  readonly #seen = new Set<object>();

  type(type: TypeEntity, own: readonly ResourceRange[]): boolean {
    switch (type.kind) {
      case "resource":
        return !isOwn(type.resource.id, own);
      case "value":
        return this.#value(type.type, own);
      case "func":
        return this.#func(type.type, own);
      case "component":
        return this.#entities(
          [...type.type.imports.values(), ...type.type.exports.values()],
          [...own, type.type.own],
        );
      case "instance":
        return this.#entities([...type.type.exports.values()], [...own, type.type.own]);
    }
  }

  #entities(entities: readonly Entity[], own: readonly ResourceRange[]): boolean {
    return entities.some((entity) => this.#entity(entity, own));
  }

  #entity(entity: Entity, own: readonly ResourceRange[]): boolean {
    switch (entity.kind) {
      case "core-module":
        return false;
      case "func":
        return this.#func(entity.type, own);
      case "type":
        return this.type(entity.type, own);
      case "component":
      case "instance":
        return this.type(entity as TypeEntity, own); // Of these two kinds, both are the same.
    }
  }

  #func(type: FuncType, own: readonly ResourceRange[]): boolean {
    if (type.result !== undefined && this.#value(type.result, own)) return true;
    return type.params.some((param) => this.#value(param.type, own));
  }

  #value(type: ValueType, own: readonly ResourceRange[]): boolean {
    if (this.#seen.has(type)) return false;
    this.#seen.add(type);
    if (type.kind === "own" || type.kind === "borrow") return !isOwn(type.resource.id, own);
    return innerTypes(type).some((inner) => this.#value(inner, own));
  }
}

function isOwn(id: number, own: readonly ResourceRange[]): boolean {
  return own.some((range) => id >= range.start && id < range.end);
}
