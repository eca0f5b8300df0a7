/** A place in the tokens of one file, and the questions that a parser asks there. */

import { didYouMean } from "../../base/index.ts";
import type { Name } from "./ast.ts";
import { witErrors } from "./errors.ts";
import { keywords, Lexer, type Token } from "./lexer.ts";
import { placeOf, type Span, type WitFile } from "./source.ts";

export class Cursor {
  readonly file: WitFile;
  readonly #lexer: Lexer;
  #ahead: Token | undefined;
  #lastEnd = 0;

  constructor(file: WitFile) {
    this.file = file;
    this.#lexer = new Lexer(file);
  }

  /** The token that stands here; asking does not move on. */
  peek(): Token {
    this.#ahead ??= this.#lexer.next();
    return this.#ahead;
  }

  next(): Token {
    const token = this.peek();
    this.#ahead = undefined;
    this.#lastEnd = token.end;
    return token;
  }

  /** True for this punctuation or keyword. A word with `%` is no keyword. */
  at(text: string): boolean {
    const token = this.peek();
    return token.text === text && token.kind !== "string" && !token.isEscaped && token.kind !== "end";
  }

  /** Moves past this punctuation or keyword if it stands here. */
  take(text: string): boolean {
    const isHere = this.at(text);
    if (isHere) this.next();
    return isHere;
  }

  expect(text: string): Token {
    if (this.at(text)) return this.next();
    throw this.unexpected(`"${text}"`);
  }

  /** A name that the author chose, checked to be a label (Explainer.md, "Import and Export Definitions"). */
  name(): Name {
    const token = this.peek();
    if (token.kind !== "word") throw this.unexpected("a name");
    const span = this.spanOf(token);
    if (!token.isEscaped && keywords.has(token.text)) {
      throw this.error(span, `"${token.text}" is a keyword; as a name it is written "%${token.text}"`);
    }
    for (const part of token.text.split("-")) {
      if (part === part.toLowerCase() || part === part.toUpperCase()) continue;
      throw this.error(
        span,
        `"${token.text}" mixes upper and lower case in "${part}"${suggestion(token.text)}`,
      );
    }
    this.next();
    return { text: token.text, span };
  }

  /** A version, right after the token before. */
  version(): { text: string; span: Span } {
    const { text, start, end } = this.#lexer.version(this.#lastEnd);
    this.#ahead = undefined;
    this.#lastEnd = end;
    return { text, span: { file: this.file, start, end } };
  }

  /** A keyword out of several, or an error that says which would be allowed. */
  unexpectedWord(allowed: readonly string[]): Error {
    const token = this.peek();
    const near = token.kind === "word" ? didYouMean(token.text, allowed) : "";
    return this.unexpected(listed(allowed.map((each) => `"${each}"`)), near);
  }

  unexpected(wanted: string, near = ""): Error {
    const token = this.peek();
    const found = token.kind === "end" ? token.text : JSON.stringify(token.text);
    return this.error(this.spanOf(token), `expected ${wanted}, found ${found}${near}`);
  }

  error(span: Span, what: string): Error {
    return witErrors["wit-syntax"]({ ...placeOf(span), what });
  }

  spanOf(token: Token): Span {
    return { file: this.file, start: token.start, end: token.end };
  }

  /** From a token to the last one that was read. */
  spanFrom(start: number): Span {
    return { file: this.file, start, end: Math.max(start, this.#lastEnd) };
  }

  /** Where the token before ended: two tokens touch when the next one starts there. */
  get lastEnd(): number {
    return this.#lastEnd;
  }
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? "") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

function suggestion(name: string): string {
  const kebab = name.replace(/([a-z0-9])([A-Z])/g, "$1-$2").toLowerCase();
  return `; did you mean "${kebab}"?`;
}
