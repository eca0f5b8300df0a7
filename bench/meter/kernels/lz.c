/* Compresses n bytes of text by back references found through a hash table, and expands them again. */
#include "kernel.h"
static u8 input[1 << 16], packed[1 << 17], output[1 << 16];
static u32 last[1 << 12];
EXPORT u32 run(u32 n) {
  if (n > sizeof input - 8) n = sizeof input - 8;
  seed_random(9);
  for (u32 i = 0; i < n;) {
    u32 from = i > 64 ? next_random() % i : 0, size = i > 64 && next_random() % 4 ? 4 + next_random() % 24 : 0;
    if (size) for (u32 k = 0; k < size && i < n; k++) input[i++] = input[from + k];
    else input[i++] = (u8)(next_random() % 64 + 32);
  }
  for (u32 i = 0; i < 1 << 12; i++) last[i] = ~0u;
  u32 out = 0;
  for (u32 i = 0; i < n;) {
    u32 word = input[i] | input[i + 1] << 8 | input[i + 2] << 16 | (u32)input[i + 3] << 24;
    u32 hash = word * 2654435761u >> 20, from = last[hash], size = 0;
    last[hash] = i;
    if (from != ~0u && i - from < 0xffff) while (size < 127 && i + size < n && input[from + size] == input[i + size]) size++;
    if (size >= 4) { packed[out++] = (u8)(0x80 | size); packed[out++] = (u8)(i - from); packed[out++] = (u8)((i - from) >> 8); i += size; }
    else packed[out++] = input[i++] & 0x7f;
  }
  u32 to = 0;
  for (u32 i = 0; i < out;) {
    u8 c = packed[i++];
    if (c < 0x80) { output[to++] = c; continue; }
    u32 back = packed[i] | packed[i + 1] << 8;
    i += 2;
    for (u32 k = 0; k < (c & 0x7fu); k++, to++) output[to] = output[to - back];
  }
  u32 sum = out;
  for (u32 i = 0; i < n; i++) sum = sum * 31 + (output[i] ^ input[i]);
  return sum;
}
