/** A request and its answer as the routes see them, whoever carries them: Node's server, or Express in signalk-server. */

import { Refusal } from "../refusal.ts";

export interface ApiRequest {
  readonly method: string;
  /** Decoded parts of the path that a route names, `*` for the rest of it. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, unknown>>;
  /** JSON; undefined for none. */
  readonly body: unknown;
}

export type ApiResponse =
  | { readonly status: number; readonly json: unknown }
  | {
      readonly status: number;
      readonly text: string | Uint8Array;
      readonly headers: Readonly<Record<string, string>>;
    };

export type Handler = (request: ApiRequest) => ApiResponse | Promise<ApiResponse>;

export const ok = (json: unknown): ApiResponse => ({ status: 200, json });

/** What was asked for was done. */
export const completed = completedWith({});

/** The same, with what came of it. */
export function completedWith(more: object): ApiResponse {
  return ok({ state: "COMPLETED", statusCode: 200, message: "OK", ...more });
}

/** @param code Of the error, where it is one that has a name. */
export function failed(status: number, message: string, code?: string): ApiResponse {
  return {
    status,
    json: { state: "FAILED", statusCode: status, message, ...(code !== undefined && { code }) },
  };
}

/** The same handler, with 400 for what it refuses. */
export function orRefused(handle: Handler): Handler {
  return async (request) => {
    try {
      return await handle(request);
    } catch (error) {
      if (error instanceof Refusal) return failed(400, error.message);
      throw error;
    }
  };
}

export function movedTo(path: string): ApiResponse {
  return { status: 302, text: "", headers: { Location: path } };
}

export const notFound: ApiResponse = {
  status: 404,
  text: "Not found\n",
  headers: { "Content-Type": "text/plain" },
};
