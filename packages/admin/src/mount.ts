/**
 * Another interface over the same manager, as some other system's clients expect it: its own paths, its own JSON, its
 * own errors. Who may ask, how often, and the audit are this interface's.
 */

import type { Role } from "./access/roles.ts";

export interface MountedRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly body: unknown;
}

export interface MountedAnswer {
  readonly status: number;
  /** Undefined for an answer without a body. */
  readonly body?: unknown;
}

export interface MountedRoute {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** With `:name` for what is variable. */
  readonly path: string;
  readonly role: Role;
  /** What it does, for the audit trail; routes that only look have none. */
  readonly audit?: string;
  readonly summary: string;
  handle(request: MountedRequest): Promise<MountedAnswer>;
}

export interface Mount {
  /** The heading in the OpenAPI document. */
  readonly name: string;
  readonly routes: readonly MountedRoute[];
  /** An error in this interface's own words, and with its own status. */
  problem(status: number, error: { readonly code: string; readonly message: string }): MountedAnswer;
}
