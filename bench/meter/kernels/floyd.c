/* Shortest paths between all pairs of 90 places. */
#include "kernel.h"
static i32 path[90][90];
EXPORT u32 run(u32 n) {
  u32 sum = 0;
  for (u32 round = 0; round < n; round++) {
    for (u32 i = 0; i < 90; i++) for (u32 j = 0; j < 90; j++)
      path[i][j] = (i + j) % 13 == 0 || (i + j) % 7 == 0 ? 999 : (i32)(i * j % 7 + 1 + round % 3);
    for (u32 k = 0; k < 90; k++) for (u32 i = 0; i < 90; i++) for (u32 j = 0; j < 90; j++) {
      i32 through = path[i][k] + path[k][j];
      path[i][j] = path[i][j] < through ? path[i][j] : through;
    }
    sum += path[3][71];
  }
  return sum;
}
