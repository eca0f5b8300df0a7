/** What documents say about the code is so: links, paths, commands, codes. The rules behind `docs.test.ts`. */

import { existsSync } from "node:fs";
import { basename, join, posix } from "node:path";
import type { ListedError } from "./error-list.ts";
import type { Finding } from "./finding.ts";
import { layerOf, packageOf } from "./layer-table.ts";
import { lineAt } from "./scan.ts";
import { isFixture, isSource, isTest, jsonOf, root, type SourceFile, type Tree } from "./tree.ts";

function documentsOf(tree: Tree): SourceFile[] {
  return [...tree.values()].filter((file) => file.path.endsWith(".md") && !isFixture(file.path));
}

/** The text with fenced code blanked, so that a bracket in an example is no link. */
function proseOf(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```/gm, (block) => block.replaceAll(/[^\n]/g, " "));
}

/** A heading as GitHub names it in a link. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(/\s/g, "-");
}

function anchorsOf(file: SourceFile): string[] {
  return [...proseOf(file.text).matchAll(/^#{1,6} (.+)$/gm)].map((match) => anchorOf(match[1] ?? ""));
}

/** Links to files and headings that are not there. */
export function linkFindings(tree: Tree): Finding[] {
  const findings: Finding[] = [];
  for (const file of documentsOf(tree)) {
    const prose = proseOf(file.text);
    for (const match of prose.matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)) {
      const link = match[1] ?? "";
      if (/^[a-z]+:/.test(link)) continue;
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? file.path : posix.join(posix.dirname(file.path), path);
      const other = tree.get(target);
      const isFolder = [...tree.keys()].some((one) => one.startsWith(`${target.replace(/\/$/, "")}/`));
      const problem =
        other === undefined && !isFolder
          ? "but there is no such file"
          : anchor !== undefined && other !== undefined && !anchorsOf(other).includes(anchor)
            ? `but ${target} has no heading of that name`
            : undefined;
      if (problem === undefined) continue;
      findings.push({
        file: file.path,
        line: lineAt(prose, match.index),
        what: `links to "${link}"`,
        why: problem,
        instead: "link to what is there, or write it",
      });
    }
  }
  return findings;
}

const TOP_FOLDERS = "packages|hosts|worlds|sdk|examples|conformance|bench|fuzz|tidy|docs|templates";

/** Paths of the repository that a document names and that are not there. */
export function pathMentionFindings(
  tree: Tree,
  exists = (path: string) => existsSync(join(root, path)),
): Finding[] {
  const findings: Finding[] = [];
  const pattern = new RegExp(`\`((?:${TOP_FOLDERS})/[\\w./-]*)\``, "g");
  for (const file of documentsOf(tree)) {
    for (const match of file.text.matchAll(pattern)) {
      const path = match[1] ?? "";
      if (tree.has(path) || exists(path)) continue;
      findings.push({
        file: file.path,
        line: lineAt(file.text, match.index),
        what: `names ${path}`,
        why: "but there is no such file or folder",
        instead: "name what is there",
      });
    }
  }
  return findings;
}

/** `npm run` commands that package.json does not have, nor that of a plugin as `remora new` begins it. */
export function scriptFindings(tree: Tree): Finding[] {
  const findings: Finding[] = [];
  const manifests = [...tree.keys()].filter((path) => /^(templates\/.*\/)?package\.json$/.test(path));
  const scripts: Record<string, string> = {};
  // npm reads the same files; a missing table of scripts reads as undefined.
  for (const path of manifests) Object.assign(scripts, (jsonOf(tree, path) as { scripts?: object }).scripts);
  for (const file of documentsOf(tree)) {
    for (const match of file.text.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)) {
      const name = match[1] ?? match[2] ?? "";
      if (scripts[name] !== undefined) continue;
      findings.push({
        file: file.path,
        line: lineAt(file.text, match.index),
        what: `tells to run "${match[0]}"`,
        why: "but package.json has no such script",
        instead: `use one of ${Object.keys(scripts).join(", ")}`,
      });
    }
  }
  return findings;
}

/** Codes promised in a docstring or a document that no table has, and codes of a table that nothing makes. */
export function codeFindings(tree: Tree, errors: readonly ListedError[]): Finding[] {
  const findings: Finding[] = [];
  const codes = new Set(errors.map((error) => error.code));
  const sections = [...new Set(errors.map((error) => error.code.split("/")[0]))].join("|");
  const quoted = new RegExp(`\`((?:${sections})/[a-z][a-z-]*)\``, "g");
  const thrown = new RegExp(`(?:${sections})/[a-z][a-z-]*`, "g");
  for (const file of tree.values()) {
    const isDocument = file.path.endsWith(".md") && !isFixture(file.path);
    // The rules' own examples promise what nobody throws.
    if ((!isSource(file.path) && !isDocument) || file.path.startsWith("tidy/")) continue;
    const promises = [...file.text.matchAll(quoted)].map((match) => ({
      code: match[1] ?? "",
      at: match.index + 1,
    }));
    for (const line of file.text.matchAll(/@throws (.*)/g)) {
      const at = line.index + "@throws ".length;
      for (const match of (line[1] ?? "").matchAll(thrown))
        promises.push({ code: match[0], at: at + match.index });
    }
    for (const { code, at } of promises) {
      // A folder and a code can look alike: `engine/worker` is a place. `wasm/too-…` promises a family.
      const isPlace = [...tree.keys()].some(
        (path) => path.includes(`/${code}/`) || path.includes(`/${code}.`),
      );
      const isFamily = /^[*…]/.test(file.text.slice(at + code.length));
      if (codes.has(code) || isPlace || (isFamily && [...codes].some((one) => one.startsWith(code))))
        continue;
      findings.push({
        file: file.path,
        line: lineAt(file.text, at),
        what: `promises the error ${code}`,
        why: "but no table has that code",
        instead: "write the code that is thrown",
      });
    }
  }
  return findings.concat(doubleFindings(errors), unmadeFindings(tree, errors));
}

