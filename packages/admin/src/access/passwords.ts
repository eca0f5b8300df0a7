/**
 * Passwords, kept as scrypt (RFC 7914) makes them: slow to try, with a salt each, and with their own costs beside them
 * so that these can be raised for new ones.
 */

import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { adminErrors } from "../errors.ts";

export const passwordCharactersMin = 8;
/** Hashing is slow on purpose; what comes in is bounded. */
export const passwordCharactersMax = 1_000;

/** 32 MiB and some tenths of a second: OWASP Password Storage Cheat Sheet. */
const costs = { N: 2 ** 15, r: 8, p: 3 } as const;
const keyBytes = 32;
const saltBytes = 16;

const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);

/** What is kept of a password. @throws admin/weak-password it is too short, or too long */
export async function hashPassword(password: string): Promise<string> {
  const { length } = password;
  if (length < passwordCharactersMin || length > passwordCharactersMax) {
    throw adminErrors["weak-password"]({
      found: length,
      charactersMin: passwordCharactersMin,
      charactersMax: passwordCharactersMax,
    });
  }
  const salt = randomBytes(saltBytes);
  const key = await keyOf(password, salt, costs);
  const { N, r, p } = costs;
  return `scrypt$${N}$${r}$${p}$${salt.toString("base64url")}$${key.toString("base64url")}`;
}

const kept = /^scrypt\$(32768|65536|131072)\$8\$([1-5])\$([A-Za-z0-9_-]{22})\$([A-Za-z0-9_-]{43})$/;

export function isPasswordHash(text: unknown): text is string {
  return typeof text === "string" && kept.test(text);
}

/** Whether it is the password; takes as long when it is not. */
export async function isPassword(password: string, hash: string): Promise<boolean> {
  const [, N, p, salt = "", expected = ""] = kept.exec(hash) ?? [];
  const found = await keyOf(password, Buffer.from(salt, "base64url"), { N: Number(N), r: 8, p: Number(p) });
  return timingSafeEqual(found, Buffer.from(expected, "base64url"));
}

/** Unicode has several ways to write one letter, and keyboards differ in which they send: RFC 8265 §4.1. */
function keyOf(password: string, salt: Buffer, { N, r, p }: { N: number; r: number; p: number }) {
  return derive(password.normalize("NFC"), salt, keyBytes, { N, r, p, maxmem: 256 * N * r });
}
