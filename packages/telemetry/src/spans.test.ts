import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Attributes,
  type Span,
  SpanStatusCode,
  type TimeInput,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import type { ManagerEvent, ManagerListener } from "remora/manager";
import { spanManager } from "./spans.ts";

interface Seen {
  readonly name: string;
  readonly startTime: TimeInput | undefined;
  readonly attributes: Attributes;
  endTime?: TimeInput | undefined;
  status?: number;
}

/** A tracer that keeps what it is told, and a manager of which a test says what happens. */
function watched() {
  const spans: Seen[] = [];
  const tracer = {
    startSpan: (name: string, options: { startTime?: TimeInput; attributes?: Attributes } = {}) => {
      const seen: Seen = { name, startTime: options.startTime, attributes: options.attributes ?? {} };
      spans.push(seen);
      return {
        setStatus: ({ code }: { code: number }) => {
          seen.status = code;
        },
        end: (endTime?: TimeInput) => {
          seen.endTime = endTime;
        },
      } as unknown as Span; // all that is used of one
    },
  } as unknown as Tracer;
  const listeners = new Set<ManagerListener>();
  const stop = spanManager(
    {
      listen: (listener) => {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    },
    tracer,
  );
  const happen = (event: object) => {
    for (const listener of listeners) listener({ plugin: "geofence", ...event } as ManagerEvent);
  };
  return { spans, happen, stop, listeners };
}

test("being made is a span from preparing to running, and a failed one has its status", () => {
  const { spans, happen } = watched();
  happen({ kind: "state", atMs: 10, from: "installed", event: "start", to: "preparing" });
  happen({ kind: "state", atMs: 25, from: "preparing", event: "ready", to: "running" });
  happen({ kind: "state", atMs: 30, from: "stopped", event: "start", to: "preparing" });
  happen({ kind: "state", atMs: 40, from: "preparing", event: "failed", to: "broken" });
  assert.deepEqual(
    spans.map(({ name, startTime, endTime, status }) => [name, startTime, endTime, status]),
    [
      ["remora.prepare", 10, 25, undefined],
      ["remora.prepare", 30, 40, SpanStatusCode.ERROR],
    ],
  );
});

test("a reload is a span as long as it took, and what failed has a code", () => {
  const { spans, happen } = watched();
  happen({ kind: "reloaded", atMs: 100, version: "1.0.0", tookMs: 7, state: false });
  happen({ kind: "trap", atMs: 110, version: "1.0.0", code: "engine/trap", reason: "unreachable" });
  assert.deepEqual([spans[0]?.startTime, spans[0]?.endTime, spans[0]?.status], [93, 100, undefined]);
  assert.deepEqual(
    [spans[1]?.name, spans[1]?.attributes["remora.code"], spans[1]?.status],
    ["remora.trap", "engine/trap", SpanStatusCode.ERROR],
  );
});

test("when it is stopped it listens no more, and leaves no span open", () => {
  const { spans, happen, stop, listeners } = watched();
  happen({ kind: "state", atMs: 10, from: "installed", event: "start", to: "preparing" });
  stop();
  assert.equal(listeners.size, 0);
  assert.ok(spans[0] !== undefined && "endTime" in spans[0]);
});

test("without an SDK the API's own tracer takes it all and does nothing", () => {
  const listeners: ManagerListener[] = [];
  const manager = {
    listen: (listener: ManagerListener) => {
      listeners.push(listener);
      return () => {};
    },
  };
  spanManager(manager, trace.getTracer("remora"));
  for (const listener of listeners) {
    listener({ kind: "reloaded", atMs: 1, plugin: "a", version: "1.0.0", tookMs: 1, state: false });
  }
});
