/**
 * The files of the repository as the rules see them: paths relative to the root, text, and for TypeScript the
 * code without comments and strings. A test makes a tree of a few lines; `readTree` reads the real one.
 */

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { codeOf, type Import, importsOf } from "./scan.ts";

export interface SourceFile {
  /** Relative to the root, with slashes. */
  readonly path: string;
  readonly text: string;
  /** TypeScript with comments and strings blanked; the text itself for other files. */
  readonly code: string;
  readonly imports: readonly Import[];
}

export type Tree = ReadonlyMap<string, SourceFile>;

export const root = join(dirname(fileURLToPath(import.meta.url)), "..");

const FOLDERS_LEFT_OUT = new Set(["node_modules", "dist", "target", "suites"]);
const TEXT_FILE =
  /\.(ts|js|mjs|json|md|wit|yaml|yml|toml|txt|sh|c|h|rs|proto)$|(^|\/)(run|\.npmrc|\.gitignore)$/;
const TEXT_BYTES_MAX = 1_000_000;

/** TypeScript that we write for Node; the sources of a guest are in its own language, whatever their ending. */
export function isSource(path: string): boolean {
  return path.endsWith(".ts") && !path.endsWith(".d.ts") && !isGuestSource(path) && !isFixture(path);
}

/** AssemblyScript ends in `.ts` too; templates are plugins, which are built where they are copied to. */
function isGuestSource(path: string): boolean {
  return /\/assembly\/|^(templates|sdk\/assemblyscript\/worlds)\//.test(path);
}

/** Input that was made by someone or something else, and is kept as it came. */
export function isFixture(path: string): boolean {
  return /(^|\/)fixtures\//.test(path);
}

export function isTest(path: string): boolean {
  return path.endsWith(".test.ts");
}

/** Tests, and what tests alone import: it is no part of what anybody runs or installs. */
export function testFiles(tree: Tree): ReadonlySet<string> {
  const importers = new Map<string, string[]>();
  for (const file of tree.values()) {
    for (const one of file.imports) {
      if (!one.specifier.startsWith(".")) continue;
      const target = posix.join(posix.dirname(file.path), one.specifier);
      importers.set(target, [...(importers.get(target) ?? []), file.path]);
    }
  }
  const found = new Set([...tree.keys()].filter(isTest));
  for (let sizeBefore = -1; sizeBefore !== found.size; ) {
    sizeBefore = found.size;
    for (const [path, from] of importers) if (from.every((one) => found.has(one))) found.add(path);
  }
  return found;
}

/** A tree of these files: `{ "packages/x/src/a.ts": "export const a = 1;" }`. */
export function treeOf(files: Readonly<Record<string, string>>): Tree {
  const tree = new Map<string, SourceFile>();
  for (const [path, text] of Object.entries(files)) {
    const code = isSource(path) ? codeOf(text) : text;
    tree.set(path, { path, text, code, imports: isSource(path) ? importsOf(text, code) : [] });
  }
  return tree;
}

/** All text files of the repository, without what is installed, built or fetched. */
export function readTree(): Tree {
  const files: Record<string, string> = {};
  const walk = (folder: string) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = posix.join(folder, entry.name);
      const isHidden = entry.name.startsWith(".") && entry.name !== ".ci";
      if (entry.isDirectory() && !isHidden && !FOLDERS_LEFT_OUT.has(entry.name)) walk(path);
      if (!entry.isFile() || entry.name.endsWith(".tsbuildinfo")) continue;
      const isText = TEXT_FILE.test(path) && !isFixture(path);
      const text = isText ? readFileSync(join(root, path), "utf8") : "";
      files[path] = text.length <= TEXT_BYTES_MAX ? text : "";
    }
  };
  walk("");
  return treeOf(files);
}

/** Parses a JSON file of the tree; comments in a tsconfig are allowed. */
export function jsonOf(tree: Tree, path: string): unknown {
  const text = tree.get(path)?.text;
  if (text === undefined) return undefined;
  return JSON.parse(text);
}
