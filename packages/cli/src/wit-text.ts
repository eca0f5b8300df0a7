/**
 * What a component imports and exports, written as WIT. Types are compared by structure, and their names are those
 * under which an interface exports them; a type that has no name there is written out.
 *
 * The publisher controls the types, and thirty definitions that each use the one before twice unfold to a
 * thousand million: so structure is compared without unfolding, and what is written out has a bound.
 */

import type { ExternType, FuncType, ValueType } from "remora/component";

/** Types written out for one component; what comes after is "…". */
const TYPES_WRITTEN_MAX = 100_000;

/** A definition that would be longer is broken, a line a part. */
const LINE_LENGTH_MAX = 100;

/** The items of a world, one after the other, indented by two spaces a level. */
export function witLines(world: {
  readonly imports: ReadonlyMap<string, ExternType>;
  readonly exports: ReadonlyMap<string, ExternType>;
}): string[] {
  const printer = new WitPrinter(TYPES_WRITTEN_MAX);
  printer.items(world.imports, "import ", "", new Map());
  printer.items(world.exports, "export ", "", new Map());
  return printer.lines;
}

type Items = ReadonlyMap<string, ExternType>;

/** Names of types, by the number of their structure. */
type Names = ReadonlyMap<number, string>;

class WitPrinter {
  readonly lines: string[] = [];
  readonly #structures = new Structures();
  #typesLeft: number;

  constructor(typesMax: number) {
    this.#typesLeft = typesMax;
  }

  items(items: Items, lead: string, indent: string, outer: Names): void {
    const names = new Map(outer);
    for (const [name, item] of items) {
      if (item.kind === "type" && hasBody(item.type)) names.set(this.#structures.numberOf(item.type), name);
    }
    const add = (text: string) => this.lines.push(indent + text);
    for (const [name, item] of items) {
      switch (item.kind) {
        case "func":
          // A method stands with its resource.
          if (methodOf(name) === undefined) add(`${lead}${name}: ${this.#func(item.type, names)};`);
          break;
        case "type":
          this.#definition(name, item.type, indent, names);
          break;
        case "resource":
          this.#resource(name, items, indent, names);
          break;
        case "instance":
          if (item.exports.size === 0) add(`${lead}${name};`);
          else {
            add(`${lead}${name} {`);
            this.items(item.exports, "", `${indent}  `, names);
            add("}");
          }
          break;
        case "component":
        case "core-module":
          add(`${lead}${name}: ${item.kind === "component" ? "component" : "core module"};`);
          break;
      }
    }
  }

  #resource(resource: string, items: Items, indent: string, names: Names): void {
    const methods: string[] = [];
    for (const [name, item] of items) {
      const method = methodOf(name);
      if (item.kind === "func" && method?.resource === resource) {
        methods.push(`${indent}  ${this.#method(method, item.type, names)};`);
      }
    }
    if (methods.length === 0) this.lines.push(`${indent}resource ${resource};`);
    else {
      this.lines.push(`${indent}resource ${resource} {`);
      for (const method of methods) this.lines.push(method);
      this.lines.push(`${indent}}`);
    }
  }

