/** Events that people send. */

import { isRemoraError } from "remora/base";
import { harmless } from "remora/policy";
import type { Connections } from "../connections.ts";
import type { CotMessage } from "../cot/message.ts";
import { StreamReader } from "../cot/stream-reader.ts";
import type { Outlet } from "../distribute.ts";
import type { Endpoint } from "../endpoint.ts";
import type { Injected, TakHost } from "../host.ts";
import { flag, optional, readAs, refused, schemaOf, text, texts, whole } from "./body.ts";
import { connectionId } from "./connection-routes.ts";
import { listOf, objectWith, someCount, someText, someTime, someUuid } from "./json-schema.ts";
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
      schema: { body: schemaOf(shape), answers: { 200: { description: "What became of it", schema: sent } } },
      handle: async ({ body }) => ({
        status: 200,
        body: await send(body, { host, connections, nowMs }),
      }),
    },
  ];
}

const shape = {
  message: text({ max: 100_000 }),
  target_connections: optional(texts({ entriesMax: 100, max: 36 })),
  apply_filters: optional(flag),
  // What people send goes out at once, ahead of what waits: there is nothing left for a priority to change.
  priority: optional(whole({ min: 0, max: 10 })),
};

const sent = objectWith({
  message_id: someUuid,
  sent_to_count: someCount,
  sent_to_connections: listOf(someUuid),
  warnings: listOf(someText),
  timestamp: someTime,
});

async function send(body: unknown, { host, connections, nowMs }: CotRoutesOptions) {
  const { target_connections: wanted, apply_filters: isFiltered = true, ...fields } = readAs(shape, body);
  const message = eventOf(fields.message.trim());
  const isPassed = !isFiltered;
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
