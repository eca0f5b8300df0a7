/**
 * A plugin's key-value store: bytes by key, within a quota, in memory or in a file. One plugin has one store, and
 * nobody else's.
 */

import { createRequire } from "node:module";
import type { DatabaseSync } from "node:sqlite";

export interface KeyValueBounds {
  readonly kvKeysMax: number;
  /** Keys (in UTF-8) and values together. */
  readonly kvBytesMax: number;
}

/** Longer keys are refused: a key is a name. */
const keyBytesMax = 1_024;

/** Keys of one listing. */
const pageMax = 256;

/** Why something was not stored. */
export type KeyValueRefusal = "quota" | "key-too-long";

/** Where the pairs are. Keys come in the order of their UTF-16 units. */
interface Pairs {
  get(key: string): Uint8Array | undefined;
  set(key: string, value: Uint8Array): void;
  delete(key: string): void;
  /** The first keys behind one. */
  after(key: string, count: number): string[];
  close(): void;
}

export class KeyValueStore {
  readonly #pairs: Pairs;
  readonly #bounds: KeyValueBounds;
  #bytes: number;
  #keys: number;

  /** @param file The file that keeps the pairs, made when it is not there; in memory without. */
  constructor(bounds: KeyValueBounds, file?: string) {
    this.#bounds = bounds;
    const { pairs, bytes, keys } = file === undefined ? memoryPairs() : filePairs(file);
    this.#pairs = pairs;
    this.#bytes = bytes;
    this.#keys = keys;
  }

  get bytesUsed(): number {
    return this.#bytes;
  }

  get keysUsed(): number {
    return this.#keys;
  }

  get(key: string): Uint8Array | undefined {
    return this.#pairs.get(key);
  }

  /** Keeps a copy of the value. @returns Why not, when there is no room. */
  set(key: string, value: Uint8Array): KeyValueRefusal | undefined {
    const keyBytes = Buffer.byteLength(key);
    if (keyBytes > keyBytesMax) return "key-too-long";
    const old = this.#pairs.get(key);
    const bytes = this.#bytes + value.length + (old === undefined ? keyBytes : -old.length);
    const keys = this.#keys + (old === undefined ? 1 : 0);
    if (bytes > this.#bounds.kvBytesMax || keys > this.#bounds.kvKeysMax) return "quota";
    this.#pairs.set(key, value.slice());
    this.#bytes = bytes;
    this.#keys = keys;
    return undefined;
  }

  delete(key: string): void {
    const old = this.#pairs.get(key);
    if (old === undefined) return;
    this.#pairs.delete(key);
    this.#bytes -= old.length + Buffer.byteLength(key);
    this.#keys--;
  }

  /** Some keys behind a cursor, in order, and where the next begin; none when these were the last. */
  list(cursor: string | undefined): { keys: string[]; cursor: string | undefined } {
    const found = this.#pairs.after(cursor ?? "", pageMax + 1);
    const keys = found.slice(0, pageMax);
    return { keys, cursor: found.length > pageMax ? keys.at(-1) : undefined };
  }

  close(): void {
    this.#pairs.close();
  }
}

interface Opened {
  readonly pairs: Pairs;
  readonly bytes: number;
  readonly keys: number;
}

function memoryPairs(): Opened {
  const values = new Map<string, Uint8Array>();
  const pairs: Pairs = {
    get: (key) => values.get(key)?.slice(),
    set: (key, value) => void values.set(key, value),
    delete: (key) => void values.delete(key),
    // The empty key stands before all others, so that nothing is behind a cursor by mistake.
    after: (key, count) =>
      [...values.keys()]
        .filter((other) => other > key || (key === "" && other === ""))
        .sort()
        .slice(0, count),
    close: () => values.clear(),
  };
  return { pairs, bytes: 0, keys: 0 };
}

function filePairs(file: string): Opened {
  // Loaded when it is wanted: in Node 22 it warns that it is new.
  const { DatabaseSync: Database } = createRequire(import.meta.url)("node:sqlite") as {
    readonly DatabaseSync: typeof DatabaseSync;
  };
  const database = new Database(file);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  database.exec("CREATE TABLE IF NOT EXISTS pairs (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID");
  const get = database.prepare("SELECT value FROM pairs WHERE key = ?");
  const set = database.prepare(
    "INSERT INTO pairs VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
  );
  const remove = database.prepare("DELETE FROM pairs WHERE key = ?");
  const after = database.prepare(
    "SELECT key FROM pairs WHERE key > ?1 OR (?1 = '' AND key = '') ORDER BY key LIMIT ?2",
  );
  const used = database
    .prepare(
      "SELECT count(*) AS keys, coalesce(sum(length(CAST(key AS BLOB)) + length(value)), 0) AS bytes FROM pairs",
    )
    .get();
  const pairs: Pairs = {
    get: (key) => {
      const value = get.get(key)?.value;
      return value instanceof Uint8Array ? value : undefined;
    },
    set: (key, value) => void set.run(key, value),
    delete: (key) => void remove.run(key),
    after: (key, count) => after.all(key, count).map((row) => String(row.key)),
    close: () => database.close(),
  };
  return { pairs, bytes: Number(used?.bytes ?? 0), keys: Number(used?.keys ?? 0) };
}
