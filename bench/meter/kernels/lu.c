/* Decomposition of a matrix into a lower and an upper triangle, in place. */
#include "kernel.h"
static double a[96][96];
EXPORT u32 run(u32 n) {
  double sum = 0;
  for (u32 round = 0; round < n; round++) {
    for (u32 i = 0; i < 96; i++) for (u32 j = 0; j < 96; j++) a[i][j] = i == j ? 96.0 + round : 1.0 / (1 + i + j);
    for (u32 i = 0; i < 96; i++) {
      for (u32 j = 0; j < i; j++) {
        for (u32 k = 0; k < j; k++) a[i][j] -= a[i][k] * a[k][j];
        a[i][j] /= a[j][j];
      }
      for (u32 j = i; j < 96; j++) for (u32 k = 0; k < i; k++) a[i][j] -= a[i][k] * a[k][j];
    }
    sum += a[95][95];
  }
  return (u32)(i64)(sum * 1000);
}
