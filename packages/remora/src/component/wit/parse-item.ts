/** What stands inside an interface or a world (WIT.md, "Item: …"). */

import type {
  Attributes,
  ExternItem,
  FuncItem,
  Gate,
  IncludeItem,
  InterfaceItem,
  ResourceFunc,
  TypeBody,
  TypeItem,
  UseItem,
  UsePath,
  WorldItem,
} from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import { parseFunc, parseList, parseNamedType, parseParams, parseType } from "./parse-type.ts";

const typeKeywords = ["type", "record", "variant", "enum", "flags", "resource"] as const;

/** Documentation and gates, in front of any item. */
export function parseAttributes(cursor: Cursor): Attributes {
  const { docs } = cursor.peek();
  const gates: Gate[] = [];
  let externalId: string | undefined;
  while (cursor.at("@")) {
    const { start } = cursor.next();
    const word = cursor.next().text;
    cursor.expect("(");
    if (word === "external-id") {
      if (cursor.peek().kind !== "string") throw cursor.unexpected("a text in quotes");
      externalId = cursor.next().text;
      cursor.expect(")");
    } else {
      gates.push(parseGate(cursor, word, start));
    }
  }
  return { docs, gates, externalId };
}

function parseGate(cursor: Cursor, word: string, start: number): Gate {
  const field = (name: string) => {
    const token = cursor.next();
    if (token.text !== name)
      throw cursor.error(cursor.spanOf(token), `expected "${name} = …", found "${token.text}"`);
    cursor.expect("=");
  };
  if (word === "unstable") {
    field("feature");
    const feature = cursor.name().text;
    cursor.expect(")");
    return { kind: "unstable", feature, span: cursor.spanFrom(start) };
  }
  if (word !== "since" && word !== "deprecated") {
    const allowed = "@since, @unstable, @deprecated or @external-id";
    throw cursor.error(cursor.spanFrom(start), `there is no gate "@${word}": expected ${allowed}`);
  }
  field("version");
  const version = cursor.version().text;
  cursor.expect(")");
  return { kind: word, version, span: cursor.spanFrom(start) };
}

/** The braces of an interface, and what is in them. */
export function parseInterfaceBody(cursor: Cursor): InterfaceItem["items"] {
  cursor.expect("{");
  const items: (UseItem | TypeItem | FuncItem)[] = [];
  while (!cursor.take("}")) {
    const attributes = parseAttributes(cursor);
    items.push(parseUseOrType(cursor, attributes) ?? parseFuncItem(cursor, attributes));
  }
  return items;
}

function parseUseOrType(cursor: Cursor, attributes: Attributes): UseItem | TypeItem | undefined {
  if (cursor.at("use")) return parseUse(cursor, attributes);
  const keyword = typeKeywords.find((each) => cursor.at(each));
  if (keyword === undefined) return undefined;
  cursor.next();
  const name = cursor.name();
  return { kind: "type", attributes, name, body: parseTypeBody(cursor, keyword) };
}

function parseTypeBody(cursor: Cursor, keyword: (typeof typeKeywords)[number]): TypeBody {
  if (keyword === "type") {
    cursor.expect("=");
    const type = parseType(cursor);
    cursor.expect(";");
    return { kind: "alias", type };
  }
  if (keyword === "resource") {
    if (cursor.take(";")) return { kind: "resource", funcs: [] };
    cursor.expect("{");
    const funcs: ResourceFunc[] = [];
    while (!cursor.take("}")) funcs.push(parseResourceFunc(cursor));
    return { kind: "resource", funcs };
  }
  cursor.expect("{");
  const label = () => {
    const { docs } = cursor.peek();
    return { name: cursor.name(), docs };
  };
  switch (keyword) {
    case "record":
      return { kind: "record", fields: parseList(cursor, "}", () => parseNamedType(cursor)) };
    case "variant":
      return {
        kind: "variant",
        cases: parseList(cursor, "}", () => {
          const head = label();
          const type = cursor.take("(") ? parseType(cursor) : undefined;
          if (type !== undefined) cursor.expect(")");
          return { ...head, type };
        }),
      };
    case "enum":
    case "flags":
      return { kind: keyword, labels: parseList(cursor, "}", label) };
  }
}

function parseResourceFunc(cursor: Cursor): ResourceFunc {
  const attributes = parseAttributes(cursor);
  const token = cursor.peek();
  if (cursor.take("constructor")) {
    const name = { text: token.text, span: cursor.spanOf(token) };
    const params = parseParams(cursor);
    const result = cursor.take("->") ? parseType(cursor) : undefined;
    cursor.expect(";");
    return { role: "constructor", attributes, name, func: { isAsync: false, params, result } };
  }
  const name = cursor.name();
  cursor.expect(":");
  const role = cursor.take("static") ? "static" : "method";
  const func = parseFunc(cursor);
  cursor.expect(";");
  return { role, attributes, name, func };
}

