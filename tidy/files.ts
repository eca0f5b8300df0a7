/** Where files are and what they are called. The rules behind `files.test.ts`. */

import { posix } from "node:path";
import type { Finding } from "./finding.ts";
import { type Layer, layerOf, layers } from "./layer-table.ts";
import { lineAt } from "./scan.ts";
import { isFixture, isSource, isTest, jsonOf, type SourceFile, type Tree } from "./tree.ts";

const NAMELESS = /(^|[/.-])(utils?|helpers?|common|misc|stuff)([/.-])/;

/** A file is named after the one idea in it; these names say that nobody has named it yet. */
export function namelessFindings(tree: Tree): Finding[] {
  return [...tree.values()]
    .filter((file) => NAMELESS.test(file.path) && !isFixture(file.path))
    .map((file) => ({
      file: file.path,
      line: 1,
      what: `is called "${NAMELESS.exec(file.path)?.[2]}"`,
      why: "which names no idea",
      instead: "name the file after what is in it, and split it if that takes two names",
    }));
}

const KEBAB = /^\.?[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/;
const SHOUTED = /^([A-Z]+(\.md)?|Cargo\.(toml|lock)|CMakeLists\.txt|Makefile|Dockerfile)$/;

export function kebabFindings(tree: Tree): Finding[] {
  const findings: Finding[] = [];
  for (const file of tree.values()) {
    if (isFixture(file.path)) continue;
    const bad = file.path.split("/").find((part) => !KEBAB.test(part) && !SHOUTED.test(part));
    if (bad === undefined) continue;
    findings.push({
      file: file.path,
      line: 1,
      what: `has "${bad}" in its path`,
      why: "but names are in kebab-case, so that they are the same on every file system",
      instead: `call it "${bad
        .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
        .replaceAll("_", "-")
        .toLowerCase()}"`,
    });
  }
  return findings;
}

/** A layer has one index, its entry; an index below it hides where things are. */
export function indexFindings(tree: Tree, table: readonly Layer[] = layers): Finding[] {
  const findings: Finding[] = [];
  for (const file of tree.values()) {
    const layer = isSource(file.path) ? layerOf(file.path, table) : undefined;
    if (layer === undefined || posix.basename(file.path) !== "index.ts") continue;
    if (file.path === `${layer.folder}/index.ts`) continue;
    findings.push({
      file: file.path,
      line: 1,
      what: "is an index below its layer's",
      why: "so a reader has two places to look for everything",
      instead: "import from the file that has the thing",
    });
  }
  return findings;
}

/** A file opens with what it is for. Tests open with their claims. */
export function openingFindings(tree: Tree): Finding[] {
  const findings: Finding[] = [];
  for (const file of tree.values()) {
    if (!isSource(file.path) || isTest(file.path)) continue;
    const first = file.text.replace(/^#!.*\n/, "").trimStart();
    if (first.startsWith("/*") || first.startsWith("//")) continue;
    findings.push({
      file: file.path,
      line: 1,
      what: "opens without a comment",
      why: "so a reader has to guess what it is for",
      instead: "begin with one to four sentences: purpose, idea, source",
    });
  }
  return findings;
}

// In two halves, since this file is read by its own rule.
const LEFTOVER = new RegExp(
  `\\b(${["TO|DO", "FIX|ME", "X|XX", "HA|CK"].map((word) => word.replace("|", "")).join("|")})\\b`,
  "g",
);

export function leftoverFindings(tree: Tree): Finding[] {
  const findings: Finding[] = [];
  for (const file of tree.values()) {
    if (/(^|\/)(package-lock\.json|LICENSE)$/.test(file.path)) continue;
    for (const match of file.text.matchAll(LEFTOVER)) {
      findings.push({
        file: file.path,
        line: lineAt(file.text, match.index),
        what: `says ${match[0]}`,
        why: "which nobody finds again",
        instead: "do it now, or say what is so in a plain sentence",
      });
    }
  }
  return findings;
}

/**
 * Files that nothing runs: not a package's entry or program, not a test, not named in a package script, the
 * continuous-integration script or a document, and not imported by any that is.
 */
export function unreachedFindings(tree: Tree): Finding[] {
  const reached = new Set<string>();
  const visit = (path: string) => {
    const file = tree.get(path);
    if (file === undefined || reached.has(path)) return;
    reached.add(path);
    for (const one of file.imports) {
      if (one.specifier.startsWith(".")) visit(posix.join(posix.dirname(path), one.specifier));
    }
  };
  for (const file of tree.values()) {
    if (!isSource(file.path)) continue;
    if (isTest(file.path) || isNamed(tree, file)) visit(file.path);
  }
  for (const path of packageEntries(tree)) visit(path);
  return [...tree.values()]
    .filter((file) => isSource(file.path) && !reached.has(file.path))
    .map((file) => ({
      file: file.path,
      line: 1,
      what: "is reached from no entry, test or script",
      why: "so nothing shows that it works",
      instead: "use it, test it, name it in a script or document, or delete it",
    }));
}

/** A program that somebody is told to run: its path stands in a script or a document, or in its own usage. */
function isNamed(tree: Tree, file: SourceFile): boolean {
  for (const other of tree.values()) {
    const isTelling =
      other.path === ".ci/run" || other.path.endsWith(".md") || posix.basename(other.path) === "package.json";
    if (isTelling && other.text.includes(file.path)) return true;
  }
  return new RegExp(`\`(node|npm) [^\`]*${file.path.replaceAll(".", "\\.")}`).test(file.text);
}

interface Manifest {
  readonly exports?: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
}

function packageEntries(tree: Tree): string[] {
  const found: string[] = [];
  for (const path of tree.keys()) {
    if (posix.basename(path) !== "package.json") continue;
    // npm reads the same file; what is not there reads as undefined.
    const { exports = {}, bin = {} } = jsonOf(tree, path) as Manifest;
    for (const entry of [...Object.values(exports), ...Object.values(bin)]) {
      found.push(posix.join(posix.dirname(path), entry));
    }
  }
  return found;
}

export interface Size {
  readonly what: string;
  readonly lines: number;
}

/** The largest files and functions, for a reader to decide whether each is a table or a tangle. */
export function sizes(tree: Tree, most: number): { readonly files: Size[]; readonly functions: Size[] } {
  const files: Size[] = [];
  const functions: Size[] = [];
  for (const file of tree.values()) {
    if (!isSource(file.path) || isTest(file.path)) continue;
    files.push({ what: file.path, lines: file.text.split("\n").length - 1 });
    functions.push(...functionSizes(file));
  }
  const largest = (list: Size[]) => list.sort((a, b) => b.lines - a.lines).slice(0, most);
  return { files: largest(files), functions: largest(functions) };
}

const FUNCTION =
  /^[ \t]*(?:export\s+)?(?:async\s+)?function\s*\*?\s*([\w$]+)|^ {2}(?:static\s+|async\s+|get\s+|set\s+)*(#?[\w$]+)\([^;]*?\)[^;{]*\{$/gm;

function functionSizes(file: SourceFile): Size[] {
  const found: Size[] = [];
  for (const match of file.code.matchAll(FUNCTION)) {
    const name = match[1] ?? match[2] ?? "";
    const open = bodyStart(file.code, match.index + match[0].length - 1);
    const end = open === undefined ? undefined : closing(file.code, open);
    if (open === undefined || end === undefined || ["if", "for", "while", "switch", "catch"].includes(name))
      continue;
    const line = lineAt(file.code, match.index);
    found.push({ what: `${file.path}:${line} ${name}`, lines: lineAt(file.code, end) - line + 1 });
  }
  return found;
}

/** The brace that opens the body: the last one on a line that ends with it, which is how the formatter writes. */
function bodyStart(code: string, from: number): number | undefined {
  const match = /\{[ \t]*$/m.exec(code.slice(from));
  return match === null ? undefined : from + match.index;
}

function closing(code: string, open: number): number | undefined {
  let depth = 0;
  for (let at = open; at < code.length; at++) {
    if (code[at] === "{") depth++;
    else if (code[at] === "}" && --depth === 0) return at;
  }
  return undefined;
}
