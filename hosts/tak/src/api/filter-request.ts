/** A rule as clients ask for it, by OmniTAK's names, and what is made of it. */

import { boundingBox } from "../filters/bounding-box.ts";
import type { Predicate } from "../filters/compile.ts";
import type { FilterRule } from "../filters/rules.ts";
import type { KeptChange } from "../kept-changes.ts";
import {
  described,
  type Field,
  flag,
  object,
  optional,
  type Read,
  readAs,
  refused,
  refuseUnknown,
  schemaOf,
  text,
  whole,
} from "./body.ts";
import { objectWith, someNumber } from "./json-schema.ts";
import { patternOf } from "./patterns.ts";

export interface FilterRequest extends Omit<FilterRule, "id"> {
  readonly name: string;
}

const action: Field<FilterRule["action"]> = {
  schema: { type: "string", enum: ["allow", "deny"] },
  read(value) {
    if (value === "allow" || value === "deny") return value;
    if (value === "modify")
      throw refused('"action" must be "allow" or "deny": what changes events is a transformer');
    throw refused('"action" must be "allow" or "deny"');
  },
};

const pattern: Field<(text: string) => boolean> = {
  schema: { type: "string", minLength: 1, maxLength: 500, description: "A regular expression of RE2" },
  read: (value, name) => patternOf(text({ max: 500 }).read(value, name), name),
};

/** In degrees. */
export const bounds: Field<Predicate> = {
  schema: objectWith({
    min_lat: someNumber,
    max_lat: someNumber,
    min_lon: someNumber,
    max_lon: someNumber,
  }),
  read(value, name) {
    const { min_lat, max_lat, min_lon, max_lon } = object.read(value, name);
    const degrees = [min_lat, max_lat, min_lon, max_lon];
    if (!degrees.every((one) => typeof one === "number"))
      throw refused(`"${name}" must have min_lat, max_lat, min_lon and max_lon`);
    const [south = 0, north = 0, west = 0, east = 0] = degrees as number[]; // as just checked
    return boundingBox({ south, north, west, east });
  },
};

/** What OmniTAK has a name for and this host decides elsewhere. */
const elsewhere = (why: string): Field<void> => ({
  schema: { type: "null", description: `It ${why}` },
  isOptional: true,
  read(value, name) {
    if (value !== undefined && value !== null) throw refused(`"${name}" ${why}`);
  },
});

const shape = {
  name: text({ max: 200 }),
  priority: described(whole({ min: 1 - 2 ** 31, max: 2 ** 31 - 1 }), "The higher is looked at first"),
  action,
  event_type: optional(pattern),
  uid_pattern: optional(pattern),
  callsign_pattern: optional(pattern),
  geo_bounds: optional(bounds),
  enabled: optional(flag),
  source_address: elsewhere("is not available: rules look at the event alone"),
  destination_address: elsewhere("is not available: the routes of the configuration say who gets an event"),
};

export const filterSchema = schemaOf(shape, { isClosed: true });

/** @throws tak/api-request tak/filter-range */
export function filterRequestOf(body: unknown): FilterRequest {
  refuseUnknown(shape, body, "a filter");
  const fields = readAs(shape, body);
  const { name, priority, enabled = true } = fields;
  return { name, priority, action: fields.action, isEnabled: enabled, matches: matcherOf(fields) };
}

/** @throws tak/api-request tak/filter-range somebody edited the file */
export function ruleOf({ id, request }: KeptChange): FilterRule {
  return { id, ...filterRequestOf(request) };
}

/** All that is said must hold; a rule that says nothing matches every event. */
function matcherOf(fields: Read<typeof shape>): Predicate {
  const { geo_bounds, event_type, uid_pattern, callsign_pattern } = fields;
  const parts: Predicate[] = [];
  if (geo_bounds !== undefined) parts.push(geo_bounds);
  if (event_type !== undefined) parts.push(({ type }) => event_type(type));
  if (uid_pattern !== undefined) parts.push(({ uid }) => uid_pattern(uid));
  // The last, since it makes the event's detail be parsed.
  if (callsign_pattern !== undefined) parts.push(({ callsign }) => callsign_pattern(callsign ?? ""));
  return (message) => parts.every((part) => part(message));
}
