/**
 * A plugin's key-value store: bytes by key, within a quota, in memory or in a file. One plugin has one store, and
 * nobody else's.
 */

import { createRequire } from "node:module";
import type { DatabaseSync } from "node:sqlite";

export interface KeyValueBounds {
  readonly kvKeysMax: number;
  readonly kvValueBytesMax: number;
  /** Keys (in UTF-8) and values together. */
  readonly kvBytesMax: number;
}

/** Longer keys are refused: a key is a name. */
const keyBytesMax = 1_024;

/** Keys of one listing. */
const pageMax = 256;

/** Why something was not stored. */
export type KeyValueRefusal = "quota" | "key-too-long" | "value-too-long";

interface Used {
  readonly keys: number;
  /** Keys (in UTF-8) and values together. */
  readonly bytes: number;
}

/** Where the pairs are. Keys come in the order of their UTF-16 units. */
interface Pairs {
  get(key: string): Uint8Array | undefined;
  /** Bytes of a value, without reading it. */
  sizeOf(key: string): number | undefined;
  set(key: string, value: Uint8Array): void;
  delete(key: string): void;
  /** The first keys behind one. */
  after(key: string, count: number): string[];
  used(): Used;
  /** Nobody else changes anything meanwhile, in another thread or process either. */
  alone<Result>(act: () => Result): Result;
  close(): void;
}

export class KeyValueStore {
  readonly #pairs: Pairs;
  readonly #bounds: KeyValueBounds;

  /** @param file The file that keeps the pairs, made when it is not there; in memory without. */
  constructor(bounds: KeyValueBounds, file?: string) {
    this.#bounds = bounds;
    this.#pairs = file === undefined ? memoryPairs() : filePairs(file);
  }

  get bytesUsed(): number {
    return this.#pairs.used().bytes;
  }

  get keysUsed(): number {
    return this.#pairs.used().keys;
  }

  get(key: string): Uint8Array | undefined {
    return this.#pairs.get(key);
  }

  has(key: string): boolean {
    return this.#pairs.sizeOf(key) !== undefined;
  }

  /** Keeps a copy of the value. @returns Why not, when there is no room. */
  set(key: string, value: Uint8Array): KeyValueRefusal | undefined {
    const keyBytes = Buffer.byteLength(key);
    if (keyBytes > keyBytesMax) return "key-too-long";
    // SQLite writes it to two files before it returns.
    if (value.length > this.#bounds.kvValueBytesMax) return "value-too-long";
    return this.#pairs.alone(() => {
      const old = this.#pairs.sizeOf(key);
      const used = this.#pairs.used();
      const bytes = used.bytes + value.length + (old === undefined ? keyBytes : -old);
      const keys = used.keys + (old === undefined ? 1 : 0);
      if (bytes > this.#bounds.kvBytesMax || keys > this.#bounds.kvKeysMax) return "quota";
      this.#pairs.set(key, value.slice());
      return undefined;
    });
  }

  delete(key: string): void {
    this.#pairs.delete(key);
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

function memoryPairs(): Pairs {
  const values = new Map<string, Uint8Array>();
  let bytes = 0;
  const forget = (key: string): void => {
    const old = values.get(key);
    if (old === undefined) return;
    bytes -= old.length + Buffer.byteLength(key);
    values.delete(key);
  };
  return {
    get: (key) => values.get(key)?.slice(),
    sizeOf: (key) => values.get(key)?.length,
    set(key, value) {
      forget(key);
      bytes += value.length + Buffer.byteLength(key);
      values.set(key, value);
    },
    delete: forget,
    // The empty key stands before all others, so that nothing is behind a cursor by mistake.
    after: (key, count) =>
      [...values.keys()]
        .filter((other) => other > key || (key === "" && other === ""))
        .sort()
        .slice(0, count),
    used: () => ({ keys: values.size, bytes }),
    alone: (act) => act(),
    close: () => values.clear(),
  };
}

/** What is used is kept beside the pairs, by the database itself: whoever opens the file counts the same. */
const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  BEGIN IMMEDIATE;
  CREATE TABLE IF NOT EXISTS pairs (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS used (one INTEGER PRIMARY KEY CHECK (one = 1), keys INTEGER, bytes INTEGER);
  CREATE TRIGGER IF NOT EXISTS pair_made AFTER INSERT ON pairs BEGIN
    UPDATE used SET keys = keys + 1, bytes = bytes + length(CAST(new.key AS BLOB)) + length(new.value);
  END;
  CREATE TRIGGER IF NOT EXISTS pair_changed AFTER UPDATE ON pairs BEGIN
    UPDATE used SET bytes = bytes + length(new.value) - length(old.value);
  END;
  CREATE TRIGGER IF NOT EXISTS pair_gone AFTER DELETE ON pairs BEGIN
    UPDATE used SET keys = keys - 1, bytes = bytes - length(CAST(old.key AS BLOB)) - length(old.value);
  END;
  INSERT OR IGNORE INTO used
    SELECT 1, count(*), coalesce(sum(length(CAST(key AS BLOB)) + length(value)), 0) FROM pairs;
  COMMIT`;

/** Another thread or process holds the file for so long at most; its transactions take less than a millisecond. */
const busyTimeoutMs = 5_000;

function filePairs(file: string): Pairs {
  // Loaded when it is wanted: in Node 22 it warns that it is new.
  const { DatabaseSync: Database } = createRequire(import.meta.url)("node:sqlite") as {
    readonly DatabaseSync: typeof DatabaseSync;
  };
  const database = new Database(file);
  database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
  database.exec(schema);
  const get = database.prepare("SELECT value FROM pairs WHERE key = ?");
  const sizeOf = database.prepare("SELECT length(value) AS bytes FROM pairs WHERE key = ?");
  const set = database.prepare(
    "INSERT INTO pairs VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
  );
  const remove = database.prepare("DELETE FROM pairs WHERE key = ?");
  const after = database.prepare(
    "SELECT key FROM pairs WHERE key > ?1 OR (?1 = '' AND key = '') ORDER BY key LIMIT ?2",
  );
  const used = database.prepare("SELECT keys, bytes FROM used");
  return {
    get(key) {
      const value = get.get(key)?.value;
      return value instanceof Uint8Array ? value : undefined;
    },
    sizeOf(key) {
      const bytes = sizeOf.get(key)?.bytes;
      return bytes === undefined ? undefined : Number(bytes);
    },
    set: (key, value) => void set.run(key, value),
    delete: (key) => void remove.run(key),
    after: (key, count) => after.all(key, count).map((row) => String(row.key)),
    used() {
      const row = used.get();
      return { keys: Number(row?.keys), bytes: Number(row?.bytes) };
    },
    alone(act) {
      database.exec("BEGIN IMMEDIATE");
      try {
        const result = act();
        database.exec("COMMIT");
        return result;
      } catch (error) {
        if (database.isTransaction) database.exec("ROLLBACK");
        throw error;
      }
    },
    close: () => database.close(),
  };
}
