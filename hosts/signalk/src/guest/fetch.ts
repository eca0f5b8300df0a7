/** HTTP for guests with as-fetch: through the sandbox, so that each request and each redirect passes the gate. */

import type { FetchRequest } from "remora/abi";
import { HttpFailure } from "remora/sandbox";
import type { GuestHost } from "./host.ts";

/**
 * Sends a request. The guest's interface knows no failure, so that one is an empty body, and a line in the log that
 * tells why.
 */
export async function fetchFor(host: GuestHost, request: FetchRequest): Promise<Uint8Array> {
  const { method, url, headers, body } = request;
  try {
    const response = await host.sandbox.request({
      method,
      url,
      headers: headers.map(([name, value]) => [name, new TextEncoder().encode(value)]),
      body,
    });
    return response.body;
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error;
    host.log("warn", `a request failed: ${error.message}`);
    return new Uint8Array(0);
  }
}
