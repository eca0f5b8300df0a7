/** What this API is made of, as the admin interface mounts it. */

import { type Shape, schemaOf } from "./body.ts";
import type { JsonSchema } from "./json-schema.ts";

export type ApiRole = "reader" | "operator" | "admin";

export interface ApiRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly body: unknown;
  readonly access: ApiAccess;
}

/** What the admin interface knows of who may come in. */
export interface ApiAccess {
  logIn(credentials: {
    readonly name: string;
    readonly password: string;
  }): Promise<{ readonly token: string; readonly expiresAtMs: number; readonly role: ApiRole } | undefined>;
  createToken(options: {
    readonly name: string;
    readonly role: ApiRole;
    readonly expiresAtMs?: number;
  }): string;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly type?: string;
}

/** What a route takes and answers, for the description of the API. */
export interface ApiSchema {
  readonly query?: JsonSchema;
  readonly body?: JsonSchema;
  /** By status; without a schema there is no body. */
  readonly answers: Readonly<
    Record<number, { readonly description?: string; readonly schema?: JsonSchema; readonly type?: string }>
  >;
}

export interface ApiRoute {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly role: ApiRole | "everybody";
  readonly audit?: string;
  /** Which plugin it is about, for the audit trail. */
  readonly plugin?: (params: ApiRequest["params"]) => string;
  readonly summary: string;
  readonly schema: ApiSchema;
  handle(request: ApiRequest): Promise<ApiAnswer>;
}

export interface ApiPeer {
  readonly isCrowded: boolean;
  send(text: string): boolean;
}

export interface ApiSocket {
  readonly path: string;
  readonly role: ApiRole;
  readonly summary: string;
  open(peer: ApiPeer): { received(text: string): void; closed(): void };
}

interface Look extends Pick<ApiRoute, "path" | "summary"> {
  /** Default: reader. */
  readonly role?: ApiRoute["role"];
  readonly query?: Shape;
  readonly answer: JsonSchema;
}

/** A route that only looks. */
export function look(
  { path, summary, role = "reader", query, answer }: Look,
  handle: (request: ApiRequest) => Promise<unknown>,
): ApiRoute {
  const answers = { 200: { description: summary, schema: answer } };
  return {
    method: "GET",
    path,
    role,
    summary,
    schema: { answers, ...(query !== undefined && { query: schemaOf(query) }) },
    handle: async (request) => ({ status: 200, body: await handle(request) }),
  };
}
