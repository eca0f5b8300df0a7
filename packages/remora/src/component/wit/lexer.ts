/**
 * WIT text to tokens (WIT.md, "Lexical structure"). Comments are skipped, and those that document are kept with
 * the token that they stand before.
 */

import { witErrors } from "./errors.ts";
import { placeOf, type Span, type WitFile } from "./source.ts";

export type TokenKind = "word" | "integer" | "string" | "punctuation" | "end";

export interface Token {
  readonly kind: TokenKind;
  /** As written, a `%` in front of a word left out; a string without its quotes and escapes. */
  readonly text: string;
  /** A word written with `%`, which is never a keyword. */
  readonly isEscaped: boolean;
  readonly start: number;
  readonly end: number;
  /** Documentation comments between the token before and this one, without their marks. */
  readonly docs: string | undefined;
}

/** "Keywords", in the order of WIT.md. */
export const keywords: ReadonlySet<string> = new Set(
  `as async bool borrow char constructor enum export f32 f64 flags from func future import include interface list
  map option own package record resource result s16 s32 s64 s8 static stream string tuple type u16 u32 u64 u8 use
  variant with world`.split(/\s+/),
);

const word = /%?[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)*/y;
const integer = /[0-9]+/y;
const punctuation = /->|[=,:;(){}<>*/.@_]/y;
const whitespace = /[ \n\r\t]+/y;
const lineComment = /\/\/[^\n]*/y;
/** semver.org, "Is there a suggested regular expression". */
const version =
  /(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-(?:\d*[A-Za-z-][0-9A-Za-z-]*|0|[1-9]\d*)(?:\.(?:\d*[A-Za-z-][0-9A-Za-z-]*|0|[1-9]\d*))*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?/y;
/**
 * Control codes, overrides of the writing direction, and code points that Unicode deprecates or discourages: text
 * that does not read as it is.
 */
const forbidden =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u0149\u0673\u0f77\u0f79\u17a3\u17a4\u17b4\u17b5]/;

export class Lexer {
  readonly #file: WitFile;
  readonly #text: string;
  #position = 0;

  constructor(file: WitFile) {
    this.#file = file;
    this.#text = file.text;
    const found = forbidden.exec(file.text);
    if (found === null) return;
    const code = file.text.charCodeAt(found.index).toString(16).padStart(4, "0");
    throw this.#error(found.index, found.index + 1, `character U+${code} is not allowed in WIT`);
  }

  /** The next token; at the end of the file, again and again, one of kind `end`. */
  next(): Token {
    const docs = this.#skipBlank();
    const start = this.#position;
    const finish = (kind: TokenKind, text: string, isEscaped = false): Token => ({
      kind,
      text,
      isEscaped,
      start,
      end: this.#position,
      docs,
    });
    if (start >= this.#text.length) return finish("end", "the end of the file");
    const written = this.#match(word);
    if (written !== undefined) {
      this.#refuseStrayHyphen(start);
      const isEscaped = written.startsWith("%");
      return finish("word", isEscaped ? written.slice(1) : written, isEscaped);
    }
    const digits = this.#match(integer);
    if (digits !== undefined) return finish("integer", digits);
    const mark = this.#match(punctuation);
    if (mark !== undefined) return finish("punctuation", mark);
    if (this.#text[start] === '"') return finish("string", this.#string());
    const [character = ""] = this.#text.slice(start, start + 2);
    throw this.#error(start, start + character.length, `unexpected character ${JSON.stringify(character)}`);
  }

  /** A version, which has no token of its own; `from` is where the token after the one before starts. */
  version(from: number): { text: string; start: number; end: number } {
    this.#position = from;
    this.#skipBlank();
    const start = this.#position;
    const text = this.#match(version);
    if (text !== undefined) return { text, start, end: this.#position };
    throw this.#error(start, start + 1, "expected a version of three numbers such as 1.0.0 (semver.org)");
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#position;
    const [found] = pattern.exec(this.#text) ?? [];
    if (found !== undefined) this.#position += found.length;
    return found;
  }

  /** Skips whitespace and comments; gives the documentation among them. */
  #skipBlank(): string | undefined {
    const docs: string[] = [];
    for (;;) {
      if (this.#match(whitespace) !== undefined) continue;
      const line = this.#match(lineComment);
      if (line !== undefined) {
        // `////` is a ruler, not documentation.
        if (line.startsWith("///") && !line.startsWith("////"))
          docs.push(line.slice(3).replace(/^ /, "").trimEnd());
        continue;
      }
      if (!this.#text.startsWith("/*", this.#position)) break;
      const block = this.#blockComment();
      if (block.startsWith("/**") && !block.startsWith("/***") && block.length > 4)
        docs.push(blockDocs(block));
    }
    return docs.length === 0 ? undefined : docs.join("\n");
  }

  /** Block comments nest. */
  #blockComment(): string {
    const start = this.#position;
    const edge = /\/\*|\*\//g;
    edge.lastIndex = start;
    for (let depth = 0, found = edge.exec(this.#text); found !== null; found = edge.exec(this.#text)) {
      depth += found[0] === "/*" ? 1 : -1;
      if (depth > 0) continue;
      this.#position = edge.lastIndex;
      return this.#text.slice(start, this.#position);
    }
    throw this.#error(start, start + 2, "this comment has no end");
  }

  /** A string of the core text format (Core 3.0 §6.3.3). */
  #string(): string {
    const start = this.#position;
    let value = "";
    for (let at = start + 1; at < this.#text.length; ) {
      const character = this.#text[at] ?? "";
      if (character === '"') {
        this.#position = at + 1;
        return value;
      }
      if (character === "\n") break;
      if (character !== "\\") {
        value += character;
        at++;
        continue;
      }
      const pattern = /\\(?:([tnr"'\\])|([0-9A-Fa-f]{2})|u\{([0-9A-Fa-f]{1,6})\})/y;
      pattern.lastIndex = at;
      const found = pattern.exec(this.#text);
      if (found === null) throw this.#error(at, at + 2, "this is no escape of a string");
      const [whole, letter, hex, code] = found;
      const codePoint = Number.parseInt(hex ?? code ?? "0", 16);
      if (codePoint > 0x10ffff) throw this.#error(at, at + whole.length, "this is no code point of Unicode");
      value += letter === undefined ? String.fromCodePoint(codePoint) : (letterEscapes[letter] ?? letter);
      at += whole.length;
    }
    throw this.#error(start, start + 1, "this string has no end");
  }

  /** `a--b` and `a-`: the pattern stops before the hyphen, which would read as another token. */
  #refuseStrayHyphen(start: number): void {
    const at = this.#position;
    if (this.#text[at] !== "-" || this.#text[at + 1] === ">") return;
    throw this.#error(start, at + 1, "a hyphen stands between two words of a name, not at its end");
  }

  #error(start: number, end: number, what: string): Error {
    const span: Span = { file: this.#file, start, end };
    return witErrors["wit-syntax"]({ ...placeOf(span), what });
  }
}

const letterEscapes: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r" };

function blockDocs(block: string): string {
  return block
    .slice(3, -2)
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, "").trim())
    .join("\n")
    .trim();
}
