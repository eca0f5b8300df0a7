/**
 * Reads a TOML document table by table and collects every problem with its place, so that whoever wrote it sees all
 * of them at once. A reading method that finds a problem notes it and gives back a stand-in; nothing that was read is
 * used when there are problems.
 */

import { parse, TomlError } from "smol-toml";
import { didYouMean } from "../../base/index.ts";
import type { Problem } from "../errors.ts";
import { pathText, type TomlPath, TomlPlaces } from "./toml-places.ts";

/** A document with more problems is no document of its kind. */
const problemsMax = 100;
/** Of values in one another. */
const depthMax = 32;

/** One document while it is read. */
export class DocumentReader {
  readonly root: TableReader;
  readonly #problems: Problem[] = [];
  readonly #text: string;
  /** Found when there is a problem, which most documents do not have. */
  #places: TomlPlaces | undefined;

  /** @param fail Makes the error out of the problems. */
  constructor(text: string, fail: (problems: readonly Problem[]) => Error) {
    let data: Record<string, unknown>;
    try {
      const options = {
        integersAsBigInt: "asNeeded",
        unsafeKeyBehaviour: "throw",
        maxDepth: depthMax,
      } as const;
      data = parse(text, options);
    } catch (error) {
      if (!(error instanceof TomlError)) throw error;
      const { line, column } = error;
      throw fail([{ line, column, path: "", message: error.message.split("\n")[0] ?? "" }]);
    }
    this.#text = text;
    this.root = new TableReader(this, [], data);
    this.#fail = fail;
  }

  readonly #fail: (problems: readonly Problem[]) => Error;

  problem(path: TomlPath, message: string): void {
    this.problemAt(pathText(path), message);
  }

  /** With the path as text, as errors of other layers have it. */
  problemAt(path: string, message: string): void {
    if (this.#problems.length === problemsMax) return;
    this.#places ??= new TomlPlaces(this.#text);
    this.#problems.push({ ...this.#places.of(path), path, message });
  }

  /** Throws when there are problems, in the order of the document. */
  throwProblems(): void {
    if (this.#problems.length === 0) return;
    throw this.#fail(this.#problems.toSorted((a, b) => a.line - b.line || a.column - b.column));
  }
}

/** What a text has to be; `expected` completes "allowed is …". */
export interface TextForm {
  readonly pattern?: RegExp;
  readonly lengthMax: number;
  readonly expected: string;
}

/** One table. Reading takes a key; `end` refuses those that nobody took. */
export class TableReader {
  readonly path: TomlPath;
  readonly document: DocumentReader;
  readonly #data: Readonly<Record<string, unknown>>;
  readonly #taken = new Set<string>();

  constructor(document: DocumentReader, path: TomlPath, data: Readonly<Record<string, unknown>>) {
    this.document = document;
    this.path = path;
    this.#data = data;
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#data, key);
  }

  /** The value as it is, undefined when it is not there. */
  take(key: string): unknown {
    this.#taken.add(key);
    return this.has(key) ? this.#data[key] : undefined;
  }

  problem(key: string, message: string): void {
    this.document.problem([...this.path, key], message);
  }

  text(key: string, form: TextForm): string {
    const value = this.take(key);
    if (value === undefined) return this.#missing(key, "a text", "");
    return this.#textOf([...this.path, key], value, form);
  }

  optionalText(key: string, form: TextForm): string | undefined {
    return this.has(key) ? this.text(key, form) : undefined;
  }

  oneOf<Choice extends string>(key: string, choices: readonly Choice[], otherwise: Choice): Choice {
    const value = this.take(key);
    if (value === undefined) return otherwise;
    const found = choices.find((choice) => choice === value);
    if (found !== undefined) return found;
    const near = typeof value === "string" ? didYouMean(value, choices) : "";
    this.problem(
      key,
      `found ${shown(value)}, allowed are ${choices.map((one) => `"${one}"`).join(", ")}${near}`,
    );
    return otherwise;
  }

  optionalInteger(key: string, bounds: { readonly min: number; readonly max: number }): number | undefined {
    const value = this.take(key);
    if (value === undefined) return undefined;
    if (typeof value === "number" && Number.isInteger(value) && value >= bounds.min && value <= bounds.max) {
      return value;
    }
    this.problem(key, `found ${shown(value)}, allowed are integers from ${bounds.min} to ${bounds.max}`);
    return bounds.min;
  }

  /** A list of different texts; empty when it is not there. */
  texts(key: string, form: TextForm, countMax: number): string[] {
    const texts = this.#list(key, countMax, "texts").map((value, at) =>
      this.#textOf([...this.path, key, at], value, form),
    );
    for (const [at, text] of texts.entries()) {
      if (text !== "" && texts.indexOf(text) < at) {
        this.document.problem([...this.path, key, at], `"${text}" stands there twice`);
      }
    }
    return texts;
  }

  /** A table, undefined when it is not there. */
  table<Read>(key: string, read: (table: TableReader) => Read): Read | undefined {
    const value = this.take(key);
    if (value === undefined) return undefined;
    if (isTable(value)) return this.#readTable([...this.path, key], value, read);
    this.problem(key, `found ${shown(value)}, allowed is a table`);
    return undefined;
  }

  /** A list of tables; empty when it is not there. */
  tables<Read>(key: string, read: (table: TableReader) => Read, countMax: number): Read[] {
    return this.#list(key, countMax, "tables").flatMap((value, at) => {
      if (isTable(value)) return [this.#readTable([...this.path, key, at], value, read)];
      this.document.problem([...this.path, key, at], `found ${shown(value)}, allowed is a table`);
      return [];
    });
  }

