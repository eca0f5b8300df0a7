/**
 * What becomes of plugins, as OpenTelemetry spans: through its API alone, so that whatever the operator has installed
 * gets them, and without anything installed nothing happens.
 */

import { type Attributes, type Span, SpanStatusCode, type Tracer } from "@opentelemetry/api";
import { isRemoraError } from "remora/base";
import type { Manager, ManagerEvent, ObservedCall } from "remora/manager";

/**
 * Makes spans until what it returns is called: one for each call, which is the parent of the spans of the calls that it
 * leads to; one for each time that a plugin is on its way to running and for each reload, with the time that it took;
 * and one without length for each other change, return and trap.
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
  // Those that are being prepared. A plugin is in one state at a time, so there are no more than plugins.
  const preparing = new Map<string, Span>();
  const end = (plugin: string, atMs: number, failure?: string) => {
    const span = preparing.get(plugin);
    preparing.delete(plugin);
    if (failure !== undefined) span?.setStatus({ code: SpanStatusCode.ERROR, message: failure });
    span?.end(atMs);
  };
  const unlisten = manager.listen((event) => {
    const { plugin, atMs } = event;
    switch (event.kind) {
      case "state":
        if (event.to === "preparing") {
          const attributes = { "remora.plugin": plugin };
          preparing.set(plugin, tracer.startSpan("remora.prepare", { startTime: atMs, attributes }));
        } else if (event.from === "preparing") {
          end(plugin, atMs, event.to === "running" ? undefined : event.to);
        }
        return;
      case "reloaded":
        point(tracer, event, { "remora.version": event.version }, atMs - event.tookMs);
        return;
      case "changed":
        point(tracer, event, {
          "remora.operation": event.operation,
          "remora.from": event.from,
          "remora.to": event.to,
        });
        return;
      case "returned":
        point(tracer, event, {
          "remora.from": event.from,
          "remora.to": event.to,
          "remora.code": event.code,
        });
        return;
      case "trap":
        point(tracer, event, { "remora.version": event.version, "remora.code": event.code });
        return;
      default:
    }
  });
  return () => {
    unlisten();
    for (const plugin of [...preparing.keys()]) preparing.get(plugin)?.end();
    preparing.clear();
  };
}

/** A span from a time to the event's. What has a code is an error. */
function point(tracer: Tracer, event: ManagerEvent, attributes: Attributes, startTime = event.atMs): void {
  const span = tracer.startSpan(`remora.${event.kind}`, {
    startTime,
    attributes: { "remora.plugin": event.plugin, ...attributes },
  });
  const { "remora.code": code } = attributes;
  if (code !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: String(code) });
  span.end(event.atMs);
}
