/** An HTTP request to a plugin's endpoint: found in its list, asked of the guest in its turn, and read. */

import type { Answer } from "remora/abi";
import { signalkErrors } from "../errors.ts";
import type { SignalkGuest } from "../guest/signalk-guest.ts";
import {
  type Endpoint,
  type EndpointRequest,
  type EndpointResponse,
  matchEndpoint,
  readResponse,
} from "./endpoints.ts";

export interface Answering {
  readonly plugin: string;
  readonly endpoints: readonly Endpoint[];
  readonly ask: (use: (guest: SignalkGuest) => Answer<string>) => Promise<string>;
}

/**
 * @returns undefined when the plugin serves no such path
 * @throws signalk/not-a-plugin signalk/bad-answer signalk/busy engine/…
 */
export async function answerRequest(
  { plugin, endpoints, ask }: Answering,
  { method, path, query, body, headers }: EndpointRequest,
): Promise<EndpointResponse | undefined> {
  const found = matchEndpoint(endpoints, method, path);
  if (found === undefined) return undefined;
  const { handler } = found.endpoint;
  const json = JSON.stringify({ method, path, query, params: found.params, body, headers });
  const answer = await ask((guest) => {
    if (guest.has(handler)) return guest.answer(handler, json);
    throw signalkErrors["not-a-plugin"]({ plugin, missing: handler });
  });
  return readResponse(plugin, handler, answer);
}
