/**
 * What becomes of plugins, as OpenTelemetry spans: through its API alone, so that whatever the operator has installed
 * gets them, and without anything installed nothing happens.
 */

import { type Attributes, type Span, SpanStatusCode, type Tracer } from "@opentelemetry/api";
import { isRemoraError } from "remora/base";
import type { Manager, ManagerEvent, ObservedCall } from "remora/manager";

/**
 * Makes spans until what it returns is called: one for each call, which is the parent of the spans of the calls that it
 * leads to; one for each time that a version is made, whatever for, and for each reload, with the time that it took; and
 * one without length for each other change, also one that failed, each return and trap.
 *
 * @param tracer  As `trace.getTracer("remora")` gives it.
 * @param options `calls: false` leaves out the calls: a span costs as much as a small one, even when a sampler drops it.
 */
export function spanManager(
  manager: Pick<Manager, "listen" | "observeCalls">,
  tracer: Tracer,
  { calls = true }: { readonly calls?: boolean } = {},
): () => void {
  const ends = [spanSteps(manager, tracer)];
  if (calls) ends.push(manager.observeCalls((call, act) => spanCall(tracer, call, act)));
  return () => {
    for (const end of ends) end();
  };
}

/** A call that gives a promise lasts until that is kept. */
function spanCall<Result>(
  tracer: Tracer,
  { plugin, version, path }: ObservedCall,
  act: () => Result,
): Result {
  const attributes: Attributes = { "remora.plugin": plugin, "remora.version": version };
  if (path !== undefined) attributes["remora.function"] = typeof path === "string" ? path : path.join("#");
  return tracer.startActiveSpan("remora.call", { attributes }, (span) => {
    let result: Result;
    try {
      result = act();
    } catch (error) {
      endFailed(span, error);
      throw error;
    }
    if (result instanceof Promise) {
      result.then(
        () => span.end(),
        (error: unknown) => endFailed(span, error),
      );
    } else span.end();
    return result;
  });
}

/** With the code alone: sentences of errors have what strangers wrote. */
function endFailed(span: Span, error: unknown): void {
  const message = isRemoraError(error) ? error.code : "unknown";
  span.setAttribute("remora.code", message);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
  span.end();
}

function spanSteps(manager: Pick<Manager, "listen">, tracer: Tracer): () => void {
  return manager.listen((event) => {
    switch (event.kind) {
      case "prepared":
      case "reloaded": {
        const startTime = event.atMs - event.tookMs;
        const name = event.kind === "prepared" ? "remora.prepare" : "remora.reloaded";
        point(tracer, event, { "remora.version": event.version }, { startTime, name });
        return;
      }
      case "changed":
      case "failed":
        point(tracer, event, {
          "remora.operation": event.operation,
          "remora.from": event.from,
          "remora.to": event.to,
        });
        return;
      case "returned":
        point(tracer, event, { "remora.from": event.from, "remora.to": event.to });
        return;
      case "trap":
        point(tracer, event, { "remora.version": event.version });
        return;
      default:
    }
  });
}

/** A span that ends with the event. What has a code is an error. */
function point(
  tracer: Tracer,
  event: ManagerEvent,
  attributes: Attributes,
  { startTime = event.atMs, name = `remora.${event.kind}` } = {},
): void {
  const span = tracer.startSpan(name, {
    startTime,
    attributes: { "remora.plugin": event.plugin, ...attributes },
  });
  const message = "code" in event ? event.code : undefined;
  if (message !== undefined) {
    span.setAttribute("remora.code", message);
    span.setStatus({ code: SpanStatusCode.ERROR, message });
  }
  span.end(event.atMs);
}
