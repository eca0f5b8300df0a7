/* C = alpha A B + beta C in floats, loops in the order that reads rows. */
#include "kernel.h"
static float a[80][80], b[80][80], c[80][80];
EXPORT u32 run(u32 n) {
  for (u32 i = 0; i < 80; i++) for (u32 j = 0; j < 80; j++) {
    a[i][j] = (float)((i * j + 1) % 80) / 80; b[i][j] = (float)((i * j + 2) % 80) / 80; c[i][j] = (float)((i + j) % 80) / 80;
  }
  for (u32 round = 0; round < n; round++)
    for (u32 i = 0; i < 80; i++) {
      for (u32 j = 0; j < 80; j++) c[i][j] *= 0.5f;
      for (u32 k = 0; k < 80; k++) for (u32 j = 0; j < 80; j++) c[i][j] += 1.5f * a[i][k] * b[k][j];
    }
  return (u32)(i32)(c[11][7] * 1000);
}
