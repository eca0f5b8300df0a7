/** What a client of the stream wants to hear. */

import type { CotMessage } from "../cot/message.ts";
import { type Fields, optional, refused, texts } from "./body.ts";
import { bounds } from "./filter-request.ts";
import { patternOf } from "./patterns.ts";

export const pluginEvents = ["plugin_status", "plugin_metric"] as const;
export type PluginEvent = (typeof pluginEvents)[number];

export interface Subscription {
  /** Undefined: no messages. */
  readonly messages: ((message: CotMessage) => boolean) | undefined;
  readonly events: ReadonlySet<PluginEvent>;
}

const patternTexts = optional(texts({ entriesMax: 16, max: 200 }));
const eventNames = optional(texts({ entriesMax: pluginEvents.length, max: 40 }));

/**
 * Reads `{type:"subscribe", event_types?, uids?, geo_bounds?}`, which asks for messages, and
 * `{type:"subscribe", events:["plugin_status", …]}`, which asks for what plugins do.
 *
 * @throws tak/api-request tak/filter-range
 */
export function subscriptionOf(fields: Fields): Subscription {
  if (fields.binary === true) throw refused('"binary" must be false: messages are XML in JSON');
  const events = eventsOf(fields);
  if (events.size > 0) return { messages: undefined, events };
  const isType = matcherOf(fields, "event_types");
  const isUid = matcherOf(fields, "uids");
  const isThere = optional(bounds).read(fields.geo_bounds, "geo_bounds") ?? (() => true);
  const messages = (message: CotMessage) => isType(message.type) && isThere(message) && isUid(message.uid);
  return { messages, events };
}

function eventsOf(fields: Fields): ReadonlySet<PluginEvent> {
  const named = eventNames.read(fields.events, "events") ?? [];
  return new Set(
    named.map((name) => {
      const event = pluginEvents.find((one) => one === name);
      if (event === undefined) throw refused(`"events" must be of: ${pluginEvents.join(", ")}`);
      return event;
    }),
  );
}

function matcherOf(fields: Fields, name: string): (text: string) => boolean {
  const patterns = patternTexts.read(fields[name], name);
  if (patterns === undefined || patterns.length === 0) return () => true;
  const compiled = patterns.map((pattern) => patternOf(pattern, name));
  return (text) => compiled.some((matches) => matches(text));
}
