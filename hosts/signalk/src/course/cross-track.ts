/** How far a vessel is off its track, and the track that it is so far off: on a sphere, by great circles. */

import type { Position } from "../server-port.ts";

/** Of the sphere that signalk-server calculates with as well, in metres. */
const earthRadius = 6_371_000;

/** Metres, positive to the right of the track; NaN where there is no track. */
export function crossTrackMetres(
  vessel: Position,
  { from, to }: { readonly from: Position; readonly to: Position },
): number {
  const angle = bearing(from, vessel) - bearing(from, to);
  return Math.asin(Math.sin(distance(from, vessel)) * Math.sin(angle)) * earthRadius;
}

/**
 * Where a track to a place begins that the vessel is so many metres off, and is already on its way along.
 *
 * @param metres As of `crossTrackMetres`.
 * @returns undefined when there is none: the place is nearer than that
 */
export function trackStart(vessel: Position, to: Position, metres: number): Position | undefined {
  const off = metres / earthRadius;
  const way = distance(to, vessel);
  // Napier's rules for the triangle of the place, the vessel, and the point of the track that is abeam of it.
  const angle = Math.asin(Math.sin(off) / Math.sin(way));
  const abeam = Math.acos(Math.cos(way) / Math.cos(off));
  if (Number.isNaN(angle) || Number.isNaN(abeam)) return undefined;
  return pointAt(to, bearing(to, vessel) + angle, abeam + Math.abs(off));
}

/** As an angle at the centre of the earth. */
function distance(a: Position, b: Position): number {
  const north = Math.sin(radians(b.latitude - a.latitude) / 2);
  const east = Math.sin(radians(b.longitude - a.longitude) / 2);
  const cosines = Math.cos(radians(a.latitude)) * Math.cos(radians(b.latitude));
  return 2 * Math.asin(Math.sqrt(north ** 2 + cosines * east ** 2));
}

/** At the beginning of the way, from north to east. */
function bearing(from: Position, to: Position): number {
  const [start, end] = [radians(from.latitude), radians(to.latitude)];
  const east = radians(to.longitude - from.longitude);
  return Math.atan2(
    Math.sin(east) * Math.cos(end),
    Math.cos(start) * Math.sin(end) - Math.sin(start) * Math.cos(end) * Math.cos(east),
  );
}

function pointAt(from: Position, direction: number, way: number): Position {
  const start = radians(from.latitude);
  const sine = Math.sin(start) * Math.cos(way) + Math.cos(start) * Math.sin(way) * Math.cos(direction);
  const east = Math.atan2(
    Math.sin(direction) * Math.sin(way) * Math.cos(start),
    Math.cos(way) - Math.sin(start) * sine,
  );
  const longitude = from.longitude + degrees(east);
  return { latitude: degrees(Math.asin(sine)), longitude: ((longitude + 540) % 360) - 180 };
}

const radians = (angle: number) => (angle * Math.PI) / 180;
const degrees = (angle: number) => (angle * 180) / Math.PI;
