/* Five bodies under gravity for n steps, with a square root by the instruction. */
#include "kernel.h"
static double p[5][3], v[5][3], m[5];
EXPORT u32 run(u32 n) {
  for (u32 i = 0; i < 5; i++) {
    m[i] = i ? 0.03 / i : 39.5;
    for (u32 k = 0; k < 3; k++) { p[i][k] = i * (4.0 + k) - k * 3.0; v[i][k] = i ? (k + 1) * 0.6 / i : 0; }
  }
  for (u32 step = 0; step < n; step++) {
    for (u32 i = 0; i < 5; i++) for (u32 j = i + 1; j < 5; j++) {
      double d[3], square = 0;
      for (u32 k = 0; k < 3; k++) { d[k] = p[i][k] - p[j][k]; square += d[k] * d[k]; }
      double force = 0.001 / (square * __builtin_sqrt(square) + 1e-9);
      for (u32 k = 0; k < 3; k++) { v[i][k] -= d[k] * m[j] * force; v[j][k] += d[k] * m[i] * force; }
    }
    for (u32 i = 0; i < 5; i++) for (u32 k = 0; k < 3; k++) p[i][k] += 0.001 * v[i][k];
  }
  return (u32)(i64)(p[1][0] * 1e6);
}
