// The area that the geofences watch. Change the corners to those of your own.

import { Polygon } from "remora/polygon";

/** The coast around The Hague: latitude, longitude, corner by corner. */
export const fence: Polygon = Polygon.of([
  52.13, 4.2, //
  52.2, 4.37,
  52.08, 4.45,
  52.0, 4.36,
  51.96, 4.1,
]);
