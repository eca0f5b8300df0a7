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
import { engineErrors } from "remora/engine";
import type { CallObserver, ManagerEvent, ManagerListener } from "remora/manager";
import { spanManager } from "./spans.ts";

interface Seen {
  readonly name: string;
  readonly parent: Seen | undefined;
  readonly startTime: TimeInput | undefined;
  readonly attributes: Attributes;
  endTime?: TimeInput | undefined;
  status?: number;
}

/** A tracer that keeps what it is told, and a manager of which a test says what happens. */
function watched() {
  const spans: Seen[] = [];
  const observers = new Set<CallObserver>();
  let parent: Seen | undefined;
  const tracer = {
    startActiveSpan: (name: string, options: object, act: (span: Span) => unknown) => {
      const outer = parent;
      const span = tracer.startSpan(name, options);
      parent = spans.at(-1);
      try {
        return act(span);
      } finally {
        parent = outer;
      }
    },
    startSpan: (name: string, options: { startTime?: TimeInput; attributes?: Attributes } = {}) => {
      const seen: Seen = {
        name,
        parent,
        startTime: options.startTime,
        attributes: { ...options.attributes },
      };
      spans.push(seen);
      return {
        setAttribute: (key: string, value: string) => {
          seen.attributes[key] = value;
        },
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
      observeCalls: (observer) => {
        observers.add(observer);
        return () => void observers.delete(observer);
      },
    },
    tracer,
  );
  /** A call as a managed plugin makes it. */
  const call = <Result>(plugin: string, act: () => Result, path?: readonly string[]): Result => {
    const [observer] = observers;
    return observer === undefined ? act() : observer({ plugin, version: "1.0.0", path }, act);
  };
  const happen = (event: object) => {
    for (const listener of listeners) listener({ plugin: "geofence", ...event } as ManagerEvent);
  };
  return { spans, happen, call, stop, listeners, observers };
}

test("being made is a span as long as it took, and one that failed has its code", () => {
  const { spans, happen } = watched();
  happen({ kind: "prepared", atMs: 25, version: "1.0.0", tookMs: 15 });
  happen({ kind: "prepared", atMs: 40, version: "2.0.0", tookMs: 10, code: "engine/unreachable" });
  happen({
    kind: "failed",
    atMs: 41,
    operation: "update",
    from: "1.0.0",
    to: "2.0.0",
    code: "manager/prepare",
  });
  assert.deepEqual(
    spans.map(({ name, startTime, endTime, status, attributes }) => [
      name,
      startTime,
      endTime,
      status,
      attributes["remora.code"],
    ]),
    [
      ["remora.prepare", 10, 25, undefined, undefined],
      ["remora.prepare", 30, 40, SpanStatusCode.ERROR, "engine/unreachable"],
      ["remora.failed", 41, 41, SpanStatusCode.ERROR, "manager/prepare"],
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

test("each call is a span, and a call that it leads to is a span within it", () => {
  const { spans, call } = watched();
  const answer = call("map", () => call("geo", () => 7, ["geo:places/find", "nearest"]));
  assert.equal(answer, 7);
  const [outer, inner] = spans;
  assert.deepEqual([outer?.name, outer?.parent, inner?.parent === outer], ["remora.call", undefined, true]);
  assert.deepEqual(inner?.attributes, {
    "remora.plugin": "geo",
    "remora.version": "1.0.0",
    "remora.function": "geo:places/find#nearest",
  });
  assert.ok(outer !== undefined && "endTime" in outer && "endTime" in inner);
});

test("a call that fails has its code, at once or later, and one that waits lasts until it is answered", async () => {
  const { spans, call } = watched();
  const failure = engineErrors["out-of-fuel"]({ plugin: "map", fuelMax: 1 });
  assert.throws(() => call("map", () => assert.fail(failure)), { code: "engine/out-of-fuel" });
  const waits = Promise.withResolvers<number>();
  const answered = call("map", () => waits.promise);
  assert.ok(spans[1] !== undefined && !("endTime" in spans[1]));
  waits.resolve(7);
  assert.equal(await answered, 7);
  await assert.rejects(
    call("map", () => Promise.reject(failure)),
    { code: "engine/out-of-fuel" },
  );
  assert.deepEqual(
    spans.map(({ status, attributes }) => [status, attributes["remora.code"]]),
    [
      [SpanStatusCode.ERROR, "engine/out-of-fuel"],
      [undefined, undefined],
      [SpanStatusCode.ERROR, "engine/out-of-fuel"],
    ],
  );
  assert.ok(spans.every((span) => "endTime" in span));
});

test("when it is stopped it listens no more", () => {
  const { stop, listeners, observers } = watched();
  stop();
  assert.deepEqual([listeners.size, observers.size], [0, 0]);
});

test("without an SDK the API's own tracer takes it all and does nothing", () => {
  const listeners: ManagerListener[] = [];
  const manager = {
    listen: (listener: ManagerListener) => {
      listeners.push(listener);
      return () => {};
    },
    observeCalls: (observer: CallObserver) => {
      assert.equal(
        observer({ plugin: "a", version: "1.0.0", path: "run" }, () => 7),
        7,
      );
      return () => {};
    },
  };
  spanManager(manager, trace.getTracer("remora"));
  for (const listener of listeners) {
    listener({ kind: "reloaded", atMs: 1, plugin: "a", version: "1.0.0", tookMs: 1, state: false });
  }
});
