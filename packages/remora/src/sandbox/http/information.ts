/** Responses before the response (RFC 9110 §15.2): a server can send them without end. */

import type { ClientRequest } from "node:http";
import type { Traffic } from "../net/traffic.ts";

const informationMax = 16;

/** Counts them, and calls back at the first that is too many. */
export function boundInformation(request: ClientRequest, traffic: Traffic, exceeded: () => void): void {
  let count = 0;
  request.on("information", ({ rawHeaders }) => {
    traffic.receivedBytes += rawHeaders.join("").length;
    if (++count > informationMax) exceeded();
  });
}
