// A polygon on the map, and whether a position is inside it. Change the corners to those of your own area.

/** Corners as latitude, longitude, in order; the last joins the first. The coast around The Hague. */
const corners: StaticArray<f64> = [
  52.13, 4.2, //
  52.2, 4.37,
  52.08, 4.45,
  52.0, 4.36,
  51.96, 4.1,
];

const south: f64 = bound(0, false);
const north: f64 = bound(0, true);
const west: f64 = bound(1, false);
const east: f64 = bound(1, true);

/** True for a position inside the fence; false for one that is not a number. */
export function isInside(lat: f64, lon: f64): bool {
  if (!(lat >= south && lat <= north && lon >= west && lon <= east)) return false;
  // A line from the position to the east crosses the edges an odd number of times when it starts inside.
  let inside = false;
  let previousLat = unchecked(corners[corners.length - 2]);
  let previousLon = unchecked(corners[corners.length - 1]);
  for (let i = 0; i < corners.length; i += 2) {
    const cornerLat = unchecked(corners[i]);
    const cornerLon = unchecked(corners[i + 1]);
    if (cornerLat > lat != previousLat > lat) {
      const crossing = cornerLon + ((lat - cornerLat) / (previousLat - cornerLat)) * (previousLon - cornerLon);
      if (lon < crossing) inside = !inside;
    }
    previousLat = cornerLat;
    previousLon = cornerLon;
  }
  return inside;
}

function bound(offset: i32, largest: bool): f64 {
  let found = corners[offset];
  for (let i = offset + 2; i < corners.length; i += 2) {
    found = largest ? max(found, corners[i]) : min(found, corners[i]);
  }
  return found;
}
