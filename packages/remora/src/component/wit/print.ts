/** WIT text of a model: what the parser reads back as the same. */

import { keywords } from "./lexer.ts";
import {
  type DocumentedLabel,
  type Func,
  type Interface,
  packageId,
  type Stability,
  type Type,
  type TypeDef,
  type WitPackage,
  type World,
  type WorldItem,
} from "./model.ts";

/** Prints packages: the first with a line of its own, each further one in braces. */
export function printPackages(packages: Iterable<WitPackage>): string {
  const parts: string[] = [];
  for (const each of packages) {
    const items = [...each.interfaces.values(), ...each.worlds.values()].map((item) => itemLines(item));
    const body = items.flatMap((lines, index) => (index === 0 ? lines : ["", ...lines]));
    const docs = docLines(each.docs, {});
    const head = `package ${packageId(each.name)}`;
    const lines =
      parts.length === 0
        ? [...docs, `${head};`, ...(body.length > 0 ? ["", ...body] : [])]
        : block(docs, head, body);
    parts.push(lines.join("\n"));
  }
  return `${parts.join("\n\n")}\n`;
}

function itemLines(item: Interface | World): string[] {
  const docs = docLines(item.docs, item.stability);
  const head = `${item.kind} ${label(item.name)}`;
  return block(docs, head, item.kind === "interface" ? interfaceBody(item) : worldBody(item));
}

function interfaceBody(found: Interface): string[] {
  const parts = [
    ...usesAndTypes(found.types.values(), found),
    ...[...found.functions.values()].map(funcItem),
  ];
  return spaced(parts);
}

function worldBody(world: World): string[] {
  const parts = usesAndTypes(world.types.values(), world);
  for (const [kind, items] of [
    ["import", world.imports],
    ["export", world.exports],
  ] as const) {
    for (const [name, item] of items) {
      if (item.kind === "interface" && item.isImplied) continue;
      parts.push(externLines({ kind, name, item, world }));
    }
  }
  return spaced(parts);
}

function externLines(extern: {
  readonly kind: "import" | "export";
  readonly name: string;
  readonly item: WorldItem;
  readonly world: World;
}): string[] {
  const { kind, name, item, world } = extern;
  const external = item.externalId === undefined ? [] : [`@external-id(${JSON.stringify(item.externalId)})`];
  const head = (docs: string | undefined) => [...docLines(docs, item.stability), ...external];
  if (item.kind === "func") {
    return [...head(item.func.docs), `${kind} ${label(name)}: ${signature(item.func)};`];
  }
  const { id, docs } = item.interface;
  if (id === undefined)
    return block(head(docs), `${kind} ${label(name)}: interface`, interfaceBody(item.interface));
  const path = pathTo(item.interface, world);
  return [...head(undefined), id === name ? `${kind} ${path};` : `${kind} ${label(name)}: ${path};`];
}

/** `use`s of one interface are one line, and stand first. */
function usesAndTypes(types: Iterable<TypeDef>, owner: Interface | World): string[][] {
  const uses = new Map<string, { gates: string[]; names: string[] }>();
  const definitions: string[][] = [];
  for (const type of types) {
    const { body } = type;
    if (body.kind !== "use") {
      definitions.push(definitionLines(type));
      continue;
    }
    const { target } = body;
    const path = pathTo(target.owner, owner);
    const gates = docLines(undefined, type.stability);
    const key = [path, ...gates].join("\n");
    const names = uses.get(key) ?? { gates, names: [] };
    uses.set(key, names);
    const renamed = target.name === type.name ? "" : ` as ${label(type.name)}`;
    names.names.push(`${label(target.name)}${renamed}`);
  }
  const lines = [...uses].map(([key, { gates, names }]) => [
    ...gates,
    `use ${key.split("\n", 1)[0]}.{${names.join(", ")}};`,
  ]);
  return [...(lines.length > 0 ? [lines.flat()] : []), ...definitions];
}

/** Within a package the bare name is enough. */
function pathTo(target: Interface | World, from: Interface | World): string {
  const id = target.id ?? target.name;
  return packageOf(id) === packageOf(from.id ?? "") ? label(target.name) : idText(id);
}

/** `a:b@1.0.0` of `a:b/c@1.0.0` */
function packageOf(id: string): string {
  const [path = "", version = ""] = id.split("@");
  return `${path.slice(0, path.indexOf("/"))}@${version}`;
}

