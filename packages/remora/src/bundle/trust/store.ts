/**
 * The operator's trust store, `trusted_keys.toml`: whose keys are trusted, and which never again. It is Conductor's file
 * with more in it. What Conductor reads of it, `[[keys]]`, is only what it may trust as it understands trust, for ever:
 * keys with a validity are in `[[limited_keys]]` and revoked ones in `[[revoked_keys]]`, which it passes over. (When
 * Conductor itself writes the file again, it drops both: their keys are then trusted by nobody.)
 */

import { stringify } from "smol-toml";
import { isRemoraError } from "../../base/index.ts";
import { bundleErrors, type Problem } from "../errors.ts";
import { DocumentReader, type TableReader, type TextForm } from "../manifest/document-reader.ts";
import { parsePublicKey } from "./keys.ts";
import { parseTime } from "./time.ts";

export interface TrustedKey {
  /** The publisher, as the operator calls them. */
  readonly name: string;
  readonly email: string;
  /** 64 hexadecimal digits, in lower case. */
  readonly publicKey: string;
  /** As the file has it, RFC 3339. */
  readonly addedAt: string;
  readonly validFromMs?: number;
  readonly validUntilMs?: number;
}

export interface RevokedKey {
  readonly name: string;
  readonly publicKey: string;
  readonly revokedAtMs: number;
  /** Empty when nobody said. */
  readonly why: string;
}

export interface TrustStore {
  readonly keys: readonly TrustedKey[];
  readonly revoked: readonly RevokedKey[];
}

export const emptyTrustStore: TrustStore = { keys: [], revoked: [] };

/** More would not be looked through by anybody. */
const keysMax = 10_000;
const charactersMax = 4 * 1024 * 1024;

/**
 * Reads a trust store, ours or Conductor's.
 *
 * @throws bundle/trust-store with `details.problems`, each with line and column; a misspelt key is one, since a
 *         validity that is not read would last for ever
 */
export function parseTrustStore(text: string, file: string): TrustStore {
  const fail = (problems: readonly Problem[]) => bundleErrors["trust-store"]({ file, problems });
  if (text.length > charactersMax) {
    throw fail([{ line: 1, column: 1, path: "", message: `at most ${charactersMax} characters are read` }]);
  }
  const reader = new DocumentReader(text, fail);
  const seen = new Set<string>();
  const store: TrustStore = {
    keys: [
      ...reader.root.tables("keys", (table) => readKey(table, seen), keysMax),
      ...reader.root.tables("limited_keys", (table) => readLimited(table, seen), keysMax),
    ],
    revoked: reader.root.tables("revoked_keys", (table) => readRevoked(table, seen), keysMax),
  };
  reader.root.end();
  reader.throwProblems();
  return store;
}

const anyText: TextForm = { lengthMax: 1_000, expected: "a text of 1 to 1000 characters" };

function readKey(table: TableReader, seen: Set<string>): TrustedKey {
  return {
    name: emptyableText(table, "name"),
    email: emptyableText(table, "email"),
    publicKey: readPublicKey(table, seen),
    addedAt: timeText(table, "added_at"),
  };
}

function readLimited(table: TableReader, seen: Set<string>): TrustedKey {
  const validFromMs = table.has("valid_from") ? time(table, "valid_from") : undefined;
  const validUntilMs = table.has("valid_until") ? time(table, "valid_until") : undefined;
  return {
    ...readKey(table, seen),
    ...(validFromMs !== undefined && { validFromMs }),
    ...(validUntilMs !== undefined && { validUntilMs }),
  };
}

function readRevoked(table: TableReader, seen: Set<string>): RevokedKey {
  return {
    name: emptyableText(table, "name"),
    publicKey: readPublicKey(table, seen),
    revokedAtMs: time(table, "revoked_at"),
    why: table.has("why") ? emptyableText(table, "why") : "",
  };
}

/** Conductor writes empty names and addresses where it knows none. */
function emptyableText(table: TableReader, key: string): string {
  const value = table.take(key);
  return value === "" ? "" : table.text(key, anyText);
}

