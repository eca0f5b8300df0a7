/* Two-dimensional stencil: each cell becomes the mean of its neighbours. */
#include "kernel.h"
static double a[100][100], b[100][100];
EXPORT u32 run(u32 n) {
  for (u32 i = 0; i < 100; i++) for (u32 j = 0; j < 100; j++) { a[i][j] = (double)(i * (j + 2) + 2) / 100; b[i][j] = 0; }
  for (u32 t = 0; t < n; t++) {
    for (u32 i = 1; i < 99; i++) for (u32 j = 1; j < 99; j++)
      b[i][j] = 0.2 * (a[i][j] + a[i][j - 1] + a[i][j + 1] + a[i + 1][j] + a[i - 1][j]);
    for (u32 i = 1; i < 99; i++) for (u32 j = 1; j < 99; j++)
      a[i][j] = 0.2 * (b[i][j] + b[i][j - 1] + b[i][j + 1] + b[i + 1][j] + b[i - 1][j]);
  }
  return (u32)(i64)(a[50][50] * 1e6);
}
