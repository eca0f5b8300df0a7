/**
 * Another interface over the same manager, as some other system's clients expect it: its own paths, its own JSON, its
 * own errors. Who may ask, how often, and the audit are this interface's.
 */

import type { Credentials, Login } from "./access/logins.ts";
import type { Role } from "./access/roles.ts";
import type { Caller } from "./access/tokens.ts";

export interface MountedRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly body: unknown;
  /** Whose token it carries; undefined where everybody may ask. */
  readonly caller: Caller | undefined;
  readonly access: MountedAccess;
}

/** What a mounted interface may let its clients do about who they are. */
export interface MountedAccess {
  /** As `Logins.logIn`, from where the request came. */
  logIn(credentials: Omit<Credentials, "address">): Promise<Login | undefined>;
  /** As `createToken`; expired when `expiresAtMs` is not after now. */
  createToken(options: {
    readonly name: string;
    readonly role: Role;
    /** Milliseconds since 1970. */
    readonly expiresAtMs?: number;
  }): string;
}

export interface MountedAnswer {
  readonly status: number;
  /** Undefined for an answer without a body; sent as JSON, or as it is where a type is given. */
  readonly body?: unknown;
  readonly type?: string;
}

/** JSON Schema, draft 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** What a route takes and answers, for the OpenAPI document: the route checks by itself what it is sent. */
export interface MountedSchema {
  /** An object of what may stand in the query; all of it is texts there. */
  readonly query?: JsonSchema;
  readonly body?: JsonSchema;
  /** By status; failures are the mount's `problemSchema`. */
  readonly answers: Readonly<Record<number, MountedAnswerSchema>>;
}

export interface MountedAnswerSchema {
  readonly description?: string;
  /** Of the body. Without it there is none. */
  readonly schema?: JsonSchema;
  /** Default: `application/json`. */
  readonly type?: string;
}

export interface MountedRoute {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** With `:name` for what is variable. */
  readonly path: string;
  readonly role: Role | "everybody";
  /** What it does, for the audit trail; routes that only look have none. */
  readonly audit?: string;
  /** Which plugin it is about, for the audit trail. Default: none. */
  readonly plugin?: (params: MountedRequest["params"]) => string;
  readonly summary: string;
  /** Without it the document says what its path says. */
  readonly schema?: MountedSchema;
  handle(request: MountedRequest): Promise<MountedAnswer>;
}

/** A path that becomes a WebSocket. */
export interface MountedSocket {
  readonly path: string;
  readonly role: Role;
  readonly summary: string;
  /** Somebody who may has come. */
  open(peer: MountedPeer): MountedSession;
}

export interface MountedPeer {
  readonly caller: Caller;
  /** It has not read what it was sent: `send` would leave out what comes next. */
  readonly isCrowded: boolean;
  /** @returns False when it was left out, because the client does not read what it was sent before. */
  send(text: string): boolean;
}

/** What happens to one socket. */
export interface MountedSession {
  /** Controlled by the client; at most 64 KiB. */
  received(text: string): void;
  closed(): void;
}

export interface Mount {
  /** The heading in the OpenAPI document. */
  readonly name: string;
  /** Of the paths that are its own, with or without a route: `/api/other`. Routes and sockets are below it. */
  readonly prefix: string;
  readonly routes: readonly MountedRoute[];
  readonly sockets?: readonly MountedSocket[];
  /** Of what `problem` answers. */
  readonly problemSchema?: JsonSchema;
  /** An error in this interface's own words, and with its own status. */
  problem(status: number, error: { readonly code: string; readonly message: string }): MountedAnswer;
}
