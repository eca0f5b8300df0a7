/* Product of two 64 by 64 matrices of doubles, n times. */
#include "kernel.h"
static double a[64][64], b[64][64], c[64][64];
EXPORT u32 run(u32 n) {
  for (u32 i = 0; i < 64; i++) for (u32 j = 0; j < 64; j++) { a[i][j] = i * 0.5 + j; b[i][j] = i - j * 0.25; }
  for (u32 round = 0; round < n; round++) {
    for (u32 i = 0; i < 64; i++) for (u32 j = 0; j < 64; j++) {
      double sum = 0;
      for (u32 k = 0; k < 64; k++) sum += a[i][k] * b[k][j];
      c[i][j] = sum;
    }
    a[round & 63][0] = c[0][round & 63] * 1e-6;
  }
  return (u32)(i64)c[17][42];
}
