/* Folding of an RNA strand by dynamic programming. */
#include "kernel.h"
static u8 strand[140];
static i32 table[140][140];
static inline i32 larger(i32 a, i32 b) { return a > b ? a : b; }
EXPORT u32 run(u32 n) {
  u32 sum = 0;
  for (u32 round = 0; round < n; round++) {
    for (u32 i = 0; i < 140; i++) { strand[i] = (i + 1 + round) % 4; for (u32 j = 0; j < 140; j++) table[i][j] = 0; }
    for (i32 i = 139; i >= 0; i--) for (i32 j = i + 1; j < 140; j++) {
      if (j - 1 >= 0) table[i][j] = larger(table[i][j], table[i][j - 1]);
      if (i + 1 < 140) table[i][j] = larger(table[i][j], table[i + 1][j]);
      if (j - 1 >= 0 && i + 1 < 140)
        table[i][j] = larger(table[i][j], table[i + 1][j - 1] + (i < j - 1 && strand[i] + strand[j] == 3));
      for (i32 k = i + 1; k < j; k++) table[i][j] = larger(table[i][j], table[i][k] + table[k + 1][j]);
    }
    sum += table[0][139];
  }
  return sum;
}
