/** Imports by which a plugin hears events of the server and emits its own, as signalk-server's #2295 has them. */

import { readJson, readPath, textsIn, writeText } from "./env-texts.ts";
import { allowedEventTypes, type EventInbox } from "./event-inbox.ts";
import type { GuestImports } from "./host.ts";

export function eventImports({ bytes }: Pick<GuestImports, "bytes">, events: EventInbox) {
  return {
    /** A JSON list of types; an empty one for all. */
    sk_subscribe_events(pointer: number, length: number): number {
      const types = textsIn(readPath(bytes, pointer, length));
      return types !== undefined && events.subscribe(types) === undefined ? 1 : 0;
    },
    sk_emit_event(type: number, typeLength: number, data: number, length: number): number {
      const name = readPath(bytes, type, typeLength);
      return events.emit(name, readJson(bytes, data, length)) === undefined ? 1 : 0;
    },
    sk_get_allowed_event_types(buffer: number, lengthMax: number): number {
      return writeText(bytes, JSON.stringify(allowedEventTypes), { pointer: buffer, lengthMax });
    },
  };
}