function readPublicKey(table: TableReader, seen: Set<string>): string {
  const text = table.text("public_key", anyText);
  if (text === "") return "";
  try {
    const publicKey = parsePublicKey(text);
    if (seen.has(publicKey)) table.problem("public_key", `the key ${publicKey} stands there twice`);
    seen.add(publicKey);
    return publicKey;
  } catch (error) {
    if (!isRemoraError(error, "bundle/bad-key")) throw error;
    table.problem("public_key", error.message);
    return "";
  }
}

function timeText(table: TableReader, key: string): string {
  return readTime(table, key).text;
}

/** What stands for a time that is none counts for nothing: the store is refused. */
function time(table: TableReader, key: string): number {
  return readTime(table, key).ms;
}

function readTime(table: TableReader, key: string): { readonly text: string; readonly ms: number } {
  const value = table.take(key);
  // TOML has times of a day without their day: as a Date they are valid, and as a text no time at all.
  const text = value instanceof Date ? value.toISOString() : table.text(key, anyText);
  const ms = parseTime(text);
  if (ms === undefined && text !== "") {
    table.problem(key, `found "${text.slice(0, 100)}", allowed is a time as "2026-11-21T12:00:00Z"`);
  }
  return { text, ms: ms ?? 0 };
}

/** The store as a file that Conductor reads too. */
export function printTrustStore(store: TrustStore): string {
  const row = ({ name, email, publicKey, addedAt }: TrustedKey) => ({
    name,
    email,
    public_key: publicKey,
    added_at: addedAt,
  });
  const limited = store.keys.filter(isLimited).map((key) => ({
    ...row(key),
    ...(key.validFromMs !== undefined && { valid_from: isoTime(key.validFromMs) }),
    ...(key.validUntilMs !== undefined && { valid_until: isoTime(key.validUntilMs) }),
  }));
  const revoked = store.revoked.map(({ name, publicKey, revokedAtMs, why }) => ({
    name,
    public_key: publicKey,
    revoked_at: isoTime(revokedAtMs),
    why,
  }));
  const text = stringify({
    // Conductor refuses a file without it.
    keys: store.keys.filter((key) => !isLimited(key)).map(row),
    ...(limited.length > 0 && { limited_keys: limited }),
    ...(revoked.length > 0 && { revoked_keys: revoked }),
  });
  return text.endsWith("\n") ? text : `${text}\n`;
}

function isLimited(key: TrustedKey): boolean {
  return key.validFromMs !== undefined || key.validUntilMs !== undefined;
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

export function keyOf(store: TrustStore, publicKey: string): TrustedKey | undefined {
  return store.keys.find((key) => key.publicKey === publicKey);
}

export function revocationOf(store: TrustStore, publicKey: string): RevokedKey | undefined {
  return store.revoked.find((key) => key.publicKey === publicKey);
}

/**
 * The store with one key more.
 *
 * @throws bundle/key-known it is trusted already, or was revoked: a revocation is not taken back by accident
 */
export function trustKey(store: TrustStore, key: TrustedKey): TrustStore {
  const revoked = revocationOf(store, key.publicKey);
  const known = revoked ?? keyOf(store, key.publicKey);
  if (known !== undefined) {
    throw bundleErrors["key-known"]({
      publicKey: key.publicKey,
      name: known.name,
      isRevoked: revoked !== undefined,
    });
  }
  return { ...store, keys: [...store.keys, key] };
}

/**
 * The store with a key revoked, known before or not: nothing that it signed, ever, is trusted or run.
 *
 * @throws bundle/key-revoked it was revoked before
 */
export function revokeKey(
  store: TrustStore,
  { publicKey, atMs, why }: { readonly publicKey: string; readonly atMs: number; readonly why: string },
): TrustStore {
  if (revocationOf(store, publicKey) !== undefined) throw bundleErrors["key-revoked"]({ publicKey });
  const name = keyOf(store, publicKey)?.name ?? "";
  return {
    keys: store.keys.filter((key) => key.publicKey !== publicKey),
    revoked: [...store.revoked, { name, publicKey, revokedAtMs: atMs, why }],
  };
}
