/**
 * A box of latitudes and longitudes, its edges included. A box whose west is larger than its east goes across
 * the antimeridian; 180 and -180 are the same meridian. A position that is not a number lies in no box.
 */

import type { CotMessage } from "../cot/message.ts";
import { takErrors } from "../errors.ts";
import type { BoundingBox } from "./spec.ts";

/** @throws tak/filter-range an edge is no latitude or longitude, or the south lies above the north */
export function boundingBox(box: BoundingBox): (message: CotMessage) => boolean {
  const { south, north, west, east } = checked(box);
  if (west > east) {
    return ({ lat, lon }) =>
      lat >= south && lat <= north && ((lon >= west && lon <= 180) || (lon <= east && lon >= -180));
  }
  // A box that ends on the antimeridian contains it under both of its names.
  if ((west === -180) !== (east === 180)) {
    return ({ lat, lon }) =>
      lat >= south && lat <= north && ((lon >= west && lon <= east) || lon === 180 || lon === -180);
  }
  return ({ lat, lon }) => lat >= south && lat <= north && lon >= west && lon <= east;
}

function checked(box: BoundingBox): BoundingBox {
  for (const field of ["south", "north", "west", "east"] as const) {
    const most = field === "south" || field === "north" ? 90 : 180;
    if (!(Math.abs(box[field]) <= most)) {
      throw takErrors["filter-range"]({ field, found: box[field], allowed: `from -${most} to ${most}` });
    }
  }
  if (box.south > box.north) {
    throw takErrors["filter-range"]({ field: "south", found: box.south, allowed: `at most ${box.north}` });
  }
  return box;
}
