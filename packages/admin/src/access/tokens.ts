/**
 * Tokens: who is asking, and in which role. A token is 256 random bits, so that its hash can be kept without salt and
 * nobody gets from the file to a token.
 */

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { join } from "node:path";
import { adminErrors } from "../errors.ts";
import { checkOwnerName } from "./owner-name.ts";
import { type RecordFile, readRecords, WatchedRecords, writeRecords } from "./record-file.ts";
import { isRole, type Role } from "./roles.ts";

export interface TokenRecord {
  /** Who has it: unique, and what the audit trail shows. */
  readonly name: string;
  readonly role: Role;
  /** SHA-256 of the token, hexadecimal. */
  readonly sha256: string;
  /** RFC 3339. */
  readonly createdAt: string;
  /** RFC 3339; null when it does not expire. */
  readonly expiresAt: string | null;
}

/** Somebody who showed a token. */
export interface Caller {
  readonly name: string;
  readonly role: Role;
}

export interface CreateTokenOptions {
  readonly name: string;
  readonly role: Role;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** Default: it does not expire. */
  readonly validMs?: number;
}

/** In the manager's folder. */
export function tokensFile(folder: string): string {
  return join(folder, "admin", "tokens.json");
}

/** A fresh token; the prefix lets scanners for secrets find one that was left somewhere. */
export function newToken(): string {
  return `remora_${randomBytes(32).toString("base64url")}`;
}

export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/**
 * Makes a token. This is the only time that anybody sees it.
 *
 * @throws admin/bad-name admin/token-exists admin/access-file-damaged admin/access-file-unwritable
 */
export function createToken(file: string, options: CreateTokenOptions): string {
  const { name, role, nowMs, validMs } = options;
  checkOwnerName(name);
  const tokens = readTokens(file);
  if (tokens.some((one) => one.name === name)) throw adminErrors["token-exists"]({ name });
  const token = newToken();
  const createdAt = new Date(nowMs).toISOString();
  const expiresAt = validMs === undefined ? null : new Date(nowMs + validMs).toISOString();
  writeRecords(file, [...tokens, { name, role, sha256: hashToken(token), createdAt, expiresAt }]);
  return token;
}

/**
 * Takes a token back: from the next request on it is none.
 *
 * @throws admin/no-such-token admin/access-file-damaged admin/access-file-unwritable
 */
export function revokeToken(file: string, name: string): void {
  const tokens = readTokens(file);
  const left = tokens.filter((one) => one.name !== name);
  if (left.length === tokens.length) throw adminErrors["no-such-token"]({ name });
  writeRecords(file, left);
}

/** @throws admin/access-file-damaged */
export function readTokens(file: string): TokenRecord[] {
  return readRecords(file, tokenFile);
}

const tokenFile: RecordFile<TokenRecord> = { what: "tokens", isEntry: isTokenRecord };

function isTokenRecord(data: unknown): data is TokenRecord {
  if (typeof data !== "object" || data === null) return false;
  const { name, role, sha256, createdAt, expiresAt } = data as Record<string, unknown>; // an object, as just checked
  return (
    typeof name === "string" &&
    isRole(role) &&
    typeof sha256 === "string" &&
    /^[0-9a-f]{64}$/.test(sha256) &&
    typeof createdAt === "string" &&
    (expiresAt === null || (typeof expiresAt === "string" && !Number.isNaN(Date.parse(expiresAt))))
  );
}

/** The tokens of a file, and one that is in no file: that of the program that runs. */
export class TokenList {
  readonly #kept: WatchedRecords<TokenRecord>;
  readonly #own: TokenRecord;
  readonly #nowMs: () => number;

  /** @param own For whoever may read the folder: see `endpoint-file.ts`. */
  constructor(file: string, own: TokenRecord, nowMs: () => number) {
    this.#kept = new WatchedRecords(file, tokenFile);
    this.#own = own;
    this.#nowMs = nowMs;
  }

  /** Whose token it is; undefined when it is nobody's, or not any more. @throws admin/access-file-damaged */
  callerOf(token: string): Caller | undefined {
    const hash = Buffer.from(hashToken(token), "hex");
    let found: TokenRecord | undefined;
    // All of them, whatever the first ones are: how long it takes says nothing.
    for (const record of [this.#own, ...this.#kept.current()]) {
      if (timingSafeEqual(hash, Buffer.from(record.sha256, "hex"))) found = record;
    }
    if (found === undefined) return undefined;
    const { name, role, expiresAt } = found;
    if (expiresAt !== null && Date.parse(expiresAt) <= this.#nowMs()) return undefined;
    return { name, role };
  }
}
