/** A WIT file from its text (WIT.md, "Top-level items"). */

import type { FileTree, PackageDecl, PackageItem, PackagePart } from "./ast.ts";
import { Cursor } from "./cursor.ts";
import { nestedNames, parseAttributes, parseInterfaceBody, parsePath, parseWorldBody } from "./parse-item.ts";
import type { WitFile } from "./source.ts";

export function parseFile(file: WitFile): FileTree {
  const cursor = new Cursor(file);
  const items: PackageItem[] = [];
  const nested: PackagePart[] = [];
  let own: PackageDecl | undefined;
  let isFirst = true;
  while (cursor.peek().kind !== "end") {
    if (cursor.at("package")) {
      const start = cursor.peek().start;
      const declared = parsePackageDecl(cursor);
      if (cursor.at("{")) nested.push(parseNested(cursor, declared, start));
      else if (isFirst) own = endOf(cursor, declared);
      else throw cursor.unexpected('"{"; a package line stands first in its file');
    } else {
      items.push(parsePackageItem(cursor));
    }
    isFirst = false;
  }
  return { own: { package: own, items, text: file.text }, nested };
}

function endOf(cursor: Cursor, declared: PackageDecl): PackageDecl {
  if (!cursor.take(";")) throw cursor.unexpected('";" or "{"');
  return declared;
}

function parseNested(cursor: Cursor, declared: PackageDecl, start: number): PackagePart {
  cursor.expect("{");
  const items: PackageItem[] = [];
  while (!cursor.take("}")) items.push(parsePackageItem(cursor));
  return { package: declared, items, text: cursor.file.text.slice(start, cursor.lastEnd) };
}

function parsePackageDecl(cursor: Cursor): PackageDecl {
  const { start, docs } = cursor.expect("package");
  const namespace = cursor.name().text;
  cursor.expect(":");
  const name = cursor.name().text;
  if (cursor.at(":") || cursor.at("/")) throw cursor.error(cursor.spanFrom(start), nestedNames);
  const version = cursor.take("@") ? cursor.version().text : undefined;
  return { namespace, name, version, docs, span: cursor.spanFrom(start) };
}

function parsePackageItem(cursor: Cursor): PackageItem {
  const attributes = parseAttributes(cursor);
  if (cursor.take("use")) {
    const path = parsePath(cursor);
    const as = cursor.take("as") ? cursor.name() : undefined;
    cursor.expect(";");
    return { kind: "top-level-use", path, as };
  }
  if (cursor.take("interface")) {
    const name = cursor.name();
    return { kind: "interface", attributes, name, items: parseInterfaceBody(cursor) };
  }
  if (cursor.take("world")) {
    const name = cursor.name();
    return { kind: "world", attributes, name, items: parseWorldBody(cursor) };
  }
  throw cursor.unexpectedWord(["use", "interface", "world"]);
}
