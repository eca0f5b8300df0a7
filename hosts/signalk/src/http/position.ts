/** A position that a stranger gave. */

import { isRecord } from "../delta/delta.ts";
import type { Position } from "../server-port.ts";

/** Degrees, north and east. */
export function isOnEarth(data: unknown): data is Position {
  if (!isRecord(data)) return false;
  const { latitude, longitude } = data;
  return isWithin(latitude, 90) && isWithin(longitude, 180);
}

function isWithin(value: unknown, degreesMax: number): boolean {
  return typeof value === "number" && Math.abs(value) <= degreesMax;
}
