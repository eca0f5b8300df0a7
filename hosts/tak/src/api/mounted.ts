/** What this API is made of, as the admin interface mounts it. */

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

export interface ApiRoute {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly role: ApiRole | "everybody";
  readonly audit?: string;
  /** Which plugin it is about, for the audit trail. */
  readonly plugin?: (params: ApiRequest["params"]) => string;
  readonly summary: string;
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

/** A route that only looks, for everybody who is in. */
export function look(
  path: string,
  summary: string,
  handle: (request: ApiRequest) => Promise<unknown>,
  role: ApiRoute["role"] = "reader",
): ApiRoute {
  return {
    method: "GET",
    path,
    role,
    summary,
    handle: async (request) => ({ status: 200, body: await handle(request) }),
  };
}
