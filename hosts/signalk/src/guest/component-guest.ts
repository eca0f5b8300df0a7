/**
 * A Signal K plugin that is a component of `worlds/signalk`. What it exports says what it is: of the interfaces, only
 * `lifecycle` must be there.
 */

import { ComponentError } from "remora";
import type { Answer } from "remora/abi";
import { harmless } from "remora/policy";
import { signalkErrors } from "../errors.ts";
import type { ServerEvent } from "../events/event-types.ts";
import { after } from "./after.ts";
import type { Inbox } from "./inbox.ts";
import type { LiveComponent } from "./live-instance.ts";
import { providerCall } from "./provider-call.ts";
import type { SignalkGuest } from "./signalk-guest.ts";
import { endpointsText, responseOf, worldRequest } from "./world-endpoints.ts";
import { worldName } from "./world-imports.ts";
import { toWorld } from "./world-value.ts";

/** Characters of an answer: those of AssemblyScript's plugins, whose strings have any length as well. */
const answerLengthMax = 2 * 1024 * 1024;
const reasonLengthMax = 1_000;

/** @throws signalk/not-a-plugin it does not export `lifecycle` */
export function componentGuest(plugin: string, component: LiveComponent, inbox: Inbox): SignalkGuest {
  const exports = (from: string, name: string) => component.has(worldName(from), name);
  const required = (from: string, name: string): void => {
    if (!exports(from, name)) throw signalkErrors["not-a-plugin"]({ plugin, missing: worldName(from) });
  };
  let waiting = 0;
  const call = (from: string, name: string, args: readonly unknown[]): Answer<unknown> => {
    required(from, name);
    const answer = component.call(worldName(from), name, args);
    if (!(answer instanceof Promise)) return answer;
    waiting++;
    return answer.finally(() => waiting--);
  };
  const text = (name: string) => (answer: unknown) => boundedText(plugin, name, answer);
  const done = () => 0;
  const takeUpdates = (updates: Parameters<NonNullable<SignalkGuest["takeUpdates"]>>[0]) =>
    updates.length === 0 ? 0 : after(call("subscriber", "onUpdates", [updates]), done);
  const subscribes = exports("subscriber", "onUpdates");
  required("lifecycle", "start");
  return {
    isRemote: component.isRemote,
    get isLost() {
      return component.isLost;
    },
    get isWaiting() {
      return waiting > 0;
    },
    get fuelUsed() {
      return component.fuelUsed;
    },
    name: () => after(call("lifecycle", "name", []), text("name")),
    schema: () => after(call("lifecycle", "schema", []), text("schema")),
    start: (configuration) =>
      refusedAs(plugin, "start", () => after(call("lifecycle", "start", [configuration]), done)),
    stop: () => after(call("lifecycle", "stop", []), done),
    poll: exports("poller", "poll") ? () => after(call("poller", "poll", []), done) : undefined,
    takeDelta: subscribes ? (delta) => takeUpdates(inbox.arrived(String(delta))) : undefined,
    ...(subscribes && { takeUpdates }),
    takeEvent: exports("event-handler", "onEvent")
      ? (event) => after(call("event-handler", "onEvent", [worldEvent(event)]), done)
      : undefined,
    endpoints: exports("endpoints", "listEndpoints")
      ? () => after(call("endpoints", "listEndpoints", []), endpointsText)
      : undefined,
    serve: (request) =>
      after(call("endpoints", "handle", [worldRequest(request)]), (response) =>
        responseOf(plugin, request.endpoint, response),
      ),
    answer(handler, request) {
      const provider = providerCall(handler);
      if (provider === undefined) throw signalkErrors["not-a-plugin"]({ plugin, missing: handler });
      const args = provider.args(JSON.parse(request));
      return refusedAs(plugin, handler, () =>
        after(call(provider.from, provider.name, args), (answer) =>
          answer === undefined ? "" : boundedText(plugin, handler, answer),
        ),
      );
    },
    put({ context, path }, value) {
      if (!exports("command-handler", "put")) return undefined;
      const answer = call("command-handler", "put", [context, path, toWorld(JSON.parse(value))]);
      return after(answer, outcomeText);
    },
    close: () => component.close(),
  };
}

/** The text is this host's own. */
function worldEvent(json: string) {
  const { type, data, timestamp, from }: ServerEvent = JSON.parse(json);
  return { kind: type, data: JSON.stringify(data) ?? "null", timestamp: BigInt(timestamp), sender: from };
}

interface Outcome {
  readonly isPending: boolean;
  readonly statusCode: number;
  readonly message: string | undefined;
}

/** As the handlers of core modules write it. */
function outcomeText(answer: unknown): string {
  // The world's type of `put`.
  const { isPending, statusCode, message } = answer as Outcome;
  return JSON.stringify({ state: isPending ? "PENDING" : "COMPLETED", statusCode, message });
}

function boundedText(plugin: string, name: string, answer: unknown): string {
  if (typeof answer === "string" && answer.length <= answerLengthMax) return answer;
  throw signalkErrors["bad-answer"]({ plugin, name, expected: `at most ${answerLengthMax} characters` });
}

/** The `err` of an export is the guest's own word, not a failure of it: it goes on. */
function refusedAs<Value>(plugin: string, name: string, use: () => Answer<Value>): Answer<Value> {
  const translated = (error: unknown): never => {
    if (!(error instanceof ComponentError)) throw error;
    const reason = harmless(String(error.payload), reasonLengthMax);
    throw signalkErrors["guest-refused"]({ plugin, name, reason });
  };
  try {
    const answer = use();
    return answer instanceof Promise ? answer.catch(translated) : answer;
  } catch (error) {
    return translated(error);
  }
}
