/** Events that people send. */

import { isRemoraError } from "remora/base";
import { harmless } from "remora/policy";
import type { Connections } from "../connections.ts";
import type { CotMessage } from "../cot/message.ts";
import { StreamReader } from "../cot/stream-reader.ts";
import type { Outlet } from "../distribute.ts";
import type { Endpoint } from "../endpoint.ts";
import type { Injected, TakHost } from "../host.ts";
import { type Fields, fieldsOf, flagOf, refused, textOf, textsOf } from "./body.ts";
import { connectionId } from "./connection-routes.ts";
import type { ApiRoute } from "./mounted.ts";
import { uuidOf } from "./uuid.ts";

export interface CotRoutesOptions {
  readonly host: TakHost;
  readonly connections: Pick<Connections, "endpoints">;
  readonly nowMs: () => number;
}

export function cotRoutes({ host, connections, nowMs }: CotRoutesOptions): ApiRoute[] {
  return [
    {
      method: "POST",
      path: "/api/v1/cot/send",
      role: "operator",
      audit: "send event",
      summary: "Send an event, through the chain unless told otherwise",
      handle: async ({ body }) => ({
        status: 200,
        body: await send(fieldsOf(body), { host, connections, nowMs }),
      }),
    },
  ];
}

async function send(fields: Fields, { host, connections, nowMs }: CotRoutesOptions) {
  const message = eventOf(textOf(fields, "message", { max: 100_000 }).trim());
  const wanted = textsOf(fields, "target_connections", { entriesMax: 100, max: 36 });
  const isPassed = !flagOf(fields, "apply_filters", true);
  checkPriority(fields.priority);
  const endpoints = targetsOf(wanted, connections.endpoints);
  const to = (outlet: Outlet) => endpoints.some((endpoint) => endpoint.has(outlet));
  const injected = await host.inject(message, { isPassed, ...(wanted !== undefined && { to }) });
  const sentTo = reachedBy(injected, connections.endpoints);
  return {
    message_id: uuidOf("message", `${message.uid} ${message.time}`),
    sent_to_count: injected.kind === "sent" ? injected.outlets.length : 0,
    sent_to_connections: sentTo.map(connectionId),
    warnings: warningsOf(injected),
    timestamp: new Date(nowMs()).toISOString(),
  };
}

/** @throws tak/api-request it is not just one event */
function eventOf(xml: string): CotMessage {
  const found: CotMessage[] = [];
  try {
    const reader = new StreamReader(
      {
        onMessage: (message) => void found.push(message),
        onBadEvent: (error) => {
          throw error;
        },
      },
      { accepted: "xml" },
    );
    reader.push(new TextEncoder().encode(xml));
    reader.end();
  } catch (error) {
    if (!isRemoraError(error)) throw error;
    throw refused(`"message" is no event: ${harmless(error.message, 300)}`);
  }
  const [message] = found;
  if (message === undefined || found.length > 1) throw refused('"message" must be one event in XML');
  return message;
}

/** What people send goes out at once, ahead of what waits, so that there is nothing left for a priority to change. */
function checkPriority(value: unknown = 0): void {
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > 10)
    throw refused('"priority" must be 0 to 10');
}

function targetsOf(
  wanted: readonly string[] | undefined,
  endpoints: readonly Endpoint[],
): readonly Endpoint[] {
  if (wanted === undefined) return endpoints;
  return wanted.map((id) => {
    const found = endpoints.find((endpoint) => connectionId(endpoint) === id);
    if (found === undefined)
      throw refused(`"target_connections" names "${harmless(id)}", which there is none of`);
    return found;
  });
}

function reachedBy(injected: Injected, endpoints: readonly Endpoint[]): readonly Endpoint[] {
  if (injected.kind !== "sent") return [];
  return endpoints.filter((endpoint) => injected.outlets.some((outlet) => endpoint.has(outlet)));
}

function warningsOf(injected: Injected): readonly string[] {
  switch (injected.kind) {
    case "duplicate":
      return ["it was received before, and is not sent twice"];
    case "blocked":
      return ["a filter or plugin blocked it"];
    case "sent":
      return injected.outlets.length === 0 ? ["nobody is connected whom it is for"] : [];
  }
}
