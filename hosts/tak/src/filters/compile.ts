/**
 * Turns a filter's description into one function, once; what is left for each message is a few comparisons
 * without allocation. In a composite, the parts that look at the event's head come before those that need its
 * detail element, so that a message is not parsed further than its verdict needs.
 */

import { unreachable } from "remora/base";
import type { CotMessage } from "../cot/message.ts";
import { affiliationMask, affiliationOf, dimensionMask, dimensionOf } from "./atoms.ts";
import { boundingBox } from "./bounding-box.ts";
import { groupPattern } from "./group-pattern.ts";
import type { FilterSpec } from "./spec.ts";
import { typePatterns } from "./type-pattern.ts";

/** True when the message matches, which for a filter means that it passes. */
export type Predicate = (message: CotMessage) => boolean;

/**
 * Compiles a filter.
 *
 * @throws tak/filter-pattern a pattern is not in the syntax, or too large
 * @throws tak/filter-range   a bounding box is not one
 */
export function compileFilter(spec: FilterSpec): Predicate {
  switch (spec.type) {
    case "affiliation": {
      const mask = affiliationMask(spec.allow);
      return (message) => (affiliationOf(message.type) & mask) !== 0;
    }
    case "dimension": {
      const mask = dimensionMask(spec.allow);
      return (message) => (dimensionOf(message.type) & mask) !== 0;
    }
    case "group":
      return groupPattern(spec.pattern);
    case "team": {
      const teams = new Set<string | undefined>(spec.teams);
      return (message) => teams.has(message.groupName);
    }
    case "geo_bounding_box":
      return boundingBox(spec.box);
    case "uid": {
      const uids = new Set(spec.uids);
      return (message) => uids.has(message.uid);
    }
    case "type": {
      const matches = typePatterns(spec.types);
      return (message) => matches(message.type);
    }
    case "and":
      return every(headFirst(spec.filters).map(compileFilter));
    case "or":
      return some(headFirst(spec.filters).map(compileFilter));
    case "not": {
      const inner = compileFilter(spec.filter);
      return (message) => !inner(message);
    }
    default:
      return unreachable(spec);
  }
}

/** True when the filter reads something of the detail element, which a lazy message then has to parse. */
export function readsDetail(spec: FilterSpec): boolean {
  switch (spec.type) {
    case "group":
    case "team":
      return true;
    case "and":
    case "or":
      return spec.filters.some(readsDetail);
    case "not":
      return readsDetail(spec.filter);
    default:
      return false;
  }
}

function headFirst(filters: readonly FilterSpec[]): FilterSpec[] {
  return filters.toSorted((a, b) => Number(readsDetail(a)) - Number(readsDetail(b)));
}

// Two and three parts are what people write; a closure over them is called without a loop.

function every(parts: readonly Predicate[]): Predicate {
  const [a, b, c] = parts;
  if (a === undefined) return () => true;
  if (b === undefined) return a;
  if (c === undefined) return (message) => a(message) && b(message);
  if (parts.length === 3) return (message) => a(message) && b(message) && c(message);
  return (message) => {
    for (const part of parts) if (!part(message)) return false;
    return true;
  };
}

function some(parts: readonly Predicate[]): Predicate {
  const [a, b, c] = parts;
  if (a === undefined) return () => false;
  if (b === undefined) return a;
  if (c === undefined) return (message) => a(message) || b(message);
  if (parts.length === 3) return (message) => a(message) || b(message) || c(message);
  return (message) => {
    for (const part of parts) if (part(message)) return true;
    return false;
  };
}