function doubleFindings(errors: readonly ListedError[]): Finding[] {
  return errors
    .filter(({ code }, at) => errors.findIndex((other) => other.code === code) < at)
    .map(({ code, file }) => ({
      file,
      line: 1,
      what: `lists the error ${code}, which another table has too`,
      why: "so a code does not say what happened",
      instead: "keep one of them",
    }));
}

function unmadeFindings(tree: Tree, errors: readonly ListedError[]): Finding[] {
  const findings: Finding[] = [];
  for (const { code, file } of errors) {
    const layer = layerOf(file);
    const name = code.slice(code.indexOf("/") + 1);
    const makes = new RegExp(`["'\`]${name}["'\`]|Errors\\s*\\.\\s*${name}\\b`);
    const isMade = [...tree.values()].some((other) => {
      const isNear = layer !== undefined && other.path.startsWith(`${packageOf(layer)}/`);
      return (
        isNear &&
        isSource(other.path) &&
        !isTest(other.path) &&
        basename(other.path) !== "errors.ts" &&
        makes.test(other.text)
      );
    });
    if (isMade) continue;
    const at = tree.get(file)?.text.search(new RegExp(`^\\s*"?${name}"?:`, "m")) ?? 0;
    findings.push({
      file,
      line: lineAt(tree.get(file)?.text ?? "", Math.max(0, at) + 2),
      what: `lists the error ${code}`,
      why: "but nothing makes it",
      instead: "throw it where it happens, or take it out",
    });
  }
  return findings;
}

/** Questions of the rationale that code and documents send a reader to, and that are not asked there. */
export function questionFindings(tree: Tree): Finding[] {
  const findings: Finding[] = [];
  const questions = (tree.get("RATIONALE.md")?.text ?? "").matchAll(/^#+ (Why .*)$/gm);
  const asked = [...questions].map((match) => (match[1] ?? "").replaceAll("`", ""));
  for (const file of tree.values()) {
    if (file.path.startsWith("tidy/")) continue;
    for (const match of file.text.matchAll(/RATIONALE(?:\.md)?,? "(Why [^"]*)"/g)) {
      const question = (match[1] ?? "").replaceAll("`", "").replace(/…$/, "");
      if (asked.some((one) => one.startsWith(question))) continue;
      findings.push({
        file: file.path,
        line: lineAt(file.text, match.index),
        what: `refers to RATIONALE "${question}"`,
        why: "but nobody asks that there",
        instead: "ask and answer it in RATIONALE.md, or refer to a question that is there",
      });
    }
  }
  return findings;
}

/** Sections of the metering specification that code cites, and that docs/metering.md does not have. */
export function sectionFindings(tree: Tree): Finding[] {
  const findings: Finding[] = [];
  const document = tree.get("docs/metering.md")?.text ?? "";
  const sections = [...document.matchAll(/^#+ (\d+(?:\.\d+)?)\.? /gm)].map((match) => match[1]);
  for (const file of tree.values()) {
    if (file.path.startsWith("tidy/")) continue;
    for (const match of file.text.matchAll(/metering specification[, (]*(?:section )?(\d+(?:\.\d+)?)/gi)) {
      if (sections.includes(match[1])) continue;
      findings.push({
        file: file.path,
        line: lineAt(file.text, match.index),
        what: `cites section ${match[1]} of the metering specification`,
        why: "but docs/metering.md has none of that number",
        instead: `cite one of ${sections.join(", ")}`,
      });
    }
  }
  return findings;
}

/** The text between two marks of a document, without the marks. */
export function betweenMarks(
  text: string,
  marks: { readonly begin: string; readonly end: string },
): string | undefined {
  const from = text.indexOf(marks.begin);
  const to = text.indexOf(marks.end, from);
  return from < 0 || to < 0 ? undefined : text.slice(from + marks.begin.length, to).trim();
}

/** A block of code in a document, and the line that its first line is. */
export interface FencedBlock {
  readonly line: number;
  readonly text: string;
}

export function fencedBlocks(text: string, language: string): FencedBlock[] {
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)]
    .filter((match) => match[1] === language)
    .map((match) => ({ line: lineAt(text, match.index) + 1, text: match[2] ?? "" }));
}

/** What an example says it prints: the comment behind each `console.log`. */
export function printedBy(example: string): string[] {
  return [...example.matchAll(/\bconsole\.log\(.*\);? *\/\/ (.*)$/gm)].map((match) => match[1] ?? "");
}
