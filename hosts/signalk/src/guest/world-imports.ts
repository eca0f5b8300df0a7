/** What a component of `worlds/signalk` imports: the same host functions as `env` has, with types. */

import { ComponentError, slowHostFunction } from "remora";
import { isRemoraError } from "remora/base";
import { checkDelta, isPath } from "../delta/delta.ts";
import { isPattern } from "../subscriptions/pattern.ts";
import { readSubscribe } from "../subscriptions/request.ts";
import { notify, plainValue, send } from "./env-data.ts";
import { dataBytesMax, jsonBytesMax, messageBytesMax } from "./env-texts.ts";
import { allowedEventTypes, type EventInbox } from "./event-inbox.ts";
import type { GuestHost } from "./host.ts";
import type { Inbox } from "./inbox.ts";
import {
  isOwnStream,
  type Refusal,
  registerAutopilot,
  registerPut,
  registerRadar,
  registerResources,
  registerWeather,
} from "./registrations.ts";
import { network } from "./world-network.ts";
import { fromWorldItems, toWorld, type WorldPathValue, type WorldValue } from "./world-value.ts";

type HostFunction = (...args: never[]) => unknown;

/** The full name of an interface of the world. */
export function worldName(interfaceName: string): string {
  return `remora:signalk/${interfaceName}@0.1.0`;
}

/** What of one guest its host functions share. */
export interface WorldGuest {
  readonly inbox: Inbox;
  readonly events: EventInbox;
}

/** Each function is marked as slow, as those of `env` are: a guest that only calls the host looks at the clock then. */
export function worldImports(
  host: GuestHost,
  { inbox, events }: WorldGuest,
): Record<string, Record<string, HostFunction>> {
  const interfaces: Record<string, Record<string, HostFunction>> = {
    types: {},
    deltas: deltas(host),
    subscriptions: subscriptions(host, inbox),
    notifications: notifications(host),
    settings: settings(host),
    status: status(host),
    commands: {
      register: (context: string, path: string) => orRefuse(registerPut(host, context, path)),
    },
    providers: providers(host),
    network: network(host),
    events: {
      subscribe: (kinds: readonly string[]) => orRefuse(events.subscribe(kinds)),
      emit: (kind: string, data: string) =>
        orRefuse(data.length > jsonBytesMax ? "malformed" : events.emit(kind, data)),
      allowedKinds: () => allowedEventTypes,
    },
  };
  for (const functions of Object.values(interfaces)) {
    for (const hostFunction of Object.values(functions)) slowHostFunction(hostFunction);
  }
  return Object.fromEntries(Object.entries(interfaces).map(([name, each]) => [worldName(name), each]));
}

function deltas(host: GuestHost) {
  const emit = (
    context: string,
    kind: "values" | "meta",
    items: readonly WorldPathValue[],
    version: 1 | 2,
  ) => {
    const delta = wellFormed(() => checkDelta({ context, updates: [{ [kind]: fromWorldItems(items) }] }));
    orRefuse(send(host, delta, version) ? undefined : "denied");
  };
  const read =
    (find: (path: string) => unknown) =>
    (path: string): WorldValue | undefined => {
      orRefuse(isPath(path) ? undefined : "malformed");
      const value = host.gate.act("data.read", path, () => find(path), denied);
      return value === undefined || value === null ? undefined : toWorld(plainValue(value));
    };
  return {
    emit: (context: string, values: readonly WorldPathValue[], version: "v1" | "v2") =>
      emit(context, "values", values, version === "v2" ? 2 : 1),
    emitMeta: (context: string, meta: readonly WorldPathValue[]) => emit(context, "meta", meta, 1),
    getSelf: read((path) => host.server.selfPath(path)),
    get: read((path) => host.server.path(path)),
  };
}

interface WorldSubscription {
  readonly context: string;
  readonly path: string;
  readonly policy: "instant" | "ideal" | "fixed";
  /** Milliseconds, both. */
  readonly period: number;
  readonly minPeriod: number;
}

function subscriptions(host: GuestHost, inbox: Inbox) {
  return {
    subscribe({ context, ...path }: WorldSubscription): void {
      const request = readSubscribe({ context, subscribe: [path] });
      if (request === undefined) throw new ComponentError("malformed");
      // A grant that covers the pattern as a text covers all that the pattern does.
      host.gate.act("data.read", path.path, () => {}, denied);
      orRefuse(inbox.subscribe(request) ? undefined : "full");
    },
    unsubscribe(context: string, path: string): void {
      if (isPattern(context) && isPattern(path)) inbox.unsubscribe(context, path);
    },
  };
}

interface Method {
  readonly visual: boolean;
  readonly sound: boolean;
}

function notifications(host: GuestHost) {
  return {
    publish(path: string, state: string, { visual, sound }: Method, message: string): void {
      const full = path.startsWith("notifications.") ? path : `notifications.${path}`;
      orRefuse(isPath(full) && message.length <= messageBytesMax ? undefined : "malformed");
      const method = [...(visual ? ["visual"] : []), ...(sound ? ["sound"] : [])];
      const json = JSON.stringify({ state, method, message });
      // Both are well-formed, so that nothing is left to refuse but the right.
      orRefuse(notify(host, full, json) === 0 ? undefined : "denied");
    },
  };
}

function settings(host: GuestHost) {
  return {
    read: () => host.settings.read(),
    save: (json: string) => json.length <= jsonBytesMax && host.settings.save(json),
  };
}

function status(host: GuestHost) {
  const { plugin, server, gate } = host;
  const told = (kind: "status" | "error") => (message: string) =>
    server.setStatus(plugin, { kind, message: message.slice(0, messageBytesMax) });
  const log = gate.guard(
    "log.write",
    (text: string) => host.log("debug", text.slice(0, messageBytesMax)),
    () => {},
  );
  return { setStatus: told("status"), setError: told("error"), debug: log };
}

function providers(host: GuestHost) {
  return {
    provideResources: (kind: string) => orRefuse(registerResources(host, kind)),
    provideWeather: (name: string) => orRefuse(registerWeather(host, name)),
    provideRadar: (name: string) => orRefuse(registerRadar(host, name)),
    provideAutopilot: (devices: readonly string[]) => orRefuse(registerAutopilot(host, devices)),
    emitSpokes(radar: string, data: Uint8Array): void {
      const stream = `radars/${radar}`;
      orRefuse(data.length <= dataBytesMax ? undefined : "malformed");
      orRefuse(isOwnStream(host, stream) ? undefined : "denied");
      host.server.emitBinary(stream, data.slice());
    },
  };
}

/** What the guest wrote, read; what it cannot be is malformed. */
function wellFormed<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (error instanceof SyntaxError || isRemoraError(error)) return refuse("malformed");
    throw error;
  }
}

function orRefuse(refusal: Refusal | undefined): void {
  if (refusal !== undefined) refuse(refusal);
}

/** The world's own error: the guest gets it as the `err` of the function's result. */
function refuse(refusal: Refusal): never {
  throw new ComponentError(refusal);
}

const denied = () => refuse("denied");
