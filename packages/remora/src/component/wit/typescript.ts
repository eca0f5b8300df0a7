/**
 * TypeScript types of a world: one interface for what its components export, one for what their host gives, and
 * for each WIT interface its functions, with its types in a namespace of the same name.
 */

import { camelCase, functionName, pascalCase } from "../names.ts";
import type { Func, Interface, TypeDef, World, WorldItem } from "./model.ts";
import {
  type AnswerBy,
  answerText,
  caseText,
  docLines,
  funcDocLines,
  mayBeLeftOut,
  type NameOf,
  paramsText,
  signatureText,
  typeText,
  usedGlobals,
} from "./typescript-values.ts";

/** A guest's resource is an object that is disposed of; a host's is any object with the methods. */
type Side = "imports" | "exports";

/**
 * Writes the types of a world as the text of a `.d.ts` file that compiles under `strict`. The world
 * `filter-plugin` gives `FilterPlugin`, what its components export, for `load<FilterPlugin>(bytes)`; and
 * `FilterPluginImports`, what a host gives them.
 *
 * @param options `allAsync: true` for a host some of whose functions take time, and for guests behind a wall: all that is
 *                exported gives promises, a constructor too, and what is imported may.
 */
export function generateTypes(world: World, options: TypesOptions = {}): string {
  const writer = new WorldWriter(world, options);
  return `${writer.lines().join("\n")}\n`;
}

export interface TypesOptions {
  readonly allAsync?: boolean;
}

/** An interface as it is on one side; of one that stands on both, the types of its resources differ. */
interface Placed {
  readonly interface: Interface;
  readonly side: Side;
  readonly name: string;
}

class WorldWriter {
  readonly #world: World;
  readonly #taken = new Set<string>(usedGlobals);
  readonly #placed = new Map<Interface, Partial<Record<Side, Placed>>>();
  readonly #name: string;
  readonly #importsName: string;
  readonly #answerBy: Readonly<Record<Side, AnswerBy>>;

  constructor(world: World, { allAsync = false }: TypesOptions) {
    this.#world = world;
    this.#answerBy = allAsync
      ? { exports: "promise", imports: "either" }
      : { exports: "world", imports: "world" };
    this.#name = this.#claim([pascalCase(world.name)]);
    this.#importsName = this.#claim([`${pascalCase(world.name)}Imports`]);
    for (const side of ["exports", "imports"] as const) {
      for (const [key, item] of world[side]) {
        if (item.kind === "interface") this.#place(item.interface, side, key);
      }
    }
  }