  keys(): string[] {
    return Object.keys(this.#data);
  }

  /** Refuses keys that nobody took: a misspelt one would be ignored, and its writer would not know. */
  end(): void {
    for (const key of this.keys()) {
      if (this.#taken.has(key)) continue;
      const near = didYouMean(key, this.#taken);
      this.problem(
        key,
        `there is no such key${near === "" ? `; allowed are ${[...this.#taken].join(", ")}` : near}`,
      );
    }
  }

  missing(key: string, what: string): void {
    this.#missing(key, what, undefined);
  }

  #readTable<Read>(path: TomlPath, data: Record<string, unknown>, read: (table: TableReader) => Read): Read {
    const table = new TableReader(this.document, path, data);
    const value = read(table);
    table.end();
    return value;
  }

  #list(key: string, countMax: number, what: string): readonly unknown[] {
    const value = this.take(key);
    if (value === undefined) return [];
    if (Array.isArray(value) && value.length <= countMax) return value;
    const found = Array.isArray(value) ? `${value.length} of them` : shown(value);
    this.problem(key, `found ${found}, allowed is a list of at most ${countMax} ${what}`);
    return [];
  }

  #textOf(path: TomlPath, value: unknown, form: TextForm): string {
    const isText = typeof value === "string" && value !== "" && value.length <= form.lengthMax;
    if (isText && form.pattern?.test(value) !== false) return value;
    this.document.problem(path, `found ${shown(value)}, allowed is ${form.expected}`);
    return "";
  }

  #missing<StandIn>(key: string, what: string, standIn: StandIn): StandIn {
    const place = this.path.length === 0 ? "" : ` in "${pathText(this.path)}"`;
    this.document.problem(this.path, `"${key}" is missing${place}: ${what} must be there`);
    return standIn;
  }
}

export function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** A value for a message. */
export function shown(value: unknown): string {
  if (typeof value === "string") return `"${value.slice(0, 100)}"`;
  if (typeof value === "bigint") return "an integer that is not exact in JSON";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return "a list";
  return value instanceof Date ? "a date" : "a table";
}
