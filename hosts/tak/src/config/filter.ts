/** Reads a native filter with the names of OmniTAK's files: `type`, and what belongs to that type. */

import { isRemoraError } from "remora/base";
import { compileFilter } from "../filters/compile.ts";
import {
  type Affiliation,
  affiliationCodes,
  type Dimension,
  dimensionCodes,
  type FilterSpec,
} from "../filters/spec.ts";
import type { Section, Value } from "./reader.ts";

const types = [
  "affiliation",
  "and",
  "dimension",
  "geo_bounding_box",
  "geoboundingbox",
  "group",
  "not",
  "or",
  "team",
  "type",
  "uid",
] as const;

const standIn: FilterSpec = { type: "and", filters: [] };

/** A filter that is a value of its own: `filter:` of a route, an item of `filters:`. */
export function readFilter(value: Value): FilterSpec {
  return value.section(readFilterFields);
}

/** A filter among the other keys of its section. */
export function readFilterFields(section: Section): FilterSpec {
  const type = section.read("type", (value) => value.oneOfOrNothing(types), undefined);
  switch (type) {
    case undefined:
      section.skipRest();
      return standIn;
    case "affiliation": {
      const names = Object.keys(affiliationCodes) as [Affiliation, ...Affiliation[]]; // the type's own keys
      return { type, allow: many(section, "allow", (value) => nameOf(value, names)) };
    }
    case "dimension": {
      const names = Object.keys(dimensionCodes) as [Dimension, ...Dimension[]]; // the type's own keys
      return { type, allow: many(section, "allow", (value) => nameOf(value, names)) };
    }
    case "group": {
      const pattern = section.read("pattern", (value) => value.text(), "");
      return compiled({ type, pattern }, section.get("pattern"));
    }
    case "team":
      return { type, teams: many(section, "teams", (value) => value.text()) };
    case "uid":
      return { type, uids: many(section, "uids", (value) => value.text()) };
    case "type":
      return {
        type,
        types: many(section, "types", (value) => {
          const pattern = value.text();
          compiled({ type: "type", types: [pattern] }, value);
          return pattern;
        }),
      };
    case "geo_bounding_box":
    case "geoboundingbox": {
      const edge = (key: string, most: number) =>
        section.read(key, (value) => value.number({ min: -most, max: most }), 0);
      const [south, north] = [edge("min_lat", 90), edge("max_lat", 90)];
      const [west, east] = [edge("min_lon", 180), edge("max_lon", 180)];
      if (south > north) section.get("min_lat")?.problem(`Must be at most max_lat, which is ${north}`);
      return { type: "geo_bounding_box", box: { south, north, west, east } };
    }
    case "and":
    case "or":
      return { type, filters: many(section, "filters", readFilter) };
    case "not":
      return { type, filter: section.read("filter", readFilter, standIn) };
  }
}

function many<Item>(section: Section, key: string, read: (value: Value) => Item): Item[] {
  return section.read(key, (value) => value.list({ lengthMin: 1 }).map(read), []);
}

/** OmniTAK writes `assumedfriend`; `Assumed_Friend` means the same. */
function nameOf<const Name extends string>(value: Value, names: readonly [Name, ...Name[]]): Name {
  const written = value.json();
  const plain = typeof written === "string" ? written.toLowerCase().replaceAll(/[-_ ]/g, "") : undefined;
  return names.find((name) => name === plain) ?? value.oneOf(names);
}

/** A pattern is compiled here already, so that what is wrong with it has a place. */
function compiled(spec: FilterSpec, value: Value | undefined): FilterSpec {
  try {
    compileFilter(spec);
  } catch (error) {
    // A pattern that cannot be used is a problem like the others, and told with them.
    if (!isRemoraError(error)) throw error;
    value?.problem(error.message);
  }
  return spec;
}
