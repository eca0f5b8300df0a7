/* Primes below n by striking out: a tight store loop. */
#include "kernel.h"
static u8 struck[1 << 20];
EXPORT u32 run(u32 n) {
  if (n > sizeof struck) n = sizeof struck;
  for (u32 i = 0; i < n; i++) struck[i] = 0;
  u32 primes = 0;
  for (u32 i = 2; i < n; i++) {
    if (struck[i]) continue;
    primes++;
    for (u32 j = 2 * i; j < n; j += i) struck[j] = 1;
  }
  return primes;
}
