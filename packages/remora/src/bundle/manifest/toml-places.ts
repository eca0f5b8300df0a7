/**
 * Where each key and element of a TOML document stands. The parser gives values without places, and a message about a
 * value has to say where it is. This walks over a text that the parser has already accepted, so it need not judge
 * anything: it follows headers, keys, strings and brackets, and skips the rest (TOML 1.1.0).
 */

export interface Place {
  /** From 1. */
  readonly line: number;
  /** In characters, from 1. */
  readonly column: number;
}

export type TomlPath = readonly (string | number)[];

/** Places by path. */
export class TomlPlaces {
  readonly #text: string;
  readonly #offsets = new Map<string, number>();

  /** @param text A document that the parser accepts, its depth bounded. */
  constructor(text: string) {
    this.#text = text;
    new Walk(text, (path, offset) => {
      // A table that is extended further down is where it began.
      const key = pathText(path);
      if (!this.#offsets.has(key)) this.#offsets.set(key, offset);
    }).document();
  }

  /**
   * The place of a key or element, or of the nearest that it lies in; the document's start when there is none.
   *
   * @param path As `pathText` has it: `capabilities[0].origins[1]`.
   */
  of(path: string): Place {
    let offset = this.#offsets.get(path);
    if (offset === undefined) {
      for (const outer of outerPaths(path)) offset = this.#offsets.get(outer) ?? offset;
    }
    return offset === undefined ? { line: 1, column: 1 } : placeAt(this.#text, offset);
  }
}

/** A key is the publisher's, and may have any number of dots and brackets in it: the steps of real tables come first. */
const outerPathsMax = 100;

/** Of `a.b[0].c` first `a`, then `a.b`, then `a.b[0]`. */
function* outerPaths(path: string): Generator<string> {
  let count = 0;
  for (const { index } of path.matchAll(/[.[]/g)) {
    if (++count > outerPathsMax) return;
    yield path.slice(0, index);
  }
}

/** `capabilities[0].origins[1]`, for places and for people. */
export function pathText(path: TomlPath): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === "number") return `${text}[${step}]`;
    return text === "" ? step : `${text}.${step}`;
  }, "");
}

function placeAt(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: [...before.slice(lineStart)].length + 1 };
}

class Walk {
  readonly #text: string;
  readonly #note: (path: TomlPath, offset: number) => void;
  /** Elements so far of each array of tables. */
  readonly #counts = new Map<string, number>();
  #at = 0;

  constructor(text: string, note: (path: TomlPath, offset: number) => void) {
    this.#text = text;
    this.#note = note;
  }

  document(): void {
    let table: TomlPath = [];
    for (;;) {
      this.#skip(BLANK_LINES);
      if (this.#at >= this.#text.length) return;
      if (this.#text[this.#at] === "[") table = this.#header();
      else this.#pair(table);
    }
  }

  /** `[a.b]` or `[[a.b]]`; what it is the header of. */
  #header(): TomlPath {
    const offset = this.#at;
    const isArray = this.#text.startsWith("[[", offset);
    this.#at += isArray ? 2 : 1;
    const keys = this.#keys();
    let path: TomlPath = [];
    for (const [at, { key }] of keys.entries()) {
      path = [...path, key];
      const count = this.#counts.get(pathText(path));
      if (isArray && at === keys.length - 1) {
        this.#note(path, offset);
        this.#counts.set(pathText(path), (count ?? 0) + 1);
        path = [...path, count ?? 0];
      } else if (count !== undefined) path = [...path, count - 1];
      this.#note(path, offset);
    }
    this.#skip(CLOSING);
    return path;
  }

  /** `a.b = value` */
  #pair(table: TomlPath): void {
    let path = table;
    for (const { key, offset } of this.#keys()) {
      path = [...path, key];
      this.#note(path, offset);
    }
    this.#skip(EQUALS);
    this.#value(path);
  }

  #keys(): { key: string; offset: number }[] {
    const keys: { key: string; offset: number }[] = [];
    do {
      this.#skip(SPACE);
      const offset = this.#at;
      const quote = this.#text[offset];
      if (quote === '"' || quote === "'") {
        this.#string();
        keys.push({ key: unquoted(this.#text.slice(offset, this.#at)), offset });
      } else {
        this.#skip(BARE_KEY);
        keys.push({ key: this.#text.slice(offset, this.#at), offset });
      }
      this.#skip(SPACE);
    } while (this.#take("."));
    return keys;
  }

  #value(path: TomlPath): void {
    if (this.#take("{")) {
      for (this.#skip(BLANK_LINES); !this.#isAtEndOr("}"); this.#skip(SEPARATOR)) this.#pair(path);
    } else if (this.#take("[")) {
      this.#skip(BLANK_LINES);
      for (let element = 0; !this.#isAtEndOr("]"); element++) {
        this.#note([...path, element], this.#at);
        this.#value([...path, element]);
        this.#skip(SEPARATOR);
      }
    } else if (this.#text[this.#at] === '"' || this.#text[this.#at] === "'") this.#string();
    else this.#skip(SCALAR);
  }

  #isAtEndOr(bracket: string): boolean {
    return this.#at >= this.#text.length || this.#take(bracket);
  }

  /** One of the four kinds of strings. */
  #string(): void {
    const quote = this.#text[this.#at] ?? "";
    const isLong = this.#text.startsWith(quote.repeat(3), this.#at);
    this.#at += isLong ? 3 : 1;
    const end = isLong ? quote.repeat(3) : quote;
    while (this.#at < this.#text.length && !this.#text.startsWith(end, this.#at)) {
      this.#at += quote === '"' && this.#text[this.#at] === "\\" ? 2 : 1;
    }
    this.#at += end.length;
    // Up to two quotes more belong to a long string's end.
    for (let more = 0; isLong && more < 2 && this.#text[this.#at] === quote; more++) this.#at++;
  }

  #take(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #skip(pattern: RegExp): void {
    pattern.lastIndex = this.#at;
    const length = pattern.exec(this.#text)?.[0].length ?? 0;
    // The parser took this text, so that something is always there; without it, the walk must still end.
    this.#at += length === 0 && (pattern === SCALAR || pattern === BARE_KEY) ? 1 : length;
  }
}

const SPACE = /[ \t]*/y;
const EQUALS = /[ \t]*=?[ \t]*/y;
const BLANK_LINES = /(?:[ \t\r\n]+|#[^\n]*)*/y;
const SEPARATOR = /(?:[ \t\r\n,]+|#[^\n]*)*/y;
const CLOSING = /[ \t]*\]{0,2}/y;
const BARE_KEY = /[^\s.=\]"',{}#[]+/y;
const SCALAR = /[^,\]}\n#]+/y;

function unquoted(quoted: string): string {
  if (quoted.startsWith("'")) return quoted.slice(1, -1);
  try {
    return String(JSON.parse(quoted));
  } catch {
    // TOML has escapes that JSON has not (\e, \x41, \U0001F600): its place is then found by its table's.
    return quoted;
  }
}