  /** The first parameter of a method is the resource itself, and a constructor gives it back. */
  #method({ kind, own }: Method, type: FuncType, names: Names): string {
    if (kind === "constructor") return `constructor(${this.#params(type.params, names)})`;
    if (kind === "static") return `${own}: static ${this.#func(type, names)}`;
    return `${own}: ${this.#func({ ...type, params: type.params.slice(1) }, names)}`;
  }

  #func(type: FuncType, names: Names): string {
    const result = type.result === undefined ? "" : ` -> ${this.#type(type.result, names)}`;
    return `${type.isAsync ? "async " : ""}func(${this.#params(type.params, names)})${result}`;
  }

  #params(params: FuncType["params"], names: Names): string {
    return params.map((param) => `${param.name}: ${this.#type(param.type, names)}`).join(", ");
  }

  /** `type meters = f64;`, `record point { x: f64, y: f64 }`, and a long one a line a part. */
  #definition(name: string, type: ValueType, indent: string, names: Names): void {
    const parts = this.#parts(type, names);
    if (parts === undefined) this.lines.push(`${indent}type ${name} = ${this.#type(type, names)};`);
    else {
      const line = `${indent}${type.kind} ${name} { ${parts.join(", ")} }`;
      if (line.length <= LINE_LENGTH_MAX) this.lines.push(line);
      else {
        this.lines.push(`${indent}${type.kind} ${name} {`);
        for (const part of parts) this.lines.push(`${indent}  ${part},`);
        this.lines.push(`${indent}}`);
      }
    }
  }

  /** A type where it is used: by its name if it has one. */
  #type(type: ValueType, names: Names): string {
    const name = hasBody(type) ? names.get(this.#structures.numberOf(type)) : undefined;
    if (name !== undefined) return name;
    if (this.#typesLeft-- <= 0) return "…";
    const inner = (one: ValueType | undefined) => (one === undefined ? "_" : this.#type(one, names));
    switch (type.kind) {
      case "list":
        return `list<${inner(type.element)}${type.length === undefined ? "" : `, ${type.length}`}>`;
      case "map":
        return `map<${inner(type.key)}, ${inner(type.value)}>`;
      case "tuple":
        return `tuple<${type.elements.map(inner).join(", ")}>`;
      case "option":
        return `option<${inner(type.some)}>`;
      case "result":
        if (type.err !== undefined) return `result<${inner(type.ok)}, ${inner(type.err)}>`;
        return type.ok === undefined ? "result" : `result<${inner(type.ok)}>`;
      case "own":
        return type.resource.name;
      case "borrow":
        return `borrow<${type.resource.name}>`;
      case "stream":
      case "future":
        return type.element === undefined ? type.kind : `${type.kind}<${inner(type.element)}>`;
      default: {
        const parts = this.#parts(type, names);
        return parts === undefined ? type.kind : `${type.kind} { ${parts.join(", ")} }`;
      }
    }
  }

  /** What stands in the braces of a definition; undefined for types that have none. */
  #parts(type: ValueType, names: Names): string[] | undefined {
    switch (type.kind) {
      case "record":
        return type.fields.map((field) => `${field.name}: ${this.#type(field.type, names)}`);
      case "variant":
        return type.cases.map((one) =>
          one.type === undefined ? one.name : `${one.name}(${this.#type(one.type, names)})`,
        );
      case "flags":
      case "enum":
        return [...type.names];
      default:
        return undefined;
    }
  }
}

interface Method {
  readonly kind: string;
  readonly resource: string;
  readonly own: string;
}

/** `[method]message.lat` belongs to `message` (component-model, Explainer.md). */
function methodOf(name: string): Method | undefined {
  const match = /^\[(constructor|method|static)\]([^.]+)(?:\.(.+))?$/.exec(name);
  if (match === null) return undefined;
  const [, kind = "", resource = "", own = ""] = match;
  return { kind, resource, own };
}

/** The kinds that WIT defines by name; all others are written where they are used. */
function hasBody(type: ValueType): boolean {
  return type.kind === "record" || type.kind === "variant" || type.kind === "flags" || type.kind === "enum";
}

/** Numbers for types, equal where the structure is. A type is looked at once, however often it is used. */
class Structures {
  readonly #byType = new WeakMap<ValueType, number>();
  readonly #byShape = new Map<string, number>();

  numberOf(type: ValueType): number {
    const known = this.#byType.get(type);
    if (known !== undefined) return known;
    const shape = JSON.stringify(this.#shapeOf(type));
    const found = this.#byShape.get(shape) ?? this.#byShape.size;
    this.#byShape.set(shape, found);
    this.#byType.set(type, found);
    return found;
  }

  /** The type with the types in it replaced by their numbers. */
  #shapeOf(type: ValueType): unknown {
    const inner = (one: ValueType | undefined) => (one === undefined ? null : this.numberOf(one));
    switch (type.kind) {
      case "record":
        return [type.kind, type.fields.map((field) => [field.name, inner(field.type)])];
      case "variant":
        return [type.kind, type.cases.map((one) => [one.name, inner(one.type)])];
      case "flags":
      case "enum":
        return [type.kind, type.names];
      case "list":
        return [type.kind, inner(type.element), type.length ?? null];
      case "map":
        return [type.kind, inner(type.key), inner(type.value)];
      case "tuple":
        return [type.kind, type.elements.map(inner)];
      case "option":
        return [type.kind, inner(type.some)];
      case "result":
        return [type.kind, inner(type.ok), inner(type.err)];
      case "own":
      case "borrow":
        return [type.kind, type.resource.id];
      case "stream":
      case "future":
        return [type.kind, inner(type.element)];
      default:
        return type.kind;
    }
  }
}
