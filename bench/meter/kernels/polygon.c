/* Whether n points lie in a polygon of 48 corners: what a geofence does. */
#include "kernel.h"
static double x[48], y[48];
static i32 inside(double px, double py) {
  i32 in = 0;
  for (u32 i = 0, j = 47; i < 48; j = i++)
    if ((y[i] > py) != (y[j] > py) && px < (x[j] - x[i]) * (py - y[i]) / (y[j] - y[i]) + x[i]) in = !in;
  return in;
}
EXPORT u32 run(u32 n) {
  seed_random(5);
  for (i32 i = 0; i < 48; i++) { x[i] = (i < 24 ? i : 48 - i) * 1.5 + (i & 3); y[i] = (i < 12 || i > 36 ? -1 : 1) * (10.0 + (i * 7) % 5); }
  u32 count = 0;
  for (u32 i = 0; i < n; i++) count += (u32)inside(next_random() % 4000 * 0.01, next_random() % 4000 * 0.01 - 20);
  return count;
}
