/**
 * Whether one thing may stand where another is wanted (Explainer.md, "Subtyping"). Value and function types must be
 * equal; instances may have more exports; components may import less and export more. A resource type that the
 * wanted type leaves open is bound to the one that is given, and stands for it from then on.
 */

import type { FuncType, ResourceType, ValueType } from "../types.ts";
import { coreMismatch } from "./core-module.ts";
import type { ComponentType, CoreModuleType, Entity, ResourceRange, TypeEntity } from "./entity.ts";
import { innerTypes } from "./value-types.ts";
import type { Work } from "./work.ts";

/** Resource types that the wanted side leaves open, and what they were bound to. */
export type Bindings = Map<number, ResourceType>;

export class Matcher {
  readonly bindings: Bindings;
  /** Named value types that were wanted, and the equal ones given for them, which are known by other names. */
  readonly values: Map<ValueType, ValueType>;
  readonly #open: (id: number) => boolean;
  readonly #work: Work;
  readonly #offset: number;
  readonly #equal = new Map<ValueType, Set<ValueType>>();

  /** @param open Whether the wanted side leaves a resource type open. */
  constructor(
    work: Work,
    offset: number,
    open: (id: number) => boolean,
    bindings: Bindings = new Map(),
    values: Map<ValueType, ValueType> = new Map(),
  ) {
    this.#work = work;
    this.#offset = offset;
    this.values = values;
    this.#open = open;
    this.bindings = bindings;
  }

  /** Why `given` does not fit, from outside in; undefined when it does. */
  mismatch(given: Entity, wanted: Entity): string | undefined {
    this.#work.step(this.#offset);
    if (given.kind !== wanted.kind) return `expected a ${wanted.kind}, found a ${given.kind}`;
    switch (wanted.kind) {
      case "core-module":
        return given.kind === wanted.kind ? moduleMismatch(given.type, wanted.type) : undefined;
      case "func":
        return given.kind === wanted.kind ? this.#funcMismatch(given.type, wanted.type) : undefined;
      case "type":
        return given.kind === wanted.kind
          ? this.#typeMismatch(given.type, wanted.type, wanted.isAbstract)
          : undefined;
      case "component":
        return given.kind === wanted.kind ? this.#componentMismatch(given.type, wanted.type) : undefined;
      case "instance":
        return given.kind === wanted.kind
          ? this.#exportsMismatch(given.type.exports, wanted.type.exports, wanted.type.own)
          : undefined;
    }
  }