function definitionLines(type: TypeDef): string[] {
  const docs = docLines(type.docs, type.stability);
  const { body } = type;
  const name = label(type.name);
  const labels = (list: readonly DocumentedLabel[], textOf: (each: DocumentedLabel) => string) =>
    list.flatMap((each) => [...docLines(each.docs, {}), `${textOf(each)},`]);
  switch (body.kind) {
    case "use":
      return [...docs, `use ${label(body.target.owner.name)}.{${label(body.target.name)} as ${name}};`];
    case "alias":
      return [...docs, `type ${name} = ${typeText(body.type)};`];
    case "record": {
      const fields = body.fields.flatMap((field) => [
        ...docLines(field.docs, {}),
        `${label(field.name)}: ${typeText(field.type)},`,
      ]);
      return block(docs, `record ${name}`, fields);
    }
    case "variant": {
      const cases = body.cases.flatMap((each) => {
        const payload = each.type === undefined ? "" : `(${typeText(each.type)})`;
        return [...docLines(each.docs, {}), `${label(each.name)}${payload},`];
      });
      return block(docs, `variant ${name}`, cases);
    }
    case "enum":
    case "flags":
      return block(
        docs,
        `${body.kind} ${name}`,
        labels(body.labels, (each) => label(each.name)),
      );
    case "resource":
      if (body.functions.length === 0) return [...docs, `resource ${name};`];
      return block(docs, `resource ${name}`, spaced(body.functions.map(funcItem)));
  }
}

function funcItem(func: Func): string[] {
  const docs = docLines(func.docs, func.stability);
  if (func.role === "constructor") {
    const result = func.result === undefined ? "" : ` -> ${typeText(func.result)}`;
    return [...docs, `constructor${params(func)}${result};`];
  }
  const isStatic = func.role === "static" ? "static " : "";
  return [...docs, `${label(func.name)}: ${isStatic}${signature(func)};`];
}

function signature(func: Func): string {
  const result = func.result === undefined ? "" : ` -> ${typeText(func.result)}`;
  return `${func.isAsync ? "async " : ""}func${params(func)}${result}`;
}

function params(func: Func): string {
  return `(${func.params.map((param) => `${label(param.name)}: ${typeText(param.type)}`).join(", ")})`;
}

export function typeText(type: Type): string {
  switch (type.kind) {
    case "primitive":
      return type.primitive;
    case "named":
      return label(type.type.name);
    case "borrow":
      return `borrow<${label(type.resource.name)}>`;
    case "list":
      return `list<${typeText(type.element)}${type.length === undefined ? "" : `, ${type.length}`}>`;
    case "map":
      return `map<${typeText(type.key)}, ${typeText(type.value)}>`;
    case "tuple":
      return `tuple<${type.elements.map(typeText).join(", ")}>`;
    case "option":
      return `option<${typeText(type.some)}>`;
    case "result": {
      const err = type.err === undefined ? "" : `, ${typeText(type.err)}`;
      if (type.ok === undefined && err === "") return "result";
      return `result<${type.ok === undefined ? "_" : typeText(type.ok)}${err}>`;
    }
    case "stream":
    case "future":
      return type.element === undefined ? type.kind : `${type.kind}<${typeText(type.element)}>`;
  }
}

/** Keywords are names behind a percent sign. */
function label(name: string): string {
  return keywords.has(name) ? `%${name}` : name;
}

/** `wasi:clocks/types@0.3.0`, each of its names as a label. */
function idText(id: string): string {
  const [path = "", version] = id.split("@");
  const names = path.replace(/[^:/]+/g, label);
  return version === undefined ? names : `${names}@${version}`;
}

function docLines(docs: string | undefined, stability: Stability): string[] {
  const lines = docs === undefined ? [] : docs.split("\n").map((line) => `/// ${line}`.trimEnd());
  if (stability.since !== undefined) lines.push(`@since(version = ${stability.since})`);
  if (stability.unstable !== undefined) lines.push(`@unstable(feature = ${stability.unstable})`);
  if (stability.deprecated !== undefined) lines.push(`@deprecated(version = ${stability.deprecated})`);
  return lines;
}

function block(docs: readonly string[], head: string, body: readonly string[]): string[] {
  if (body.length === 0) return [...docs, `${head} {}`];
  return [...docs, `${head} {`, ...body.map((line) => (line === "" ? "" : `  ${line}`)), "}"];
}

/** An empty line behind `use` and between parts of several lines; other parts of one line stand together. */
function spaced(parts: readonly (readonly string[])[]): string[] {
  const lines: string[] = [];
  for (const [index, part] of parts.entries()) {
    const before = parts[index - 1];
    const isApart = part.length > 1 || (before?.length ?? 0) > 1 || before?.[0]?.startsWith("use ");
    if (before !== undefined && isApart) lines.push("");
    lines.push(...part);
  }
  return lines;
}
