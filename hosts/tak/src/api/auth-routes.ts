/** Who may come in: a password for a token that ends, and keys for programs. */

import { type Field, optional, readAs, refused, schemaOf, text } from "./body.ts";
import { objectWith, oneOfTexts, someText, someTime, someUuid } from "./json-schema.ts";
import type { ApiRole, ApiRoute } from "./mounted.ts";
import { uuidOf } from "./uuid.ts";

/** As OmniTAK writes them, to ours. */
const roles: Readonly<Record<string, ApiRole>> = {
  admin: "admin",
  operator: "operator",
  readonly: "reader",
};

const written: Readonly<Record<ApiRole, string>> = {
  admin: "admin",
  operator: "operator",
  reader: "readonly",
};

const credentials = { username: text({ max: 100 }), password: text({ min: 8, max: 1_000 }) };

const loggedIn = objectWith({
  access_token: someText,
  expires_at: someTime,
  role: oneOfTexts(Object.values(written)),
});

const roleName: Field<ApiRole> = {
  schema: { type: "string", description: "admin, operator or readonly, in letters of any case" },
  read(value) {
    const name = typeof value === "string" ? value.toLowerCase() : "";
    const role = Object.hasOwn(roles, name) ? roles[name] : undefined;
    if (role === undefined) throw refused('"role" must be "admin", "operator" or "readonly"');
    return role;
  },
};

/** Milliseconds since 1970; NaN for what is no time, which no time comes after. */
const time: Field<number> = {
  schema: someTime,
  read: (value) => (typeof value === "string" ? Date.parse(value) : Number.NaN),
};

const key = { name: text({ max: 200 }), role: roleName, expires_at: optional(time) };

const keyMade = objectWith({ api_key: someText, id: someUuid, name: someText, created_at: someTime });

export function authRoutes(nowMs: () => number): ApiRoute[] {
  return [
    {
      method: "POST",
      path: "/api/v1/auth/login",
      role: "everybody",
      summary: "A password for a token",
      schema: { body: schemaOf(credentials), answers: { 200: { description: "A token", schema: loggedIn } } },
      async handle({ body, access }) {
        const { username: name, password } = readAs(credentials, body);
        const login = await access.logIn({ name, password });
        if (login === undefined) return invalidCredentials(nowMs());
        const { token, expiresAtMs, role } = login;
        const expires = new Date(expiresAtMs).toISOString();
        return { status: 200, body: { access_token: token, expires_at: expires, role: written[role] } };
      },
    },
    {
      method: "POST",
      path: "/api/v1/auth/api-keys",
      role: "admin",
      audit: "create API key",
      summary: "A key for a program; it is shown this once",
      schema: { body: schemaOf(key), answers: { 201: { description: "The key", schema: keyMade } } },
      async handle({ body, access }) {
        const { name, role, expires_at: expiresAtMs } = readAs(key, body);
        if (expiresAtMs !== undefined && !(expiresAtMs > nowMs()))
          throw refused('"expires_at" must be a time to come, as in RFC 3339');
        const token = access.createToken({ name, role, ...(expiresAtMs !== undefined && { expiresAtMs }) });
        const created = new Date(nowMs()).toISOString();
        return { status: 201, body: { api_key: token, id: uuidOf("key", name), name, created_at: created } };
      },
    },
  ];
}

function invalidCredentials(nowMs: number) {
  const timestamp = new Date(nowMs).toISOString();
  return { status: 401, body: { error: "unauthorized", message: "Invalid credentials", timestamp } };
}
