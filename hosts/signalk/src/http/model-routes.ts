/** Version 1 of the interface: where things are, the full model, commands. */

import { isRecord } from "../delta/delta.ts";
import { notificationField, putNotification } from "../put/put-notification.ts";
import type { PutReply } from "../put/put-requests.ts";
import type { SignalkServer } from "../server.ts";
import { type ApiRequest, type ApiResponse, notFound, ok } from "./exchange.ts";
import { type Route, route } from "./router.ts";

export const serverVersion = "0.1.0";

const prefix = "/signalk/v1/api";

export function modelRoutes(server: SignalkServer): Route[] {
  return [
    route("GET", "/signalk", ({ headers }) => ok(discovery(String(headers.host ?? "localhost")))),
    route("GET", prefix, () => ok(server.model.tree([]))),
    route("GET", `${prefix}/*`, ({ params }) => {
      const found = server.model.tree(partsOf(params["*"]));
      return found === undefined ? notFound : ok(found);
    }),
    route("PUT", `${prefix}/*`, (request) => put(server, request)),
    route("GET", "/signalk/v1/requests/:id", ({ params }) => {
      const found = server.puts.find(params.id ?? "");
      return found === undefined ? notFound : ok(found);
    }),
  ];
}

/** Specification 1.7, "Discovery". */
function discovery(host: string) {
  return {
    endpoints: {
      v1: {
        version: "1.7.0",
        "signalk-http": `http://${host}${prefix}/`,
        "signalk-ws": `ws://${host}/signalk/v1/stream`,
      },
    },
    server: { id: "remora-signalk", version: serverVersion },
  };
}

async function put(server: SignalkServer, { params, body }: ApiRequest): Promise<ApiResponse> {
  const [group, id, ...rest] = partsOf(params["*"]);
  if (group === undefined || id === undefined || rest.length === 0) return plain(400, "invalid path");
  if (!isRecord(body) || body.value === undefined) return plain(400, "input is missing a value");
  const source = typeof body.source === "string" ? body.source : undefined;
  const reply = await putTo(server, {
    context: `${group}.${id}`,
    path: rest.join("."),
    value: body.value,
    ...(source !== undefined && { source }),
  });
  return { status: reply.statusCode, json: reply };
}

/** A command from HTTP or from a stream. */
export async function putTo(
  server: SignalkServer,
  request: Parameters<SignalkServer["puts"]["put"]>[0],
): Promise<PutReply> {
  const reply = await server.puts.put(request);
  // Nobody answers for the state of a notification itself: the server does.
  if (reply.statusCode !== 405 || notificationField(request.path) === undefined) return reply;
  return server.puts.answer(reply.requestId, putNotification(server, request));
}

function partsOf(path: string | undefined): string[] {
  return (path ?? "").split(/[/.]/).filter((part) => part !== "");
}

function plain(status: number, text: string): ApiResponse {
  return { status, text, headers: { "Content-Type": "text/html; charset=utf-8" } };
}
