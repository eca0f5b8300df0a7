/** The names of one list of imports or exports: well formed, strongly unique, and fitting what they stand for. */

import { componentErrors } from "../errors.ts";
import type { NameAttributes } from "../model.ts";
import type { FuncType, ResourceType } from "../types.ts";
import type { Entity } from "./entity.ts";
import {
  type ExternName,
  isCanonicalVersion,
  isInterfaceName,
  isValidVersion,
  parseExternName,
  uniquenessKey,
  versionOf,
} from "./extern-names.ts";

export class NameScope {
  readonly #what: "import" | "export";
  readonly #keys = new Map<string, string>();
  /** By label; the very objects, since a type that was named again is to be used under its new name. */
  readonly #resources = new Map<string, ResourceType>();

  constructor(what: "import" | "export") {
    this.#what = what;
  }

  add(name: string, entity: Entity, attributes: NameAttributes | undefined, offset: number): void {
    const parsed = this.addInline(name, entity, attributes, offset);
    if (parsed.kind === "label" && entity.kind === "type" && entity.type.kind === "resource") {
      this.#resources.set(parsed.label, entity.type.resource);
    }
  }

  /** As `add`, for an instance that is written as a list of exports: these give no new names to resource types. */
  addInline(
    name: string,
    entity: Entity,
    attributes: NameAttributes | undefined,
    offset: number,
  ): ExternName {
    const parsed = this.#parse(name, offset);
    this.#checkAnnotation(name, parsed, entity, offset);
    if (attributes !== undefined) this.#checkAttributes(name, parsed, entity, attributes, offset);
    return parsed;
  }

  /** A name among arguments or inline exports, where nothing but uniqueness matters. */
  #parse(name: string, offset: number): ExternName {
    const parsed = parseExternName(name);
    if (parsed === undefined)
      this.#fail(`"${name}" is neither a kebab-case name nor a valid interface name`, offset);
    const key = uniquenessKey(name);
    const other = this.#keys.get(key);
    if (other !== undefined) this.#fail(`"${name}" conflicts with "${other}"`, offset);
    this.#keys.set(key, name);
    return parsed;
  }

  #checkAnnotation(name: string, parsed: ExternName, entity: Entity, offset: number): void {
    if (parsed.kind === "label" || parsed.kind === "interface") return;
    if (entity.kind !== "func") this.#fail(`"${name}" is not a function`, offset);
    const resource = this.#resources.get(parsed.resource);
    if (resource === undefined) this.#fail(`"${name}" belongs to no resource "${parsed.resource}"`, offset);
    if (parsed.kind === "constructor" && !constructs(entity.type, resource)) {
      this.#fail(`"${name}" does not return its resource`, offset);
    }
    if (parsed.kind === "method") {
      const self = entity.type.params[0];
      if (self?.name !== "self" || self.type.kind !== "borrow" || self.type.resource !== resource) {
        this.#fail(`the first parameter of "${name}" is not "self", a borrow of its resource`, offset);
      }
    }
  }

  /** Binary.md: `implements` is for instances with a plain name, `versionsuffix` for canonical interface names. */
  #checkAttributes(
    name: string,
    parsed: ExternName,
    entity: Entity,
    attributes: NameAttributes,
    offset: number,
  ): void {
    const { implements: implemented, versionSuffix } = attributes;
    if (implemented !== undefined) {
      if (!isInterfaceName(implemented)) this.#fail(`"${implemented}" is not an interface name`, offset);
      if (entity.kind !== "instance" || parsed.kind !== "label") {
        this.#fail(`"${name}" implements an interface without being an instance with a plain name`, offset);
      }
    }
    if (versionSuffix !== undefined) {
      const version = versionOf(name);
      if (version === undefined || !isCanonicalVersion(version)) {
        this.#fail(`"${name}" has a version suffix, but no canonical version`, offset);
      }
      if (!isValidVersion(version + versionSuffix)) {
        this.#fail(`"${version}${versionSuffix}" is not a valid version`, offset);
      }
    }
  }

  #fail(what: string, offset: number): never {
    throw componentErrors.invalid({ what: `${this.#what} name ${what}`, offset });
  }
}

function constructs(type: FuncType, resource: ResourceType): boolean {
  const result = type.result?.kind === "result" ? type.result.ok : type.result;
  return result?.kind === "own" && result.resource === resource;
}
