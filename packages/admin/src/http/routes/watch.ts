/** What to watch: events as they happen, metrics for Prometheus, health for whoever restarts us. */

import type { ServerResponse } from "node:http";
import type { PrometheusText } from "@remora/telemetry";
import type { FastifyReply } from "fastify";
import { Type } from "typebox";
import type { Operations } from "../../operations.ts";
import { HealthView } from "../../views.ts";
import type { Access } from "../access.ts";
import { answers, textAnswers } from "../answers.ts";
import type { App } from "../app.ts";
import { beginEvents, type EventStreamOptions, writeEvents } from "../event-stream.ts";
import { StreamSeats } from "../stream-seats.ts";

export interface WatchOptions {
  readonly access: Pick<Access, "last">;
  readonly prometheus: PrometheusText;
  readonly stream: EventStreamOptions;
  /** Streams of events at a time, of readers, and as many of others. */
  readonly streamsMax: number;
  /** When the interface closes, streams end. */
  readonly signal: AbortSignal;
}

const tags = ["watch"];

export function watchRoutes(app: App, operations: Operations, options: WatchOptions): void {
  eventRoute(app, operations, options);
  app.get(
    "/metrics",
    {
      config: { role: "reader" },
      schema: {
        tags,
        summary: "Metrics of all plugins, in the text format of Prometheus",
        response: textAnswers("text/plain", "Metrics"),
      },
    },
    async (_request, reply) => {
      const { prometheus } = options;
      return reply
        .type(prometheus.contentType)
        .serializer((text: unknown) => String(text))
        .send(await prometheus.text());
    },
  );
  app.get(
    "/health",
    {
      config: { role: "everybody" },
      schema: {
        tags,
        summary: "Whether all enabled plugins run",
        security: [],
        response: answers(HealthView),
      },
    },
    async () => {
      const plugins = await operations.list();
      const isFine = plugins.every(
        ({ isEnabled, version, state }) => !isEnabled || version === null || state === "running",
      );
      return { status: isFine ? "healthy" : "degraded" };
    },
  );
}

function eventRoute(app: App, operations: Operations, options: WatchOptions): void {
  const { access, stream, streamsMax, signal } = options;
  const seats = new StreamSeats(streamsMax);
  app.get(
    "/v1/events",
    {
      config: { role: "reader" },
      schema: {
        tags,
        summary: "Server-sent events: changes, traps, logs; with accounts of all plugins once a second",
        response: textAnswers("text/event-stream", "Events, for as long as the client stays"),
        querystring: Type.Object(
          {
            metrics: Type.Optional(Type.Union([Type.Literal("true"), Type.Literal("false")])),
          },
          { additionalProperties: false },
        ),
      },
    },
    async (request, reply) => {
      if (request.method === "HEAD") {
        beginEvents(takenOver(reply)).end();
        return;
      }
      const leave = seats.take(request.caller?.role ?? "reader");
      const gone = new AbortController();
      const response = takenOver(reply);
      const end = () => gone.abort();
      response.once("close", end);
      const forget = access.last({ headers: request.headers, role: "reader", end });
      try {
        const ends = AbortSignal.any([gone.signal, signal]);
        const happenings = operations.follow({ metrics: request.query.metrics === "true", signal: ends });
        await writeEvents(response, happenings, stream);
      } finally {
        forget();
        leave();
      }
    },
  );
}

/** To be written piece by piece, with the headers that it has so far. */
function takenOver(reply: Pick<FastifyReply, "getHeaders" | "hijack" | "raw">): ServerResponse {
  reply.hijack();
  for (const [name, value = ""] of Object.entries(reply.getHeaders())) reply.raw.setHeader(name, value);
  return reply.raw;
}
