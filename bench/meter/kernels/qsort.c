/* Sorting n numbers, with the comparison behind a function pointer. */
#include "kernel.h"
static i32 items[1 << 16];
typedef i32 (*compare)(i32, i32);
static i32 ascending(i32 a, i32 b) { return a < b ? -1 : a > b; }
static i32 by_low_bits(i32 a, i32 b) { return ascending(a & 0xffff, b & 0xffff); }
static void sort(i32 *list, i32 low, i32 high, compare order) {
  while (low < high) {
    i32 pivot = list[low + (high - low) / 2], i = low, j = high;
    while (i <= j) {
      while (order(list[i], pivot) < 0) i++;
      while (order(list[j], pivot) > 0) j--;
      if (i <= j) { i32 t = list[i]; list[i] = list[j]; list[j] = t; i++; j--; }
    }
    if (j - low < high - i) { sort(list, low, j, order); low = i; }
    else { sort(list, i, high, order); high = j; }
  }
}
EXPORT u32 run(u32 n) {
  if (n > 1 << 16) n = 1 << 16;
  seed_random(n);
  for (u32 i = 0; i < n; i++) items[i] = (i32)next_random();
  compare orders[2] = {ascending, by_low_bits};
  sort(items, 0, (i32)n - 1, orders[n & 1]);
  u32 sum = 0;
  for (u32 i = 0; i < n; i++) sum = sum * 31 + (u32)items[i];
  return sum;
}
