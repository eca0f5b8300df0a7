/** What a plugin's failure is in HTTP, to whoever asked it something. */

import { isRemoraError, type RemoraError } from "remora/base";

/** It could not be asked, and may be asked again later. */
const unavailable = 503;

const statuses: ReadonlyMap<string, number> = new Map([
  ["signalk/busy", unavailable],
  ["signalk/no-turn", unavailable],
  ["signalk/not-running", unavailable],
  ["signalk/no-provider", 404],
]);

export function failureStatus({ code }: RemoraError): number {
  return statuses.get(code) ?? 502;
}

/** Whether somebody could not be asked at all, whatever the answer would have been. */
export function isUnavailable(error: unknown): boolean {
  return isRemoraError(error) && failureStatus(error) === unavailable;
}
