/* The geofence of ../geofence-filter in C: what is inside the polygon goes on, what is outside ends here. */

#include <remora/tak-filter.h>

/* Corners as latitude, longitude, in order; the last joins the first. */
static const double corners[][2] = {{52.13, 4.2}, {52.2, 4.37}, {52.08, 4.45}, {52.0, 4.36}, {51.96, 4.1}};

/* A line from the position to the east crosses the edges an odd number of times when it starts inside. */
static bool is_inside(double lat, double lon) {
  const size_t count = sizeof corners / sizeof *corners;
  const double *previous = corners[count - 1];
  bool inside = false;
  for (size_t i = 0; i < count; i++) {
    const double *corner = corners[i];
    if ((corner[0] > lat) != (previous[0] > lat)) {
      double slope = (previous[1] - corner[1]) / (previous[0] - corner[0]);
      if (lon < corner[1] + (lat - corner[0]) * slope) inside = !inside;
    }
    previous = corner;
  }
  return inside;
}

static filter_result evaluate(const cot_message *message) {
  return is_inside(message->lat, message->lon) ? PASS : BLOCK;
}

static const filter_metadata metadata = {
    .id = TEXT("geofence-c"),
    .name = TEXT("Geofence, in C"),
    .version = TEXT("0.1.0"),
    .author = TEXT("The Remora authors"),
    .description = TEXT("Passes what is inside the fence, blocks what is outside"),
    .max_execution_time_us = 10,
};
