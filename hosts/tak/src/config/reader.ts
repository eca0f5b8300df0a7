/**
 * Reads a YAML document value by value and collects every problem with its place, so that an operator sees all
 * of them at once. A reading method that finds a problem notes it and gives back a stand-in; nothing that was
 * read is used when there are problems.
 *
 * The text may come from anywhere: its size, its nesting and what its aliases expand to are bounded.
 */

import { didYouMean } from "remora/base";
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
} from "yaml";
import { type ConfigProblem, takErrors } from "../errors.ts";

const charactersMax = 1024 * 1024;
const depthMax = 32;
/** Values read, those behind an alias counted each time: nine nested aliases of nine are 387 million. */
const valuesMax = 50_000;
/** The parser looks through the whole document for each. */
const aliasesMax = 100;
/** A file with more problems is no settings file. */
const problemsMax = 100;

/** Plain data, as JSON has it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** One document while it is read. */
export class ConfigReader {
  readonly file: string;
  readonly #document: Document.Parsed;
  readonly #lines = new LineCounter();
  readonly #problems: ConfigProblem[] = [];
  #valuesRead = 0;
  #aliasesRead = 0;

  /** @throws tak/config the text is not one YAML document */
  constructor(text: string, file: string) {
    this.file = file;
    if (text.length > charactersMax) {
      this.#note(0, "", `${text.length} characters; at most ${charactersMax} are read`);
      this.throwProblems();
    }
    // The parser's own search for equal keys takes the square of their number; `Value` does it as it reads.
    const options = { lineCounter: this.#lines, prettyErrors: false, uniqueKeys: false };
    this.#document = parseDocument(text, options);
    for (const { pos, message } of [...this.#document.errors, ...this.#document.warnings]) {
      this.#note(pos[0], "", message);
    }
    this.throwProblems();
  }

  get root(): Value {
    return new Value(this, this.#document.contents ?? undefined, "", 0);
  }

  /** @throws tak/config when there are problems */
  throwProblems(): void {
    if (this.#problems.length === 0) return;
    const problems = this.#problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
    throw takErrors.config({ file: this.file, problems });
  }

  problem(node: Node | undefined, path: string, message: string): void {
    this.#note(node?.range?.[0] ?? 0, path, message);
  }

  /** The node itself, or what an alias stands for; counts it. */
  resolve(node: Node | undefined, path: string, depth: number): Node | undefined {
    this.#valuesRead++;
    if (this.#valuesRead > valuesMax) this.#tooMuch(node, path, `${valuesMax} values`);
    if (depth > depthMax) this.#tooMuch(node, path, `${depthMax} levels`);
    if (!isAlias(node)) return node;
    if (++this.#aliasesRead > aliasesMax) this.#tooMuch(node, path, `${aliasesMax} aliases`);
    const target = node.resolve(this.#document);
    if (target === undefined) this.problem(node, path, `No anchor "${node.source}" above this alias`);
    return target;
  }

  #tooMuch(node: Node | undefined, path: string, most: string): void {
    this.problem(node, path, `Too much: at most ${most} are read, with what aliases expand to`);
    this.throwProblems();
  }

  #note(offset: number, path: string, message: string): void {
    const { line, col } = this.#lines.linePos(offset);
    this.#problems.push({ line: Math.max(line, 1), column: Math.max(col, 1), path, message });
    if (this.#problems.length >= problemsMax) this.throwProblems();
  }
}

/** A value of the document and where it stands. */
export class Value {
  readonly path: string;
  readonly #reader: ConfigReader;
  readonly #node: Node | undefined;
  readonly #key: Node | undefined;
  readonly #depth: number;

  /** @param key In a mapping, what stands before the value. */
  constructor(reader: ConfigReader, node: Node | undefined, path: string, depth: number, key?: Node) {
    this.#reader = reader;
    this.#node = reader.resolve(node, path, depth);
    this.#key = key;
    this.path = path;
    this.#depth = depth;
  }

  problem(message: string): void {
    this.#reader.problem(this.#node, this.path, message);
  }

  /** A problem with the key being there at all, whatever its value. */
  problemOfKey(message: string): void {
    this.#reader.problem(this.#key ?? this.#node, this.path, message);
  }

  text(bounds: { lengthMax?: number; isEmptyAllowed?: boolean } = {}): string {
    const { lengthMax = 4_096, isEmptyAllowed = false } = bounds;
    const value = this.#scalar();
    if (typeof value !== "string") return this.#wrong("text", "");
    if (value === "" && !isEmptyAllowed) this.problem("Must not be empty");
    if (value.length > lengthMax)
      this.problem(`Has ${value.length} characters; at most ${lengthMax} are allowed`);
    return value;
  }

  boolean(): boolean {
    const value = this.#scalar();
    return typeof value === "boolean" ? value : this.#wrong("true or false", false);
  }

  integer(bounds: { min: number; max: number }): number {
    const value = this.number(bounds);
    if (!Number.isInteger(value)) this.problem(`Must be a whole number, found ${value}`);
    return value;
  }

  number(bounds: { min: number; max: number }): number {
    const value = this.#scalar();
    if (typeof value !== "number") return this.#wrong("a number", bounds.min);
    if (!(value >= bounds.min && value <= bounds.max)) {
      this.problem(`Must be from ${bounds.min} to ${bounds.max}, found ${value}`);
    }
    return value;
  }

  /** Seconds as a number, or text with a unit: `10`, `0.5`, `"500ms"`, `"5m"`. In milliseconds. */
  durationMs(bounds: { minMs: number; maxMs: number }): number {
    const value = this.#scalar();
    const ms = typeof value === "number" ? value * 1_000 : durationOf(value);
    if (ms === undefined) return this.#wrong('seconds, or text like "500ms", "10s" or "5m"', bounds.minMs);
    if (!(ms >= bounds.minMs && ms <= bounds.maxMs)) {
      this.problem(`Must be from ${bounds.minMs} to ${bounds.maxMs} ms, found ${ms} ms`);
    }
    return ms;
  }

  oneOf<const Name extends string>(names: readonly [Name, ...Name[]]): Name {
    return this.oneOfOrNothing(names) ?? names[0];
  }

  /** As `oneOf`, for a caller that cannot go on with just any of them. */
  oneOfOrNothing<const Name extends string>(names: readonly [Name, ...Name[]]): Name | undefined {
    const value = this.#scalar();
    if (typeof value !== "string") return this.#wrong(quoted(names), undefined);
    const found = names.find((name) => name === value);
    if (found === undefined) {
      this.problem(`Must be ${quoted(names)}, found "${value.slice(0, 60)}"${didYouMean(value, names)}`);
    }
    return found;
  }

  list(bounds: { lengthMin?: number; lengthMax?: number } = {}): Value[] {
    const { lengthMin = 0, lengthMax = 10_000 } = bounds;
    const node = this.#node;
    // `key:` with nothing behind it is how people write an empty list.
    const isNothing = node === undefined || (isScalar(node) && node.value === null);
    if (!isNothing && !isSeq(node)) return this.#wrong("a list", []);
    // The parser makes nodes of all items, which the library's types do not say.
    const items = isSeq(node) ? (node.items as Node[]) : [];
    if (items.length < lengthMin) this.problem(`Must have at least ${lengthMin}, found ${items.length}`);
    if (items.length > lengthMax) this.problem(`Must have at most ${lengthMax}, found ${items.length}`);
    return items
      .slice(0, lengthMax)
      .map((item, index) => new Value(this.#reader, item, `${this.path}[${index}]`, this.#depth + 1));
  }

  /** Reads a mapping with `read`; keys that it did not ask for are problems. */
  section<Result>(read: (section: Section) => Result): Result {
    const node = this.#node;
    const isNothing = node === undefined || (isScalar(node) && node.value === null);
    if (!isNothing && !isMap(node)) this.problem(`Must be a mapping, found ${kindOf(node)}`);
    const section = new Section(this, isMap(node) ? this.#entries(node.items) : new Map());
    const result = read(section);
    // A value of the wrong kind has no keys that could be missing or unknown: one problem is enough.
    if (isNothing || isMap(node)) section.close();
    return result;
  }

  json(): Json {
    const node = this.#node;
    if (isSeq(node)) return this.list().map((item) => item.json());
    // From entries, so that a key "__proto__" is a key like any other.
    if (isMap(node)) {
      return Object.fromEntries([...this.#entries(node.items)].map(([key, value]) => [key, value.json()]));
    }
    const value = this.#scalar();
    if (value === null || typeof value === "string" || typeof value === "boolean") return value;
    if (typeof value === "number" && Number.isFinite(value)) return value;
    return this.#wrong("data as in JSON", null);
  }

  isMapping(): boolean {
    return isMap(this.#node);
  }

  #entries(items: readonly Pair[]): Map<string, Value> {
    const entries = new Map<string, Value>();
    for (const pair of items) {
      // A parsed pair has nodes, which the library's types do not say.
      const key = pair.key as Node;
      const name = isScalar(key) ? String(key.value) : undefined;
      if (name === undefined) this.#reader.problem(key, this.path, "A key must be text");
      else if (entries.has(name)) this.#reader.problem(key, this.path, `The key "${name}" is there twice`);
      else {
        const path = this.path === "" ? name : `${this.path}.${name}`;
        const node = (pair.value as Node | null) ?? key;
        entries.set(name, new Value(this.#reader, node, path, this.#depth + 1, key));
      }
    }
    return entries;
  }

  #scalar(): unknown {
    if (this.#node === undefined) return null;
    return isScalar(this.#node) ? this.#node.value : undefined;
  }

  #wrong<Result>(expected: string, standIn: Result): Result {
    this.problem(`Must be ${expected}, found ${kindOf(this.#node)}`);
    return standIn;
  }
}

/** A mapping while it is read: it remembers which keys were asked for. */
export class Section {
  readonly at: Value;
  readonly #entries: ReadonlyMap<string, Value>;
  readonly #known = new Set<string>();

  constructor(at: Value, entries: ReadonlyMap<string, Value>) {
    this.at = at;
    this.#entries = entries;
  }

  get(key: string): Value | undefined {
    this.#known.add(key);
    return this.#entries.get(key);
  }

  /** The value of a key that must be there; its absence is a problem. */
  read<Result>(key: string, read: (value: Value) => Result, standIn: Result): Result {
    const value = this.get(key);
    if (value !== undefined) return read(value);
    this.at.problem(`"${key}" is missing`);
    return standIn;
  }

  /** The value of a key, or what it is when nobody says. */
  readOr<Result>(key: string, read: (value: Value) => Result, otherwise: Result): Result {
    const value = this.get(key);
    return value === undefined ? otherwise : read(value);
  }

  /** Which of several spellings of one key is used; two at once are a problem. */
  spelling(...keys: readonly [string, ...string[]]): string {
    const used = keys.filter((key) => this.get(key) !== undefined);
    if (used.length > 1)
      this.get(used[1] ?? "")?.problemOfKey(`Says the same as "${used[0]}"; keep one of them`);
    return used[0] ?? keys[0];
  }

  /** Refuses a key that OmniTAK knows and this host does not do. */
  refuse(key: string, message: string): void {
    this.get(key)?.problemOfKey(message);
  }

  /** For a section that cannot be understood: its other keys are no problems of their own. */
  skipRest(): void {
    for (const key of this.#entries.keys()) this.#known.add(key);
  }

  close(): void {
    for (const [key, value] of this.#entries) {
      if (!this.#known.has(key)) value.problemOfKey(`Unknown key "${key}"${didYouMean(key, this.#known)}`);
    }
  }
}

function durationOf(value: unknown): number | undefined {
  const match = typeof value === "string" ? /^(\d{1,9}(?:\.\d{1,6})?) ?(ms|s|m|h)$/.exec(value) : null;
  if (match === null) return undefined;
  return Number(match[1]) * { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[match[2] as "ms" | "s" | "m" | "h"]; // as in the expression above
}

function quoted(names: readonly string[]): string {
  const all = names.map((name) => `"${name}"`);
  return all.length === 1 ? (all[0] ?? "") : `${all.slice(0, -1).join(", ")} or ${all.at(-1)}`;
}

function kindOf(node: Node | undefined): string {
  if (isMap(node)) return "a mapping";
  if (isSeq(node)) return "a list";
  const value = isScalar(node) ? node.value : null;
  if (value === null || value === undefined) return "nothing";
  if (typeof value === "string") return `the text "${value.slice(0, 60)}"`;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : "something else";
}