  #exportsMismatch(
    given: ReadonlyMap<string, Entity>,
    wanted: ReadonlyMap<string, Entity>,
    own: ResourceRange,
  ): string | undefined {
    const inner = this.#opening(own);
    for (const [name, entity] of wanted) {
      const found = given.get(name);
      if (found === undefined) return `missing expected export "${name}"`;
      const why = inner.mismatch(found, entity);
      if (why !== undefined) return `export "${name}": ${why}`;
    }
    return undefined;
  }

  /** As this one, with more resource types open. */
  #opening(own: ResourceRange): Matcher {
    if (own.start === own.end) return this;
    return new Matcher(
      this.#work,
      this.#offset,
      (id) => (id >= own.start && id < own.end) || this.#open(id),
      this.bindings,
      this.values,
    );
  }

  #typeMismatch(given: TypeEntity, wanted: TypeEntity, isAbstract: boolean): string | undefined {
    if (given.kind !== wanted.kind) return `expected a ${wanted.kind} type, found a ${given.kind} type`;
    switch (wanted.kind) {
      case "resource": {
        if (given.kind !== "resource") return undefined;
        const { id } = wanted.resource;
        if (isAbstract && this.#open(id) && !this.bindings.has(id)) {
          this.bindings.set(id, given.resource);
          return undefined;
        }
        return this.#isSameResource(given.resource, wanted.resource)
          ? undefined
          : "resource types are not the same";
      }
      case "value":
        if (given.kind !== "value") return undefined;
        if (!this.#isSameValue(given.type, wanted.type))
          return `type mismatch: expected another ${wanted.type.kind}`;
        if (!this.values.has(wanted.type)) this.values.set(wanted.type, given.type);
        return undefined;
      case "func":
        return given.kind === "func" ? this.#funcMismatch(given.type, wanted.type) : undefined;
      case "component":
        return given.kind === "component" ? this.#componentMismatch(given.type, wanted.type) : undefined;
      case "instance":
        return given.kind === "instance"
          ? this.#exportsMismatch(given.type.exports, wanted.type.exports, wanted.type.own)
          : undefined;
    }
  }

  #isSameResource(given: ResourceType, wanted: ResourceType): boolean {
    return (this.bindings.get(wanted.id) ?? wanted).id === given.id;
  }

  #funcMismatch(given: FuncType, wanted: FuncType): string | undefined {
    if (given.isAsync !== wanted.isAsync)
      return `expected ${wanted.isAsync ? "an async" : "a synchronous"} function`;
    if (given.params.length !== wanted.params.length) {
      return `expected ${wanted.params.length} parameters, found ${given.params.length}`;
    }
    for (const [index, param] of wanted.params.entries()) {
      const found = given.params[index];
      if (found?.name !== param.name)
        return `expected parameter named "${param.name}", found "${found?.name}"`;
      if (!this.#isSameValue(found.type, param.type))
        return `type mismatch in function parameter "${param.name}"`;
    }
    if ((given.result === undefined) !== (wanted.result === undefined)) return "mismatched number of results";
    if (
      given.result !== undefined &&
      wanted.result !== undefined &&
      !this.#isSameValue(given.result, wanted.result)
    ) {
      return "type mismatch with result type";
    }
    return undefined;
  }

  #isSameValue(given: ValueType, wanted: ValueType): boolean {
    this.#work.step(this.#offset);
    if (given.kind !== wanted.kind) return false;
    // Bindings only grow, so that two types once found equal stay so.
    const known = this.#equal.get(given);
    if (known?.has(wanted)) return true;
    if (!this.#isSameShape(given, wanted)) return false;
    const inner = innerTypes(wanted);
    const found = innerTypes(given);
    const isSame =
      inner.length === found.length &&
      inner.every((type, index) => this.#isSameValue(found[index] as ValueType, type));
    if (isSame) {
      if (known === undefined) this.#equal.set(given, new Set([wanted]));
      else known.add(wanted);
    }
    return isSame;
  }

  /** All of two types of one kind but what stands inside them. */
  #isSameShape(given: ValueType, wanted: ValueType): boolean {
    switch (wanted.kind) {
      case "record":
        return given.kind === "record" && sameNames(given.fields, wanted.fields);
      case "variant":
        return (
          given.kind === "variant" &&
          sameNames(given.cases, wanted.cases) &&
          given.cases.every(
            (entry, index) => (entry.type === undefined) === (wanted.cases[index]?.type === undefined),
          )
        );
      case "flags":
      case "enum":
        return given.kind === wanted.kind && given.names.join("\n") === wanted.names.join("\n");
      case "list":
        return given.kind === "list" && given.length === wanted.length;
      case "result":
        return (
          given.kind === "result" &&
          (given.ok === undefined) === (wanted.ok === undefined) &&
          (given.err === undefined) === (wanted.err === undefined)
        );
      case "own":
      case "borrow":
        return given.kind === wanted.kind && this.#isSameResource(given.resource, wanted.resource);
      default:
        return true;
    }
  }

  /** A component that is given may ask for less than what it will be given, and give more than it is asked for. */
  #componentMismatch(given: ComponentType, wanted: ComponentType): string | undefined {
    // What the given one imports it will get from what the wanted one imports: the other way round.
    const imports = new Matcher(
      this.#work,
      this.#offset,
      (id) => id >= given.own.start && id < given.own.end,
    );
    for (const [name, entity] of given.imports) {
      const offered = wanted.imports.get(name);
      if (offered === undefined) return `missing expected import "${name}"`;
      const why = imports.mismatch(offered, entity);
      if (why !== undefined) return `import "${name}": ${why}`;
    }
    // Within the exports, what both import is the same.
    const shared: Bindings = new Map(this.bindings);
    for (const [id, resource] of imports.bindings) shared.set(resource.id, { id, name: resource.name });
    const isOpen = (id: number) => (id >= wanted.own.start && id < wanted.own.end) || this.#open(id);
    const exports = new Matcher(this.#work, this.#offset, isOpen, shared);
    for (const [name, entity] of wanted.exports) {
      const found = given.exports.get(name);
      if (found === undefined) return `missing expected export "${name}"`;
      const why = exports.mismatch(found, entity);
      if (why !== undefined) return `export "${name}": ${why}`;
    }
    return undefined;
  }
}

function sameNames(
  given: readonly { readonly name: string }[],
  wanted: readonly { readonly name: string }[],
): boolean {
  return given.length === wanted.length && given.every((entry, index) => entry.name === wanted[index]?.name);
}

function moduleMismatch(given: CoreModuleType, wanted: CoreModuleType): string | undefined {
  const key = (module: string, name: string) => JSON.stringify([module, name]);
  const offers = new Map(wanted.imports.map((item) => [key(item.module, item.name), item.type]));
  for (const { module, name, type } of given.imports) {
    const offered = offers.get(key(module, name));
    if (offered === undefined) return `missing expected import "${module}" "${name}"`;
    const why = coreMismatch(offered, type);
    if (why !== undefined) return `import "${module}" "${name}": ${why}`;
  }
  for (const [name, type] of wanted.exports) {
    const found = given.exports.get(name);
    if (found === undefined) return `missing expected export "${name}"`;
    const why = coreMismatch(found, type);
    if (why !== undefined) return `export "${name}": ${why}`;
  }
  return undefined;
}
