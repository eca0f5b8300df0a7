/** Types where they are used, and signatures (WIT.md, "Types" and "Item: func"). */

import type { PrimitiveKind } from "../types.ts";
import type { FuncExpr, NamedType, TypeExpr } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import { witErrors } from "./errors.ts";
import { placeOf } from "./source.ts";

/** `list<list<…>>` as deep as this is nothing that a person wrote. */
const depthMax = 100;
const fixedLengthMax = 2 ** 32 - 1;

const primitives: ReadonlySet<string> = new Set<PrimitiveKind>([
  ...(["bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64"] as const),
  ...(["char", "string", "error-context"] as const),
]);

export function parseType(cursor: Cursor, depth = 0): TypeExpr {
  const start = cursor.peek();
  if (depth > depthMax) {
    const place = placeOf(cursor.spanOf(start));
    throw witErrors["wit-limit"]({ ...place, what: "types inside each other", max: depthMax });
  }
  const inner = () => parseType(cursor, depth + 1);
  const span = () => cursor.spanFrom(start.start);
  if (start.kind !== "word") throw cursor.unexpected("a type");
  if (start.isEscaped) return named(cursor);
  if (primitives.has(start.text)) {
    cursor.next();
    // The set above holds these names and no others.
    return { kind: "primitive", primitive: start.text as PrimitiveKind, span: span() };
  }
  switch (start.text) {
    case "list": {
      cursor.next();
      cursor.expect("<");
      const element = inner();
      const length = cursor.take(",") ? fixedLength(cursor) : undefined;
      cursor.expect(">");
      return { kind: "list", element, length, span: span() };
    }
    case "map": {
      cursor.next();
      cursor.expect("<");
      const key = inner();
      cursor.expect(",");
      const value = inner();
      cursor.expect(">");
      return { kind: "map", key, value, span: span() };
    }
    case "tuple":
      cursor.next();
      cursor.expect("<");
      return { kind: "tuple", elements: parseList(cursor, ">", inner), span: span() };
    case "option": {
      cursor.next();
      cursor.expect("<");
      const some = inner();
      cursor.expect(">");
      return { kind: "option", some, span: span() };
    }
    case "result":
      return result(cursor, inner);
    case "stream":
    case "future": {
      cursor.next();
      const element = cursor.take("<") ? inner() : undefined;
      if (element !== undefined) cursor.expect(">");
      return { kind: start.text, element, span: span() };
    }
    case "borrow":
    case "own": {
      cursor.next();
      cursor.expect("<");
      const resource = cursor.name();
      cursor.expect(">");
      return { kind: start.text, resource, span: span() };
    }
    default:
      return named(cursor);
  }
}

function named(cursor: Cursor): TypeExpr {
  const name = cursor.name();
  return { kind: "name", name, span: name.span };
}

function result(cursor: Cursor, inner: () => TypeExpr): TypeExpr {
  const { start } = cursor.next();
  let ok: TypeExpr | undefined;
  let err: TypeExpr | undefined;
  if (cursor.take("<")) {
    const hasOk = !cursor.take("_");
    if (hasOk) ok = inner();
    if (hasOk ? cursor.take(",") : cursor.expect(",")) err = inner();
    cursor.expect(">");
  }
  return { kind: "result", ok, err, span: cursor.spanFrom(start) };
}

function fixedLength(cursor: Cursor): number {
  const token = cursor.peek();
  if (token.kind !== "integer") throw cursor.unexpected("the length of the list");
  cursor.next();
  const length = Number(token.text);
  if (length >= 1 && length <= fixedLengthMax && !token.text.startsWith("0")) return length;
  throw cursor.error(
    cursor.spanOf(token),
    `a fixed length is from 1 to ${fixedLengthMax}, found ${token.text}`,
  );
}

/** `async? func(a: u32) -> string`, from its first word. */
export function parseFunc(cursor: Cursor): FuncExpr {
  const isAsync = cursor.take("async");
  cursor.expect("func");
  const params = parseParams(cursor);
  const result = cursor.take("->") ? parseType(cursor) : undefined;
  return { isAsync, params, result };
}

export function parseParams(cursor: Cursor): NamedType[] {
  cursor.expect("(");
  return parseList(cursor, ")", () => parseNamedType(cursor));
}

export function parseNamedType(cursor: Cursor): NamedType {
  const { docs } = cursor.peek();
  const name = cursor.name();
  cursor.expect(":");
  return { name, type: parseType(cursor), docs };
}

/** Entries with commas between them, a comma behind the last allowed, up to and including `end`. */
export function parseList<Entry>(cursor: Cursor, end: string, parseEntry: () => Entry): Entry[] {
  const entries: Entry[] = [];
  while (!cursor.take(end)) {
    entries.push(parseEntry());
    if (cursor.take(",")) continue;
    if (!cursor.at(end)) throw cursor.unexpected(`"," or "${end}"`);
  }
  return entries;
}
