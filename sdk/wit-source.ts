/**
 * A folder of WIT as one text, for tools that take no folder: the package of the folder's own files, then each
 * package of `deps/` in braces of its own (WIT.md, "Nested package definitions").
 */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const packageLine = /^package\s+([^;{]+);[^\n]*\n/m;

/** All of `folder`, its `deps/` included. The files of one package stand behind one `package` line. */
export function witSource(folder: string): string {
  const own = readPackage(folder);
  const names = new Set(readdirSync(folder));
  const deps = names.has("deps") ? readdirSync(join(folder, "deps")).sort() : [];
  const nested = deps.map((dep) => {
    const { name, body } = readPackage(join(folder, "deps", dep));
    return `package ${name} {\n${body}}\n`;
  });
  return `package ${own.name};\n${own.body}${nested.join("")}`;
}

function readPackage(folder: string): { name: string; body: string } {
  let name = "";
  let body = "";
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith(".wit")) continue;
    const text = readFileSync(join(folder, file), "utf8");
    const match = packageLine.exec(text);
    name = match?.[1]?.trim() ?? name;
    body += text.replace(packageLine, "");
  }
  if (name === "") throw new Error(`Cannot read WIT in "${folder}": no file has a package line`);
  return { name, body };
}
