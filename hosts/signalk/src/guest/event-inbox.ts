/**
 * Events that a guest subscribed to, on their way to it: each is given in a turn of its own, and what does not fit is lost
 * from its old end.
 */

import { isShallow } from "../delta/delta.ts";
import {
  busEventTypes,
  emittedType,
  isEventType,
  type ServerEvent,
  serverEventTypes,
} from "../events/event-types.ts";
import type { GuestHost } from "./host.ts";
import type { Refusal } from "./registrations.ts";

/** That wait for one guest. */
export const eventsMax = 256;
/** Of one event, as JSON; a larger one is lost. */
export const eventLengthMax = 64 * 1024;
export const eventTypesMax = 64;
const dataDepthMax = 32;

export const allowedEventTypes: readonly string[] = [...serverEventTypes, ...busEventTypes];

export class EventInbox {
  readonly #host: GuestHost;
  readonly #ends = new Map<string, () => void>();
  #waiting: ServerEvent[] = [];
  #isAsked = false;
  #lost = 0;

  constructor(host: GuestHost) {
    this.#host = host;
    host.holdings.addLasting(() => this.#close());
  }

  /** Events that the guest was too slow for. */
  get lostCount(): number {
    return this.#lost;
  }

  /** @param types All that there are, when it is empty. */
  subscribe(types: readonly string[]): Refusal | undefined {
    const wanted = types.length === 0 ? allowedEventTypes : types;
    if (!wanted.every(isEventType)) return "malformed";
    if (new Set([...this.#ends.keys(), ...wanted]).size > eventTypesMax) return "full";
    const { gate, server } = this.#host;
    const isGranted = (type: string) =>
      gate.act(
        "bus.subscribe",
        type,
        () => true,
        () => false,
      );
    const granted = wanted.filter(isGranted);
    for (const type of granted) {
      if (this.#ends.has(type)) continue;
      this.#ends.set(
        type,
        server.onEvent(type, (event) => this.#take(event)),
      );
    }
    return granted.length === wanted.length ? undefined : "denied";
  }

  emit(name: string, json: string): Refusal | undefined {
    const { gate, server, plugin } = this.#host;
    const type = emittedType(name);
    const data = parsed(json);
    if (type === undefined || data === undefined || !isShallow(data, dataDepthMax)) return "malformed";
    return gate.act(
      "bus.publish",
      type,
      () => {
        server.emitEvent(plugin, type, data);
        return undefined;
      },
      () => "denied",
    );
  }

  #take(event: ServerEvent): void {
    // Whoever answers its own words never ends.
    if (event.from === this.#host.plugin) return;
    if (this.#waiting.push(event) > eventsMax) {
      this.#waiting.shift();
      this.#lost++;
    }
    this.#ask();
  }

  #ask(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    const given = this.#host.ask((guest) => {
      const event = this.#waiting.shift();
      const json = event === undefined ? undefined : jsonOf(event);
      return json === undefined ? 0 : guest.takeEvent?.(json);
    });
    given.then(
      () => {
        this.#isAsked = false;
        if (this.#waiting.length > 0) this.#ask();
      },
      // A guest that failed shows it in its state; one that is busy is asked with the next event.
      () => {
        this.#isAsked = false;
      },
    );
  }

  #close(): void {
    for (const end of this.#ends.values()) end();
    this.#ends.clear();
    this.#waiting = [];
  }
}

/** What others emit is whatever they like; undefined when it is too large, or nothing that JSON has. */
function jsonOf({ type, data, timestamp, from }: ServerEvent): string | undefined {
  try {
    const json = JSON.stringify({ type, ...(from !== undefined && { from }), data, timestamp });
    return json.length > eventLengthMax ? undefined : json;
  } catch {
    // It contains itself, or a function that fails.
    return undefined;
  }
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
