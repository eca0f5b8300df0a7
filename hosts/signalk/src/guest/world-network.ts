/** `remora:signalk/network`: HTTP requests for components, through the sandbox, so that each of them passes the gate. */

import { asyncHostFunction, ComponentError } from "remora";
import { HttpFailure } from "remora/sandbox";
import type { GuestHost } from "./host.ts";

type Header = readonly [name: string, value: string];

interface Request {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly Header[];
  readonly body: Uint8Array | undefined;
}

interface Response {
  readonly statusCode: number;
  readonly headers: readonly Header[];
  readonly body: Uint8Array;
}

export function network(host: GuestHost) {
  return {
    fetch: asyncHostFunction((request: Request) => send(host, request)),
  };
}

async function send({ sandbox }: GuestHost, request: Request): Promise<Response> {
  const { method, url, headers, body } = request;
  try {
    const response = await sandbox.request({
      method,
      url,
      headers: headers.map(([name, value]) => [name, Buffer.from(value)]),
      // The guest goes on with its memory as soon as it waits no more.
      ...(body !== undefined && { body: body.slice() }),
    });
    return {
      statusCode: response.status,
      headers: response.headers.map(([name, value]) => [name, Buffer.from(value).toString("latin1")]),
      body: response.body,
    };
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error;
    throw new ComponentError(error.message);
  }
}
