/** The points of a route, as resources have it: a GeoJSON line, with names beside it. */

import { isRecord } from "../delta/delta.ts";
import { isOnEarth } from "../http/position.ts";
import type { Position } from "../server-port.ts";

export interface CoursePosition extends Position {
  readonly altitude?: number;
}

/** A route as somebody provides it, whose line was checked. */
export interface RoutePoints {
  readonly name: string | undefined;
  readonly positions: readonly CoursePosition[];
  /** Of each point; undefined where the route names none. */
  readonly names: readonly (string | undefined)[] | undefined;
}

/** A provider chooses how long its answer is. */
const pointsMax = 100_000;

/** Undefined when it has no line that can be followed. */
export function readRoute(data: unknown): RoutePoints | undefined {
  const feature = memberOf(data, "feature");
  const coordinates = memberOf(memberOf(feature, "geometry"), "coordinates");
  if (!Array.isArray(coordinates) || coordinates.length === 0 || coordinates.length > pointsMax)
    return undefined;
  const positions = coordinates.map(readCoordinates);
  if (!positions.every((position) => position !== undefined)) return undefined;
  const name = memberOf(data, "name");
  const meta = memberOf(memberOf(feature, "properties"), "coordinatesMeta");
  return {
    name: typeof name === "string" ? name : undefined,
    positions,
    names: Array.isArray(meta) ? meta.map((each) => textOf(memberOf(each, "name"))) : undefined,
  };
}

/** Undefined when it is no place. */
export function readWaypoint(data: unknown) {
  const coordinates = memberOf(memberOf(memberOf(data, "feature"), "geometry"), "coordinates");
  const position = readCoordinates(coordinates);
  if (position === undefined) return undefined;
  return {
    position: { latitude: position.latitude, longitude: position.longitude },
    type: textOf(memberOf(data, "type")) ?? "Waypoint",
    name: textOf(memberOf(data, "name")) ?? "WP1",
  };
}

/** One of its points, counted in the direction in which it is followed. */
export function pointOf(route: RoutePoints, index: number, isReversed: boolean) {
  const { positions, names } = route;
  const at = (length: number) => (isReversed ? length - 1 - index : index);
  const position = positions[at(positions.length)];
  const name = names === undefined ? "" : (names[at(names.length)] ?? `WP${index + 1}`);
  return position && { type: "RoutePoint", position, name };
}

/** The nearest that there is. */
export function boundedIndex(index: unknown, { positions }: RoutePoints): number {
  if (typeof index !== "number" || !Number.isInteger(index)) return 0;
  return Math.min(Math.max(index, 0), positions.length - 1);
}

/** GeoJSON (RFC 7946 §3.1.1): longitude first. */
function readCoordinates(data: unknown): CoursePosition | undefined {
  if (!Array.isArray(data)) return undefined;
  const [longitude, latitude, altitude] = data;
  const position = { latitude, longitude };
  if (!isOnEarth(position)) return undefined;
  return typeof altitude === "number" ? { ...position, altitude } : position;
}

function memberOf(data: unknown, name: string): unknown {
  return isRecord(data) ? data[name] : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
