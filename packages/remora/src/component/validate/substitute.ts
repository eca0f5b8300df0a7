/** Puts other resource types in the place of some, throughout a type; what has none of them stays the same object. */

import type { FuncType, ResourceType, ValueType } from "../types.ts";
import type { ComponentType, Entity, InstanceType, ResourceRange, TypeEntity } from "./entity.ts";
import type { Work } from "./work.ts";

/** What stands for a resource type, or undefined where it stays. */
export type Replacement = (id: number) => ResourceType | undefined;

export class Substitution {
  readonly #replace: Replacement;
  readonly #work: Work;
  readonly #offset: number;
  // Each part once: a type may hold the same part many times over.
  readonly #values: Map<ValueType, ValueType>;
  readonly #funcs = new Map<FuncType, FuncType>();
  readonly #instances = new Map<InstanceType, InstanceType>();
  readonly #components = new Map<ComponentType, ComponentType>();

  /** @param values Value types that others stand for, as the types given for those that a component imports. */
  constructor(
    replace: Replacement,
    work: Work,
    offset: number,
    values: ReadonlyMap<ValueType, ValueType> = new Map(),
  ) {
    this.#values = new Map(values);
    this.#replace = replace;
    this.#work = work;
    this.#offset = offset;
  }

  entity(entity: Entity): Entity {
    this.#work.step(this.#offset);
    switch (entity.kind) {
      case "core-module":
        return entity;
      case "func":
        return { kind: "func", type: this.func(entity.type) };
      case "type":
        return { ...entity, type: this.typeEntity(entity.type) };
      case "component":
        return { kind: "component", type: this.component(entity.type) };
      case "instance":
        return { kind: "instance", type: this.instance(entity.type) };
    }
  }

  typeEntity(entity: TypeEntity): TypeEntity {
    switch (entity.kind) {
      case "value":
        return { kind: "value", type: this.value(entity.type) };
      case "func":
        return { kind: "func", type: this.func(entity.type) };
      case "resource":
        return { kind: "resource", resource: this.#resource(entity.resource) };
      case "component":
        return { kind: "component", type: this.component(entity.type) };
      case "instance":
        return { kind: "instance", type: this.instance(entity.type) };
    }
  }

  entities(entities: ReadonlyMap<string, Entity>): Map<string, Entity> {
    return new Map(Array.from(entities, ([name, entity]) => [name, this.entity(entity)]));
  }

  instance(type: InstanceType): InstanceType {
    return this.#once(this.#instances, type, () => {
      const inner = this.#outside(type.own);
      return { ...type, exports: inner.entities(type.exports) };
    });
  }

  component(type: ComponentType): ComponentType {
    return this.#once(this.#components, type, () => {
      const inner = this.#outside(type.own);
      return { ...type, imports: inner.entities(type.imports), exports: inner.entities(type.exports) };
    });
  }

  /** As this one, but the resource types that a type brings into being itself stay its own. */
  #outside(own: ResourceRange): Substitution {
    if (own.start === own.end) return this;
    const replace: Replacement = (id) => (id >= own.start && id < own.end ? undefined : this.#replace(id));
    return new Substitution(replace, this.#work, this.#offset, this.#values);
  }

  func(type: FuncType): FuncType {
    return this.#once(this.#funcs, type, () => {
      const params = type.params.map(({ name, type: param }) => ({ name, type: this.value(param) }));
      const result = type.result === undefined ? undefined : this.value(type.result);
      const isSame =
        result === type.result && params.every((param, index) => param.type === type.params[index]?.type);
      return isSame ? type : { ...type, params, result };
    });
  }

  value(type: ValueType): ValueType {
    return this.#once(this.#values, type, () => this.#valueOf(type));
  }

  #valueOf(type: ValueType): ValueType {
    const maybe = (inner: ValueType | undefined) => (inner === undefined ? undefined : this.value(inner));
    switch (type.kind) {
      case "record": {
        const fields = type.fields.map((field) => ({ ...field, type: this.value(field.type) }));
        return fields.every((field, index) => field.type === type.fields[index]?.type)
          ? type
          : { ...type, fields };
      }
      case "variant": {
        const cases = type.cases.map((entry) => ({ ...entry, type: maybe(entry.type) }));
        return cases.every((entry, index) => entry.type === type.cases[index]?.type)
          ? type
          : { ...type, cases };
      }
      case "tuple": {
        const elements = type.elements.map((element) => this.value(element));
        return elements.every((element, index) => element === type.elements[index])
          ? type
          : { ...type, elements };
      }
      case "list": {
        const element = this.value(type.element);
        return element === type.element ? type : { ...type, element };
      }
      case "map": {
        const [key, value] = [this.value(type.key), this.value(type.value)];
        return key === type.key && value === type.value ? type : { ...type, key, value };
      }
      case "option": {
        const some = this.value(type.some);
        return some === type.some ? type : { ...type, some };
      }
      case "result": {
        const [ok, err] = [maybe(type.ok), maybe(type.err)];
        return ok === type.ok && err === type.err ? type : { ...type, ok, err };
      }
      case "stream":
      case "future": {
        const element = maybe(type.element);
        return element === type.element ? type : { ...type, element };
      }
      case "own":
      case "borrow": {
        const resource = this.#resource(type.resource);
        return resource === type.resource ? type : { ...type, resource };
      }
      default:
        return type;
    }
  }

  #resource(resource: ResourceType): ResourceType {
    return this.#replace(resource.id) ?? resource;
  }

  #once<T extends object>(kept: Map<T, T>, type: T, make: () => T): T {
    let made = kept.get(type);
    if (made === undefined) {
      this.#work.step(this.#offset);
      made = make();
      kept.set(type, made);
    }
    return made;
  }
}
