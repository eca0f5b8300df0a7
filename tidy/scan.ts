/**
 * Reads a TypeScript file as far as the tidy rules need it: what is code and what is comment or text, what it
 * imports and what it exports. TypeScript 7 has no parser for JavaScript callers, and these rules need none.
 */

export interface Import {
  readonly specifier: string;
  readonly line: number;
  /** False for `import type`, which is gone when the program runs. */
  readonly isValue: boolean;
  readonly kind: "import" | "re-export" | "dynamic" | "url";
  /** `export * from`. */
  readonly isStar: boolean;
}

export interface Export {
  readonly name: string;
  readonly line: number;
  readonly isType: boolean;
}

/** The text with comments and the contents of strings blanked; offsets and line numbers stay. */
export function codeOf(text: string): string {
  const out = text.split("");
  const blank = (from: number, to: number) => {
    for (let at = from; at < to; at++) if (out[at] !== "\n") out[at] = " ";
  };
  // Depths of braces at which a template literal goes on after its `${…}`.
  const templates: number[] = [];
  let depth = 0;
  let at = text.startsWith("#!") ? lineEnd(text, 0) : 0;
  blank(0, at);
  while (at < text.length) {
    const char = text[at] ?? "";
    const next = text[at + 1];
    let end = at + 1;
    if (char === "/" && next === "/") {
      end = lineEnd(text, at);
      blank(at, end);
    } else if (char === "/" && next === "*") {
      const close = text.indexOf("*/", at + 2);
      end = close < 0 ? text.length : close + 2;
      blank(at, end);
    } else if (char === '"' || char === "'") {
      end = quotedEnd(text, at, char);
      blank(at + 1, end - 1);
    } else if (char === "`" || (char === "}" && templates.at(-1) === depth)) {
      if (char === "}") templates.pop();
      end = templateEnd(text, at);
      const isHole = text.startsWith("${", end - 2) && text[end - 1] === "{";
      blank(at + 1, isHole ? end - 2 : end - 1);
      if (isHole) templates.push(depth);
    } else if (char === "/" && isRegexHere(out, at)) {
      end = regexEnd(text, at);
      blank(at + 1, end - 1);
    } else if (char === "{") {
      depth++;
    } else if (char === "}") {
      depth--;
    }
    at = end;
  }
  return out.join("");
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end < 0 ? text.length : end;
}

function quotedEnd(text: string, from: number, quote: string): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === quote || text[at] === "\n") return at + 1;
  }
  return text.length;
}

/** Behind the closing backtick, or behind the `${` of the next hole. */
function templateEnd(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === "`") return at + 1;
    else if (text[at] === "$" && text[at + 1] === "{") return at + 2;
  }
  return text.length;
}

function regexEnd(text: string, from: number): number {
  let inClass = false;
  for (let at = from + 1; at < text.length && text[at] !== "\n"; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === "[") inClass = true;
    else if (text[at] === "]") inClass = false;
    else if (text[at] === "/" && !inClass) return at + 1;
  }
  return from + 1;
}

/** A slash begins a regular expression where a value may begin, and divides where a value has just ended. */
function isRegexHere(out: readonly string[], slash: number): boolean {
  let at = slash - 1;
  while (at >= 0 && /\s/.test(out[at] ?? "")) at--;
  const before = out[at];
  if (before === undefined || "(,=:[!&|?{};+-*%<>~^".includes(before)) return true;
  if (!/[\w$]/.test(before)) return false;
  const word = /[\w$]+$/.exec(out.slice(Math.max(0, at - 12), at + 1).join(""))?.[0] ?? "";
  return ["return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "else", "await"].includes(
    word,
  );
}

export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) line++;
  return line;
}

const FROM = /(?<![.\w$])(import|export)\s+(type\s+)?([\w$*\s{},]*?)\s*\bfrom\s*["']/g;
const BARE = /(?<![.\w$])import\s*["']/g;
const DYNAMIC = /(?<![.\w$])import(?:\.meta\.resolve)?\s*\(\s*["']/g;
const URL_OF = /(?<![.\w$])new\s+URL\s*\(\s*["']/g;

/** Everything that a file names to be loaded, in the order of the file. */
export function importsOf(text: string, code = codeOf(text)): Import[] {
  const found: (Import & { at: number })[] = [];
  const add = (match: RegExpExecArray, rest: Pick<Import, "kind" | "isValue" | "isStar">) => {
    const open = match.index + match[0].length - 1;
    const specifier = text.slice(open + 1, quotedEnd(text, open, text[open] ?? '"') - 1);
    found.push({ specifier, line: lineAt(text, match.index), at: match.index, ...rest });
  };
  for (const match of code.matchAll(FROM)) {
    const [, keyword, type, clause = ""] = match;
    const kind = keyword === "export" ? "re-export" : "import";
    add(match, {
      kind,
      isValue: type === undefined && !isTypeClause(clause),
      isStar: clause.startsWith("*") && kind === "re-export",
    });
  }
  for (const match of code.matchAll(BARE)) add(match, { kind: "import", isValue: true, isStar: false });
  for (const match of code.matchAll(DYNAMIC)) add(match, { kind: "dynamic", isValue: true, isStar: false });
  for (const match of code.matchAll(URL_OF)) add(match, { kind: "url", isValue: true, isStar: false });
  return found.sort((a, b) => a.at - b.at).map(({ at: _, ...rest }) => rest);
}

/** `{ type A, type B }`: every name is a type. */
function isTypeClause(clause: string): boolean {
  const names = /^\{(.*)\}$/s.exec(clause.trim())?.[1];
  if (names === undefined) return false;
  return names
    .split(",")
    .map((name) => name.trim())
    .every((name) => name === "" || name.startsWith("type "));
}

const DECLARED =
  /(?<![.\w$])export\s+(?:declare\s+)?(?:abstract\s+|async\s+)*(const|let|var|function\s*\*?|class|interface|type)\s+([\w$]+)/g;
const LISTED = /(?<![.\w$])export\s+(type\s+)?\{([^}]*)\}/g;

/** The names that a file exports; `export *` gives none, since no entry may use it. */
export function exportsOf(text: string, code = codeOf(text)): Export[] {
  const found: Export[] = [];
  for (const match of code.matchAll(DECLARED)) {
    const [, keyword = "", name = ""] = match;
    found.push({
      name,
      line: lineAt(text, match.index),
      isType: keyword === "interface" || keyword === "type",
    });
  }
  for (const match of code.matchAll(LISTED)) {
    const [, type, names = ""] = match;
    for (const item of names.split(",")) {
      const words = item.trim().split(/\s+/);
      const name = words.at(-1);
      if (name === undefined || name === "") continue;
      found.push({
        name,
        line: lineAt(text, match.index),
        isType: type !== undefined || words[0] === "type",
      });
    }
  }
  return found;
}