function parseFuncItem(cursor: Cursor, attributes: Attributes): FuncItem {
  if (cursor.peek().kind !== "word") throw cursor.unexpected('a function, a type, "use" or "}"');
  const name = cursor.name();
  cursor.expect(":");
  const func = parseFunc(cursor);
  cursor.expect(";");
  return { kind: "func", attributes, name, func };
}

function parseUse(cursor: Cursor, attributes: Attributes): UseItem {
  cursor.expect("use");
  const path = parsePath(cursor);
  cursor.expect(".");
  cursor.expect("{");
  const names = parseList(cursor, "}", () => {
    const name = cursor.name();
    return { name, as: cursor.take("as") ? cursor.name() : undefined };
  });
  cursor.expect(";");
  return { kind: "use", attributes, path, names };
}

/** `types`, or `wasi:http/types@1.0.0`. */
export function parsePath(cursor: Cursor): UsePath {
  const first = cursor.name();
  return cursor.at(":")
    ? parsePackagePath(cursor, first)
    : { package: undefined, name: first, span: first.span };
}

/** From the colon behind the namespace. */
function parsePackagePath(cursor: Cursor, namespace: { text: string; span: { start: number } }): UsePath {
  cursor.expect(":");
  const inner = cursor.name().text;
  if (cursor.at(":")) throw cursor.error(cursor.spanFrom(namespace.span.start), nestedNames);
  if (!cursor.at("/")) {
    const span = cursor.spanFrom(namespace.span.start);
    throw cursor.error(
      span,
      `"${namespace.text}:${inner}" is a package: expected an interface of it, "${namespace.text}:${inner}/…"`,
    );
  }
  cursor.next();
  const name = cursor.name();
  if (cursor.at("/")) throw cursor.error(cursor.spanFrom(namespace.span.start), nestedNames);
  const version = cursor.take("@") ? cursor.version().text : undefined;
  return {
    package: { namespace: namespace.text, name: inner, version },
    name,
    span: cursor.spanFrom(namespace.span.start),
  };
}

/** The specification marks them as a feature that is not settled. */
export const nestedNames = "nested namespaces and nested packages are not supported";

/** The braces of a world, and what is in them. */
export function parseWorldBody(cursor: Cursor): WorldItem["items"] {
  cursor.expect("{");
  const items: (ExternItem | IncludeItem | UseItem | TypeItem)[] = [];
  while (!cursor.take("}")) {
    const attributes = parseAttributes(cursor);
    items.push(
      parseUseOrType(cursor, attributes) ??
        parseExtern(cursor, attributes) ??
        parseInclude(cursor, attributes),
    );
  }
  return items;
}

function parseExtern(cursor: Cursor, attributes: Attributes): ExternItem | undefined {
  const kind = cursor.at("import") ? "import" : cursor.at("export") ? "export" : undefined;
  if (kind === undefined) return undefined;
  cursor.next();
  const name = cursor.name();
  const extern = parseExternType(cursor, name);
  return { kind, attributes, span: name.span, extern };
}

function parseExternType(cursor: Cursor, name: UsePath["name"]): ExternItem["extern"] {
  if (!cursor.at(":")) {
    cursor.expect(";");
    return { kind: "path", path: { package: undefined, name, span: name.span } };
  }
  // `a:b` is one name, `a: b` a name and what it stands for.
  const isTouching = cursor.peek().start === name.span.end;
  const colonEnd = cursor.peek().end;
  const isPath = isTouching && /[A-Za-z%]/.test(cursor.file.text[colonEnd] ?? "");
  if (
    isPath &&
    !/^(?:async\s+)?func\b(?!-)|^interface\b(?!-)/.test(cursor.file.text.slice(colonEnd, colonEnd + 40))
  ) {
    const path = parsePackagePath(cursor, name);
    cursor.expect(";");
    return { kind: "path", path };
  }
  cursor.expect(":");
  if (cursor.take("interface")) return { kind: "inline", name, items: parseInterfaceBody(cursor) };
  if (cursor.at("func") || cursor.at("async")) {
    const func = parseFunc(cursor);
    cursor.expect(";");
    return { kind: "func", name, func };
  }
  const path = parsePath(cursor);
  cursor.expect(";");
  return { kind: "named-path", name, path };
}

function parseInclude(cursor: Cursor, attributes: Attributes): IncludeItem {
  if (!cursor.at("include")) {
    throw cursor.unexpectedWord(["import", "export", "include", "use", ...typeKeywords, "}"]);
  }
  cursor.next();
  const path = parsePath(cursor);
  if (!cursor.take("with")) {
    cursor.expect(";");
    return { kind: "include", attributes, path, renames: [] };
  }
  cursor.expect("{");
  const renames = parseList(cursor, "}", () => {
    const name = cursor.name();
    cursor.expect("as");
    return { name, as: cursor.name() };
  });
  cursor.take(";");
  return { kind: "include", attributes, path, renames };
}
