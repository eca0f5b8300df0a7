/** An HTTP request to a plugin's endpoint: found in its list, asked of the guest in its turn, and read. */

import type { Answer } from "remora/abi";
import type { SignalkGuest } from "../guest/signalk-guest.ts";
import { type Endpoint, type EndpointRequest, type EndpointResponse, matchEndpoint } from "./endpoints.ts";

export interface Answering {
  readonly endpoints: readonly Endpoint[];
  readonly ask: (use: (guest: SignalkGuest) => Answer<EndpointResponse>) => Promise<EndpointResponse>;
}

/**
 * @returns undefined when the plugin serves no such path
 * @throws signalk/not-a-plugin signalk/bad-answer signalk/busy engine/…
 */
export async function answerRequest(
  { endpoints, ask }: Answering,
  request: EndpointRequest,
): Promise<EndpointResponse | undefined> {
  const found = matchEndpoint(endpoints, request.method, request.path);
  if (found === undefined) return undefined;
  return ask((guest) => guest.serve({ ...request, ...found }));
}
