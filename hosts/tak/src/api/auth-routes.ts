/** Who may come in: a password for a token that ends, and keys for programs. */

import { fieldsOf, refused, textOf } from "./body.ts";
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

export function authRoutes(nowMs: () => number): ApiRoute[] {
  return [
    {
      method: "POST",
      path: "/api/v1/auth/login",
      role: "everybody",
      summary: "A password for a token",
      async handle({ body, access }) {
        const fields = fieldsOf(body);
        const name = textOf(fields, "username", { max: 100 });
        const password = textOf(fields, "password", { min: 8, max: 1_000 });
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
      async handle({ body, access }) {
        const fields = fieldsOf(body);
        const name = textOf(fields, "name", { max: 200 });
        const role = roleOf(fields.role);
        const expiresAtMs = timeOf(fields.expires_at, nowMs());
        const key = access.createToken({ name, role, ...(expiresAtMs !== undefined && { expiresAtMs }) });
        const created = new Date(nowMs()).toISOString();
        return { status: 201, body: { api_key: key, id: uuidOf("key", name), name, created_at: created } };
      },
    },
  ];
}

function invalidCredentials(nowMs: number) {
  const timestamp = new Date(nowMs).toISOString();
  return { status: 401, body: { error: "unauthorized", message: "Invalid credentials", timestamp } };
}

function roleOf(value: unknown): ApiRole {
  const key = typeof value === "string" ? value.toLowerCase() : "";
  const role = Object.hasOwn(roles, key) ? roles[key] : undefined;
  if (role === undefined) throw refused('"role" must be "admin", "operator" or "readonly"');
  return role;
}

function timeOf(value: unknown, nowMs: number): number | undefined {
  if (value === undefined || value === null) return undefined;
  const ms = typeof value === "string" ? Date.parse(value) : Number.NaN;
  if (!(ms > nowMs)) throw refused('"expires_at" must be a time to come, as in RFC 3339');
  return ms;
}