  lines(): string[] {
    const world = this.#world;
    const lines = [
      `// Types of the world ${world.id}, written by \`remora types\`. Changes here are lost.`,
      "",
    ];
    const docs = docLines(world.docs, world.stability);
    // Aliases, not interfaces: only those go with the records of names that instances have, and that `load` takes.
    lines.push(...docs, ...aliasBlock(`export type ${this.#name}`, this.#exportLines()), "");
    lines.push(...aliasBlock(`export type ${this.#importsName}`, this.#importLines()), "");
    if (world.types.size > 0) {
      const types = this.#typeLines(world.types.values(), "imports", this.#namesWithin(world, "imports"));
      lines.push(...block([], `export declare namespace ${this.#name}`, types), "");
    }
    for (const sides of this.#placed.values()) {
      for (const placed of [sides.exports, sides.imports]) {
        if (placed !== undefined) lines.push(...this.#interfaceLines(placed), "");
      }
    }
    // A file without an import or export would be a script, whose types are global.
    return lines.slice(0, -1);
  }

  /** Under full names, and under short ones where only one has it, as the runtime gives them. */
  #exportLines(): string[] {
    const shortNames = new Map<string, number>();
    for (const [key, item] of this.#world.exports) {
      const short = shortName(key, item);
      if (short !== undefined) shortNames.set(short, (shortNames.get(short) ?? 0) + 1);
    }
    const nameOf = this.#names("exports");
    const lines: string[] = [];
    for (const [key, item] of this.#world.exports) {
      if (item.kind === "func") {
        lines.push(...funcLines(item.func, nameOf, this.#answerBy.exports));
        continue;
      }
      const type = this.#placed.get(item.interface)?.exports?.name;
      const docs = docLines(item.interface.docs, item.stability);
      lines.push(...docs, `readonly ${propertyName(key)}: ${type};`);
      const short = shortName(key, item);
      if (short !== undefined && shortNames.get(short) === 1 && !this.#world.exports.has(short)) {
        lines.push(...docs, `readonly ${short}: ${type};`);
      }
    }
    return lines;
  }

  #importLines(): string[] {
    const nameOf = this.#names("imports");
    const lines: string[] = [];
    for (const type of this.#world.types.values()) lines.push(...classMember(type, nameOf, "imports"));
    for (const [key, item] of this.#world.imports) {
      if (item.kind === "func") {
        lines.push(...funcLines(item.func, nameOf, this.#answerBy.imports));
      } else if (hasMembers(item.interface)) {
        const type = this.#placed.get(item.interface)?.imports?.name;
        lines.push(
          ...docLines(item.interface.docs, item.stability),
          `readonly ${propertyName(key)}: ${type};`,
        );
      }
    }
    return lines;
  }

  #interfaceLines(placed: Placed): string[] {
    const found = placed.interface;
    const nameOf = this.#names(placed.side);
    const members = [...found.types.values()].flatMap((type) => classMember(type, nameOf, placed.side));
    const answerBy = this.#answerBy[placed.side];
    for (const func of found.functions.values()) members.push(...funcLines(func, nameOf, answerBy));
    const docs = docLines(found.docs, found.stability);
    const isMember = members.length > 0 || placed.side === "exports";
    const lines = isMember ? block(docs, `export interface ${placed.name}`, members) : [];
    if (found.types.size === 0) return lines;
    const types = this.#typeLines(found.types.values(), placed.side, this.#namesWithin(found, placed.side));
    if (isMember) lines.push("");
    return [...lines, ...block(isMember ? [] : docs, `export declare namespace ${placed.name}`, types)];
  }

  #typeLines(types: Iterable<TypeDef>, side: Side, nameOf: NameOf): string[] {
    const lines: string[] = [];
    for (const type of types) {
      if (lines.length > 0) lines.push("");
      lines.push(...definitionLines(type, side, nameOf, this.#answerBy[side]));
    }
    return lines;
  }

  /** Names of types as they are written anywhere: each behind its namespace. */
  #names(side: Side): NameOf {
    return (type) => {
      if (type.owner.kind === "world") return `${this.#name}.${typeName(type)}`;
      const sides = this.#placed.get(type.owner);
      const other: Side = side === "exports" ? "imports" : "exports";
      const placed = sides?.[side] ?? sides?.[other];
      return `${placed?.name ?? pascalCase(type.owner.name)}.${typeName(type)}`;
    };
  }

  /** Names of types as they are written inside a namespace: its own bare. */
  #namesWithin(owner: Interface | World, side: Side): NameOf {
    const names = this.#names(side);
    return (type) => (type.owner === owner ? typeName(type) : names(type));
  }

  #place(found: Interface, side: Side, key: string): void {
    const sides = this.#placed.get(found) ?? {};
    if (sides[side] !== undefined) return;
    const short = pascalCase(found.name);
    const [packagePath = ""] = key.split("@");
    const long = pascalCase(packagePath.replace(/[:/]/g, "-"));
    const name = this.#claim([short, long, `${short}${side === "imports" ? "Import" : "Export"}`]);
    this.#placed.set(found, { ...sides, [side]: { interface: found, side, name } });
  }

  /** The first of the names that is free, or the last with a number behind it. */
  #claim(names: readonly string[]): string {
    let name = names.find((each) => !this.#taken.has(each));
    for (let number = 2; name === undefined; number++) {
      const numbered = `${names.at(-1)}${number}`;
      if (!this.#taken.has(numbered)) name = numbered;
    }
    this.#taken.add(name);
    return name;
  }
}

/** `filter` for `omnitak:plugin/filter@0.1.0`; a plain name has no shorter one. */
function shortName(key: string, item: WorldItem): string | undefined {
  return item.kind === "interface" && key.includes("/") ? camelCase(item.interface.name) : undefined;
}

function propertyName(key: string): string {
  return key.includes(":") ? JSON.stringify(key) : camelCase(key);
}

function typeName(type: TypeDef): string {
  const name = pascalCase(type.name);
  return usedGlobals.includes(name) ? `${name}_` : name;
}

function hasMembers(found: Interface): boolean {
  return found.functions.size > 0 || [...found.types.values()].some((type) => type.body.kind === "resource");
}

function funcLines(func: Func, nameOf: NameOf, answerBy: AnswerBy): string[] {
  const name = functionName(func.name);
  // `new(…)` in an interface would be a construct signature.
  const property = name === "new" ? '"new"' : name;
  return [...funcDocLines(func, nameOf), `${property}${signatureText(func, nameOf, answerBy)};`];
}

/** The class of a resource among the functions of its interface. */
function classMember(type: TypeDef, nameOf: NameOf, side: Side): string[] {
  if (type.body.kind !== "resource") return [];
  const name = nameOf(type);
  const isPlain = type.body.functions.every((func) => func.role === "method");
  // A host's resource without a constructor or static functions may be the methods alone.
  const target = side === "imports" && isPlain ? `${name} | ${name}Class` : `${name}Class`;
  const key = name.slice(name.lastIndexOf(".") + 1);
  return [...docLines(type.docs, type.stability), `readonly ${key}: ${target};`];
}

function definitionLines(type: TypeDef, side: Side, nameOf: NameOf, answerBy: AnswerBy): string[] {
  const { body } = type;
  const name = typeName(type);
  const docs = docLines(type.docs, type.stability);
  switch (body.kind) {
    case "use":
      return [...docs, `export type ${name} = ${nameOf(body.target)};`];
    case "alias":
      return [...docs, `export type ${name} = ${typeText(body.type, nameOf)};`];
    case "record": {
      const fields = body.fields.flatMap((field) => {
        const optional = mayBeLeftOut(field.type) ? "?" : "";
        const line = `${camelCase(field.name)}${optional}: ${typeText(field.type, nameOf)};`;
        return [...docLines(field.docs, {}), line];
      });
      return block(docs, `export interface ${name}`, fields);
    }
    case "variant": {
      const cases = body.cases.flatMap((each) => [
        ...docLines(each.docs, {}),
        `| ${caseText(each.name, each.type, nameOf)}`,
      ]);
      return union(docs, name, cases);
    }
    case "enum": {
      const cases = body.labels.flatMap((label) => [
        ...docLines(label.docs, {}),
        `| ${JSON.stringify(label.name)}`,
      ]);
      return union(docs, name, cases);
    }
    case "flags": {
      const flags = body.labels.flatMap((label) => [
        ...docLines(label.docs, {}),
        `${camelCase(label.name)}?: boolean;`,
      ]);
      return block(docs, `export interface ${name}`, flags);
    }
    case "resource":
      return resourceLines({ name, docs, functions: body.functions, side, nameOf, answerBy });
  }
}

function resourceLines(resource: {
  readonly name: string;
  readonly docs: readonly string[];
  readonly functions: readonly Func[];
  readonly side: Side;
  readonly nameOf: NameOf;
  readonly answerBy: AnswerBy;
}): string[] {
  const { name, docs, functions, side, nameOf, answerBy } = resource;
  const methods = functions
    .filter((func) => func.role === "method")
    .flatMap((func) => funcLines(func, nameOf, answerBy));
  methods.push(side === "exports" ? "[Symbol.dispose](): void;" : "[Symbol.dispose]?(): void;");
  const statics = functions
    .filter((func) => func.role === "static")
    .flatMap((func) => funcLines(func, nameOf, answerBy));
  const maker = functions.find((func) => func.role === "constructor");
  const instance = block(docs, `export interface ${name}`, methods);
  if (maker === undefined && side === "imports") {
    // Without a constructor in the world, it is the host's own business how its class makes objects.
    const made = `export type ${name}Class = abstract new (...args: never[]) => ${name}`;
    if (statics.length === 0) return [...instance, "", `${made};`];
    const combined = aliasBlock(`${made.replace("= ", "= (")}) &`, statics);
    return [...instance, "", ...combined];
  }
  const members = [`readonly prototype: ${name};`, ...statics];
  if (maker !== undefined) {
    // A class of the host's makes its objects at once; `new` of a guest's gives a promise where its calls do.
    const made = answerText(name, side === "exports" ? answerBy : "world");
    members.unshift(...funcDocLines(maker, nameOf), `new ${paramsText(maker, nameOf)}: ${made};`);
  }
  return [...instance, "", ...block([], `export interface ${name}Class`, members)];
}

const lineLengthMax = 100;

/** On one line when it fits and nothing is documented. */
function union(docs: readonly string[], name: string, cases: readonly string[]): string[] {
  const short = `export type ${name} = ${cases.map((line) => line.replace(/^\| /, "")).join(" | ")};`;
  const isDocumented = cases.some((line) => !line.startsWith("|"));
  if (!isDocumented && short.length <= lineLengthMax) return [...docs, short];
  const lines = cases.map((line) => `  ${line}`);
  const last = lines.length - 1;
  return [
    ...docs,
    `export type ${name} =`,
    ...lines.map((line, index) => (index === last ? `${line};` : line)),
  ];
}

/** `type X = {…};` */
function aliasBlock(head: string, body: readonly string[]): string[] {
  const separator = head.endsWith("&") ? "" : " =";
  if (body.length === 0) return [`${head}${separator} {};`];
  return [`${head}${separator} {`, ...body.map((line) => `  ${line}`), "};"];
}

function block(docs: readonly string[], head: string, body: readonly string[]): string[] {
  if (body.length === 0) return [...docs, `${head} {}`];
  return [...docs, `${head} {`, ...body.map((line) => (line === "" ? "" : `  ${line}`)), "}"];
}
