/**
 * JSON Web Tokens (RFC 7519): those of a login here, and those that another system of the operator's signs with a shared
 * secret, as OmniTAK does. HS256 alone (RFC 7518 §3.2), with an end, and a role by one of the names that are known.
 */

import { createHmac, timingSafeEqual } from "node:crypto";
import type { Role } from "./roles.ts";
import type { Caller } from "./tokens.ts";

/** RFC 7518 §3.2: a key at least as long as the hash. */
export const jwtSecretBytesMin = 32;

const roles: Readonly<Record<string, Role>> = {
  admin: "admin",
  operator: "operator",
  reader: "reader",
  readonly: "reader",
  read_only: "reader",
};

/** Clocks of two machines differ by this, milliseconds. */
const skewMs = 60_000;

/**
 * Whose token it is; undefined when its signature, its time or its claims are not right.
 *
 * @param nowMs Milliseconds since 1970.
 */
export function jwtCaller(token: string, secret: Uint8Array, nowMs: number): Caller | undefined {
  const { sub, role } = jwtClaims(token, secret, nowMs) ?? {};
  if (typeof sub !== "string" || sub === "" || typeof role !== "string") return undefined;
  const key = role.toLowerCase();
  const found = Object.hasOwn(roles, key) ? roles[key] : undefined;
  return found && { name: `jwt:${sub.slice(0, 100)}`, role: found };
}

/** What a token says; undefined when its signature or its time is not right. */
export function jwtClaims(
  token: string,
  secret: Uint8Array,
  nowMs: number,
): Readonly<Record<string, unknown>> | undefined {
  const [, head = "", claims = "", signature = ""] =
    /^([A-Za-z0-9_-]{1,200})\.([A-Za-z0-9_-]{1,4000})\.([A-Za-z0-9_-]{43})$/.exec(token) ?? [];
  const expected = signatureOf(`${head}.${claims}`, secret);
  const given = Buffer.from(signature, "base64url");
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  const { alg } = parsed(head);
  // The header says what the signature is; nothing but what was just checked is believed.
  if (alg !== "HS256") return undefined;
  const said = parsed(claims);
  const { exp, nbf } = said;
  if (typeof exp !== "number" || exp * 1_000 + skewMs <= nowMs) return undefined;
  if (nbf !== undefined && (typeof nbf !== "number" || nbf * 1_000 - skewMs > nowMs)) return undefined;
  return said;
}

export function signJwt(claims: Readonly<Record<string, unknown>>, secret: Uint8Array): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const body = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  return `${body}.${signatureOf(body, secret).toString("base64url")}`;
}

function signatureOf(body: string, secret: Uint8Array): Buffer {
  return createHmac("sha256", secret).update(body).digest();
}

function parsed(part: string): Record<string, unknown> {
  try {
    const data: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return typeof data === "object" && data !== null ? { ...data } : {};
  } catch {
    return {}; // signed, and nonsense
  }
}
