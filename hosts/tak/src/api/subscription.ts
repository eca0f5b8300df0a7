/** What a client of the stream wants to hear. Patterns are the client's, so they are matched by RE2: in linear time. */

import { RE2JS } from "re2js";
import type { CotMessage } from "../cot/message.ts";
import { boundingBox } from "../filters/bounding-box.ts";
import { type Fields, fieldsOf, refused, textsOf } from "./body.ts";

export const pluginEvents = ["plugin_status", "plugin_metric"] as const;
export type PluginEvent = (typeof pluginEvents)[number];

export interface Subscription {
  /** Undefined: no messages. */
  readonly messages: ((message: CotMessage) => boolean) | undefined;
  readonly events: ReadonlySet<PluginEvent>;
}

const patternsMax = 16;
const patternLengthMax = 200;
const programSizeMax = 1_000;
/** Of a uid that a pattern is tried on: a longer one is none that anybody looks for. */
const subjectLengthMax = 1_024;

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
  const isThere = boundsOf(fields.geo_bounds);
  const messages = (message: CotMessage) => isType(message.type) && isThere(message) && isUid(message.uid);
  return { messages, events };
}

function eventsOf(fields: Fields): ReadonlySet<PluginEvent> {
  const named = textsOf(fields, "events", { entriesMax: pluginEvents.length, max: 40 }) ?? [];
  return new Set(
    named.map((name) => {
      const event = pluginEvents.find((one) => one === name);
      if (event === undefined) throw refused(`"events" must be of: ${pluginEvents.join(", ")}`);
      return event;
    }),
  );
}

function matcherOf(fields: Fields, name: string): (text: string) => boolean {
  const patterns = textsOf(fields, name, { entriesMax: patternsMax, max: patternLengthMax });
  if (patterns === undefined || patterns.length === 0) return () => true;
  const compiled = patterns.map((pattern) => compile(pattern, name));
  return (text) => text.length <= subjectLengthMax && compiled.some((pattern) => pattern.test(text));
}

function compile(pattern: string, name: string): RE2JS {
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(pattern);
  } catch {
    // Everything that the library throws here is its verdict on the pattern.
    throw refused(`"${name}" must be regular expressions as in RE2`);
  }
  if (compiled.programSize() <= programSizeMax) return compiled;
  throw refused(`"${name}" must be simpler regular expressions`);
}

function boundsOf(value: unknown): (message: CotMessage) => boolean {
  if (value === undefined || value === null) return () => true;
  const { min_lat, max_lat, min_lon, max_lon } = fieldsOf(value);
  const degrees = [min_lat, max_lat, min_lon, max_lon];
  if (!degrees.every((one) => typeof one === "number"))
    throw refused('"geo_bounds" must have min_lat, max_lat, min_lon and max_lon');
  const [south = 0, north = 0, west = 0, east = 0] = degrees as number[]; // as just checked
  return boundingBox({ south, north, west, east });
}
