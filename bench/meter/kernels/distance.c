/* Edit distance of two words of n letters. */
#include "kernel.h"
static u8 a[512], b[512];
static u16 row[513];
EXPORT u32 run(u32 n) {
  if (n > 512) n = 512;
  seed_random(2);
  for (u32 i = 0; i < n; i++) { a[i] = next_random() % 6; b[i] = next_random() % 6; }
  for (u32 j = 0; j <= n; j++) row[j] = (u16)j;
  for (u32 i = 1; i <= n; i++) {
    u16 diagonal = row[0];
    row[0] = (u16)i;
    for (u32 j = 1; j <= n; j++) {
      u16 above = row[j], best = (u16)(diagonal + (a[i - 1] != b[j - 1]));
      if (above + 1 < best) best = (u16)(above + 1);
      if (row[j - 1] + 1 < best) best = (u16)(row[j - 1] + 1);
      diagonal = above;
      row[j] = best;
    }
  }
  return row[n];
}
