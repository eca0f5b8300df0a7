/** A rule as clients ask for it, by OmniTAK's names, and what is made of it. */

import type { CotMessage } from "../cot/message.ts";
import { boundingBox } from "../filters/bounding-box.ts";
import type { Predicate } from "../filters/compile.ts";
import type { FilterRule } from "../filters/rules.ts";
import type { KeptChange } from "../kept-changes.ts";
import { type Fields, fieldsOf, flagOf, refused, textOf } from "./body.ts";
import { patternOf } from "./patterns.ts";

export interface FilterRequest extends Omit<FilterRule, "id"> {
  readonly name: string;
}

const known = new Set([
  "name",
  "priority",
  "action",
  "event_type",
  "uid_pattern",
  "callsign_pattern",
  "geo_bounds",
  "enabled",
]);

/** What OmniTAK has a name for and this host decides elsewhere. */
const elsewhere: Readonly<Record<string, string>> = {
  source_address: "is not available: rules look at the event alone",
  destination_address: "is not available: the routes of the configuration say who gets an event",
};

const subjects: Readonly<Record<string, (message: CotMessage) => string>> = {
  event_type: ({ type }) => type,
  uid_pattern: ({ uid }) => uid,
  // The last, since it makes the event's detail be parsed.
  callsign_pattern: ({ callsign }) => callsign ?? "",
};

/** @throws tak/api-request tak/filter-range */
export function filterRequestOf(body: unknown): FilterRequest {
  const fields = fieldsOf(body);
  for (const [name, value] of Object.entries(fields)) {
    if (Object.hasOwn(elsewhere, name) && value !== null) throw refused(`"${name}" ${elsewhere[name]}`);
    if (!known.has(name) && !Object.hasOwn(elsewhere, name)) {
      throw refused(`"${name.slice(0, 100)}" is no field of a filter: allowed are ${[...known].join(", ")}`);
    }
  }
  return {
    name: textOf(fields, "name", { max: 200 }),
    priority: priorityOf(fields.priority),
    action: actionOf(fields.action),
    isEnabled: flagOf(fields, "enabled", true),
    matches: matcherOf(fields),
  };
}

/** @throws tak/api-request tak/filter-range somebody edited the file */
export function ruleOf({ id, request }: KeptChange): FilterRule {
  return { id, ...filterRequestOf(request) };
}

function priorityOf(value: unknown): number {
  if (Number.isInteger(value) && Math.abs(value as number) <= 2 ** 31 - 1) return value as number; // as just checked
  throw refused('"priority" must be a whole number; the higher is looked at first');
}

function actionOf(value: unknown): FilterRule["action"] {
  if (value === "allow" || value === "deny") return value;
  if (value === "modify")
    throw refused('"action" must be "allow" or "deny": what changes events is a transformer');
  throw refused('"action" must be "allow" or "deny"');
}

/** All that is said must hold; a rule that says nothing matches every event. */
function matcherOf(fields: Fields): Predicate {
  const parts: Predicate[] = [];
  const { geo_bounds } = fields;
  if (geo_bounds !== undefined && geo_bounds !== null) parts.push(boundsOf(geo_bounds, "geo_bounds"));
  for (const [name, subject] of Object.entries(subjects)) {
    if (fields[name] === undefined || fields[name] === null) continue;
    const matches = patternOf(textOf(fields, name, { max: 500 }), name);
    parts.push((message) => matches(subject(message)));
  }
  return (message) => parts.every((part) => part(message));
}

/** @throws tak/api-request tak/filter-range */
export function boundsOf(value: unknown, name: string): Predicate {
  const { min_lat, max_lat, min_lon, max_lon } = fieldsOf(value);
  const degrees = [min_lat, max_lat, min_lon, max_lon];
  if (!degrees.every((one) => typeof one === "number"))
    throw refused(`"${name}" must have min_lat, max_lat, min_lon and max_lon`);
  const [south = 0, north = 0, west = 0, east = 0] = degrees as number[]; // as just checked
  return boundingBox({ south, north, west, east });
}
