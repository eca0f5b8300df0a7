/** Of an edge: the latitudes of its ends, the longitude of the first, and degrees of longitude for one of latitude. */
// @ts-ignore: decorator
@unmanaged
class Edge {
  fromLat: f64;
  toLat: f64;
  fromLon: f64;
  slope: f64;
}

/**
 * An area on the map that does not cross the antimeridian, for filters that ask often: made once, when the plugin
 * starts, and out of the collector's sight, so that asking costs nothing but the arithmetic.
 */
// @ts-ignore: decorator
@unmanaged
export class Polygon {
  private south: f64;
  private north: f64;
  private west: f64;
  private east: f64;
  private edgesEnd: usize;

  /** From its corners as latitude, longitude, in order; the last joins the first. */
  static of(corners: StaticArray<f64>): Polygon {
    const count = corners.length >> 1;
    if (count < 3 || corners.length & 1) throw new Error("a polygon has at least three corners of two numbers");
    const at = heap.alloc(EDGES_OFFSET + count * offsetof<Edge>());
    const polygon = changetype<Polygon>(at);
    polygon.south = polygon.west = Infinity;
    polygon.north = polygon.east = -Infinity;
    polygon.edgesEnd = at + EDGES_OFFSET + count * offsetof<Edge>();
    for (let i = 0; i < count; i++) {
      const lat = corners[i * 2];
      const lon = corners[i * 2 + 1];
      const next = ((i + 1) % count) * 2;
      polygon.south = min(polygon.south, lat);
      polygon.north = max(polygon.north, lat);
      polygon.west = min(polygon.west, lon);
      polygon.east = max(polygon.east, lon);
      const edge = changetype<Edge>(at + EDGES_OFFSET + i * offsetof<Edge>());
      edge.fromLat = lat;
      edge.toLat = corners[next];
      edge.fromLon = lon;
      edge.slope = (corners[next + 1] - lon) / (corners[next] - lat);
    }
    return polygon;
  }

  /** True for a position inside; false for one that is not a number. */
  contains(lat: f64, lon: f64): bool {
    if (!(lat >= this.south && lat <= this.north && lon >= this.west && lon <= this.east)) return false;
    // A line from the position to the east crosses the edges an odd number of times when it starts inside.
    let inside = false;
    for (let at = changetype<usize>(this) + EDGES_OFFSET; at < this.edgesEnd; at += offsetof<Edge>()) {
      const edge = changetype<Edge>(at);
      if (edge.fromLat > lat == edge.toLat > lat) continue;
      if (lon < edge.fromLon + (lat - edge.fromLat) * edge.slope) inside = !inside;
    }
    return inside;
  }
}

/** The edges stand behind the fields, at a multiple of eight. */
const EDGES_OFFSET: usize = (offsetof<Polygon>() + 7) & ~7;
